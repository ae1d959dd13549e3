// Results of a run as text for a terminal.

import {
  formatBytes,
  formatCount,
  formatMilliseconds,
  formatSeconds,
  formatShare,
  plural,
} from '../../src/lib/format.ts';
import type { CaseResult, Environment, TargetFacts } from './result.ts';

/** Returns a table as text; the first column is aligned left, the others right. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [line(head), rule, ...rows.map(line)].join('\n');
}

export const RESULT_HEAD: readonly string[] = [
  'case',
  'rate',
  'p50',
  'p90',
  'p99',
  'p99.9',
  'max',
  'CPU each',
  'disk each',
  'RSS',
  '',
];

/** Returns one row for each case, and one for each further action of it. */
export function resultRows(results: readonly CaseResult[]): string[][] {
  return results.flatMap((result) => [caseRow(result), ...actionRows(result)]);
}

export function resultTable(results: readonly CaseResult[]): string {
  return tableOf(RESULT_HEAD, resultRows(results));
}

function caseRow(result: CaseResult): string[] {
  const { scenario, name, perSecond, unit, latency, relay } = result;
  const bytesPerConnection = relay?.bytesPerConnection;
  return [
    `${scenario} ${name}`,
    `${formatCount(perSecond)} ${plural(unit)}/s`,
    ...[latency.p50, latency.p90, latency.p99, latency.p999, latency.max].map(formatMilliseconds),
    relay === undefined ? '–' : `${formatCount(relay.cpuMicrosecondsPerUnit)} µs`,
    relay?.diskBytesPerUnit === undefined ? '–' : formatBytes(relay.diskBytesPerUnit),
    relay === undefined
      ? '–'
      : bytesPerConnection === undefined
        ? formatBytes(relay.rssPeakBytes)
        : `${formatBytes(bytesPerConnection)} each`,
    verdict(result),
  ];
}

function verdict({ ok, interrupted, errors, client }: CaseResult): string {
  const words = [ok ? 'ok' : 'WRONG'];
  if (Object.keys(errors).length > 0) words.push('errors');
  if (client.isBottleneck) words.push('client-bound');
  if (client.isLate) words.push('client late');
  if (interrupted) words.push('interrupted');
  return words.join(', ');
}

function actionRows({ actions, headline }: CaseResult): string[][] {
  return actions
    .filter(({ name }) => name !== headline)
    .map(({ name, perSecond, latency }) => [
      `  ${name}`,
      `${formatCount(perSecond)}/s`,
      ...[latency.p50, latency.p90, latency.p99, latency.p999, latency.max].map(formatMilliseconds),
    ]);
}

/** Returns the figures of a case in a sentence. */
export function sentenceOf({
  scenario,
  name,
  unit,
  perSecond,
  latency,
  relay,
}: CaseResult): string {
  const cpu =
    relay === undefined ? '' : `, ${formatCount(relay.cpuMicrosecondsPerUnit)} µs CPU per ${unit}`;
  const { p50, p99 } = latency;
  const times = `p50 ${formatMilliseconds(p50)}, p99 ${formatMilliseconds(p99)}`;
  return `${scenario} ${name}: ${formatCount(perSecond)} ${plural(unit)}/s, ${times}${cpu}`;
}

/** Returns the remarks on a case beside its figures: errors, wrong answers, notes. */
export function remarks(result: CaseResult): string[] {
  const { errors, wrong, examples, counts, notes, relay, machine, client } = result;
  const list = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([kind, count]) => `${formatCount(count)} × ${kind}`)
      .join(', ');
  const lines: string[] = [];
  if (Object.keys(wrong).length > 0) lines.push(`WRONG: ${list(wrong)}`);
  lines.push(...examples.map((example) => `  ${example}`));
  if (Object.keys(errors).length > 0) lines.push(`errors: ${list(errors)}`);
  if (Object.keys(counts).length > 0) lines.push(`checked: ${list(counts)}`);
  if (relay !== undefined && machine !== undefined) {
    lines.push(
      `the relay used ${relay.cores.toFixed(2)} of ${machine.cores} processors, ` +
        `the busiest of ${client.threads} client threads ${formatShare(client.cpuShare)} of one, ` +
        `${formatShare(machine.idleShare)} of the machine was idle` +
        (relay.settleSeconds > 0.5
          ? `; it settled ${formatSeconds(relay.settleSeconds)} later`
          : ''),
    );
  }
  lines.push(...notes);
  return lines.map((line) => `  ${line}`);
}

/** Returns lines on the relay, the bench and the machine of a measurement. */
export function headLines(target: TargetFacts | undefined, environment: Environment): string[] {
  const relay = [target?.name, target?.software, target?.version].filter(Boolean).join(', ');
  const { bench, commit, node, cpu, cores, memoryBytes, system } = environment;
  return [
    `relay: ${target?.url ?? 'none'}${relay === '' ? '' : ` (${relay})`}`,
    `bench: ${bench}${commit === '' ? '' : ` at ${commit}`}, Node.js ${node}`,
    `machine: ${cores} × ${cpu}, ${formatBytes(memoryBytes)}, ${system}`,
  ];
}
