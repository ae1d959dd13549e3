// Remarks on a measurement: client as bottleneck, other load on the machine, trend of a long run.

import { availableParallelism } from 'node:os';
import { formatBytes, formatMilliseconds } from '../../src/lib/format.ts';
import { median } from '../figures/statistics.ts';
import type { ClientUse, RelayUse, Series } from '../report/result.ts';
import type { Measurement } from './measure.ts';

/** Share of a processor above which a load thread has no reserve and may measure itself. */
export const BUSY_SHARE = 0.85;
/** Length of a run below which memory has no trend, in seconds. */
const TREND_SECONDS_MIN = 60;
const IDLE_SHARE_MIN = 0.03;
const OTHERS_SHARE_MAX = 0.1;
const STEAL_SHARE_MAX = 0.03;

/** Returns remarks that a reader of the figures needs. */
export function notesOf(
  { machine }: Measurement,
  client: ClientUse,
  relay: RelayUse | undefined,
  wasMeasured: boolean,
): string[] {
  const notes: string[] = [];
  if (!wasMeasured) notes.push('It ended before the warm-up was over: no results.');
  if (client.isBottleneck) {
    notes.push(
      `The client is the bottleneck: its busiest thread used ${percent(client.cpuShare)} of a processor. ` +
        'The relay may do more; try more --threads or another machine.',
    );
  } else if (client.isLate) {
    notes.push(
      `The client was late: 1 % of its messages were sent ${client.lagP99!.toFixed(1)} ms or more after they were due.`,
    );
  }
  if (machine !== undefined) notes.push(...machineNotes(machine, client, relay));
  return notes;
}

function machineNotes(
  { idleShare, stealShare }: NonNullable<Measurement['machine']>,
  client: ClientUse,
  relay: RelayUse | undefined,
): string[] {
  const notes: string[] = [];
  const cores = availableParallelism();
  const clientShare = client.cores / cores;
  const othersShare = 1 - idleShare - stealShare - clientShare - (relay?.cores ?? 0) / cores;
  if (relay !== undefined && othersShare > OTHERS_SHARE_MAX) {
    notes.push(
      `Other programs used ${percent(othersShare)} of this machine: the results are not reliable.`,
    );
  } else if (idleShare < IDLE_SHARE_MIN) {
    notes.push(
      `The machine had no processor time left, and ${percent(clientShare)} of it went to the client: ` +
        'compare with relays on this machine only.',
    );
  }
  if (stealShare > STEAL_SHARE_MAX) {
    notes.push(`${percent(stealShare)} of the processors' time went to other guests of this host.`);
  }
  return notes;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Returns the changes from the first quarter of a long run to its last. */
export function trendNotes({ rss, p99, intervalSeconds, warmupSeconds }: Series): string[] {
  const notes: string[] = [];
  const measured = rss.filter(({ seconds }) => seconds >= warmupSeconds);
  const first = quarter(measured, 0);
  const last = quarter(measured, 3);
  const seconds = (measured.at(-1)?.seconds ?? 0) - warmupSeconds;
  if (seconds >= TREND_SECONDS_MIN && first.length > 0 && last.length > 0) {
    const from = median(first.map(({ bytes }) => bytes));
    const to = median(last.map(({ bytes }) => bytes));
    const hours = ((last.at(-1)!.seconds - first[0]!.seconds) * 0.75) / 3600;
    notes.push(
      `Memory went from ${formatBytes(from)} in the first quarter to ${formatBytes(to)} in the last, ` +
        `${formatBytes((to - from) / Math.max(hours, 1e-6))} an hour.`,
    );
  }
  const delays = p99.slice(Math.ceil(warmupSeconds / intervalSeconds));
  if (delays.length >= 4) {
    const [from, to] = [median(quarter(delays, 0)), median(quarter(delays, 3))];
    notes.push(`p99 went from ${formatMilliseconds(from)} to ${formatMilliseconds(to)}.`);
  }
  return notes;
}

function quarter<T>(values: readonly T[], which: number): T[] {
  const size = values.length / 4;
  return values.slice(Math.floor(which * size), Math.floor((which + 1) * size));
}
