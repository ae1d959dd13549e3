// Report of a probe as text for a terminal.

import type { Finding } from './context.ts';
import type { ProbeReport } from './probe.ts';

const SIGNS: Readonly<Record<Finding['does'], string>> = { yes: '✓', no: '✗', unknown: '?' };
const NAME_WIDTH = 30;
const TITLE_WIDTH = 22;
/** Width of details in characters, so that a line fits a terminal. */
const DETAIL_WIDTH = 58;

/** Returns the findings of a probe on one screen. */
export function probeScreen(report: ProbeReport): string {
  const { url, name, software, version, basics, nips, untried } = report;
  const about = [name, software, version].filter((part) => part !== '').join(', ');
  const lines = [url + (about === '' ? '' : ` (${about})`), ''];
  for (const { name: what, finding } of basics) {
    lines.push(`  ${SIGNS[finding.does]} ${what.padEnd(NAME_WIDTH)} ${clip(finding.detail)}`);
  }
  if (nips.length > 0) {
    lines.push('', `  NIP ${'what'.padEnd(TITLE_WIDTH)} says  does`);
  }
  for (const { nip, name: title, says, finding } of nips) {
    const number = String(nip).padStart(3);
    const said = says === undefined ? '?' : says ? '✓' : '–';
    const isBroken = finding.does === 'no' && (says === true || nip === 1);
    const does = isBroken ? '✗' : finding.does === 'no' ? '–' : SIGNS[finding.does];
    lines.push(
      `  ${number} ${title.padEnd(TITLE_WIDTH)}  ${said}     ${does}   ${clip(finding.detail)}`,
    );
  }
  if (untried.length > 0) {
    lines.push('', `  It also claims ${untried.join(', ')}; these cannot be tested from outside.`);
  }
  lines.push('', `  ${verdict(report)}`);
  return lines.join('\n');
}

function verdict({ ok, nips }: ProbeReport): string {
  if (nips.length === 0) return 'It does not respond as a relay.';
  return ok ? 'All tested claims hold.' : 'Not all claims hold.';
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > DETAIL_WIDTH ? `${line.slice(0, DETAIL_WIDTH - 1)}…` : line;
}
