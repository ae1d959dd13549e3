// Report of a siege as text: the table of all runs, a sentence for each run, and the broken bounds.

import { tableOf } from '../bench/report/table.ts';
import {
  formatBytes,
  formatCount,
  formatMilliseconds,
  formatSeconds,
  formatShare,
} from '../src/lib/format.ts';
import type { Row } from './run.ts';

/** Share of the machine used by other programs from which on they distort latencies. */
const OTHERS_SHARE_MAX = 0.2;

const HEAD: readonly string[] = [
  'flood',
  'attackers',
  'RSS start',
  'peak',
  'after',
  'publish p50',
  'p99',
  'REQ p50',
  'p99',
  'workers exited',
  'lost',
  '',
];

/** Returns the figures of a siege as a table, a line for each run. */
export function tableOfRows(rows: readonly Row[]): string {
  return tableOf(HEAD, rows.map(cellsOf));
}

function cellsOf(row: Row): string[] {
  return [
    row.scenario,
    row.attackers,
    formatBytes(row.rssStart),
    formatBytes(row.rssPeak),
    formatBytes(row.rssAfter),
    formatMilliseconds(row.publish.p50),
    formatMilliseconds(row.publish.p99),
    formatMilliseconds(row.req.p50),
    formatMilliseconds(row.req.p99),
    String(row.workerDeaths),
    `${row.lost} of ${formatCount(row.acknowledged)}`,
    row.breaches.length === 0 ? 'held' : 'BROKEN',
  ];
}

/** Returns a sentence on what a flood sent and what the run measured, as progress output. */
export function sentenceOf(row: Row): string {
  const counts = Object.entries(row.counts)
    .map(([name, count]) => `${formatCount(count)} ${name}`)
    .join(', ');
  const others =
    row.othersShare < OTHERS_SHARE_MAX
      ? ''
      : `; other programs used ${formatShare(row.othersShare)} of the machine: p99 is not reliable`;
  return (
    `${row.scenario}, ${row.attackers}: ${counts} in ${formatSeconds(row.floodSeconds)}; relay ` +
    `${row.relayCores.toFixed(2)} processors, attackers ${row.attackerCores.toFixed(2)}, ` +
    `${formatShare(row.idleShare)} idle${saturatedPart(row)}, memory back after ` +
    `${row.settledSeconds.toFixed(1)} s${others}${slowPart(row)}`
  );
}

function slowPart({ breaches, slowAnswers }: Row): string {
  if (breaches.length === 0 || slowAnswers.length === 0) return '';
  return `; slowest answers: ${slowAnswers.join(', ')}`;
}

function saturatedPart({ saturatedSeconds }: Row): string {
  return saturatedSeconds === 0 ? '' : ` (none for ${saturatedSeconds.toFixed(1)} s)`;
}

/** Returns a sentence for every bound that is broken. */
export function breachSentences(rows: readonly Row[]): string[] {
  return rows.flatMap(({ scenario, attackers, breaches }) =>
    breaches.map(({ sentence }) => `${scenario} (attackers: ${attackers}): ${sentence}`),
  );
}
