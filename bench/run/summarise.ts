// Figures of a case, from the reports of its threads and the samples of the relay.

import { availableParallelism } from 'node:os';
import { type Histogram, type HistogramData, sumOf } from '../figures/histogram.ts';
import type { ActionData, TallyData } from '../load/tally.ts';
import type { ActionResult, CaseResult, ClientUse, RelayUse, Series } from '../report/result.ts';
import type { Case } from '../scenarios/scenario.ts';
import type { Measurement } from './measure.ts';
import { BUSY_SHARE, notesOf, trendNotes } from './notes.ts';
import type { ReadBack } from './read-back.ts';

const LATE_MILLISECONDS = 10;
/** Shares of the latency chart, dense in the tail. */
const CURVE_SHARES = [
  ...Array.from({ length: 19 }, (_, at) => (at + 1) * 0.05),
  0.96,
  0.97,
  0.98,
  0.985,
  0.99,
  0.9925,
  0.995,
  0.9975,
  0.999,
  0.9995,
  0.9999,
  1,
];

/** Turns a measurement into figures. */
export function summarise(
  scenario: string,
  of: Case,
  measurement: Measurement,
  { readBack, interrupted }: { readBack: ReadBack | undefined; interrupted: boolean },
): CaseResult {
  const { reports, measureFrom, endedAt } = measurement;
  const tallies = reports.map(({ tally }) => tally);
  const names = new Set(tallies.flatMap(({ actions }) => Object.keys(actions)));
  const head = gathered(tallies, of.headline);
  // Unless the warm-up ended there is no measurement, only the counts of the threads.
  const wasMeasured = measureFrom < Number.POSITIVE_INFINITY;
  const endsByItself = of.parts.some(
    (part) => (part.part === 'publish' || part.part === 'connect') && part.rate === undefined,
  );
  const until = endsByItself ? head.lastAt : Math.max(head.lastAt, endedAt);
  const seconds = wasMeasured ? Math.max((until - measureFrom) / 1000, 0.001) : 0;
  const wrong = addUp(tallies.map((tally) => tally.wrong));
  const examples = tallies.flatMap((tally) => tally.examples).slice(0, 5);
  const counts = addUp(tallies.map((tally) => tally.counts));
  for (const { kind, example } of readBack?.faults ?? []) {
    wrong[kind] = (wrong[kind] ?? 0) + 1;
    if (examples.length < 5) examples.push(`${kind}: ${example}`);
  }
  if (readBack !== undefined) counts['read back'] = readBack.checked;
  const isPaced = of.parts.some((part) => part.part !== 'subscribe' && part.rate !== undefined);
  const client = clientUse(measurement, isPaced);
  const relay = relayUse(of, measurement, head.measured);
  // The last interval is seldom a whole one.
  const whole = Math.floor((until - measurement.goAt) / measurement.intervalMilliseconds);
  const series = seriesOf(measurement, head.intervals.slice(0, Math.max(whole, 1)));
  return {
    scenario,
    name: of.name,
    unit: of.unit,
    headline: of.headline,
    ok: Object.keys(wrong).length === 0 && (head.measured > 0 || interrupted),
    interrupted,
    seconds,
    done: head.measured,
    perSecond: seconds === 0 ? 0 : head.measured / seconds,
    latencyFrom: isPaced ? 'the moment it was due' : 'sending',
    latency: head.latency.percentiles(),
    actions: [...names].sort().map((name) => actionResult(name, gathered(tallies, name), seconds)),
    errors: addUp(tallies.map((tally) => tally.errors)),
    wrong,
    examples,
    counts,
    bytesIn: reports.reduce((sum, report) => sum + report.bytesIn, 0),
    bytesOut: reports.reduce((sum, report) => sum + report.bytesOut, 0),
    ...(relay === undefined ? {} : { relay }),
    client,
    ...(measurement.machine === undefined
      ? {}
      : { machine: { cores: availableParallelism(), ...measurement.machine } }),
    series,
    curve: CURVE_SHARES.map((share) => [share, head.latency.quantile(share) / 1000] as const),
    notes: [
      ...notesOf(measurement, client, relay, wasMeasured),
      ...(of.trend === true ? trendNotes(series) : []),
    ],
  };
}

interface Gathered {
  latency: Histogram;
  done: number;
  measured: number;
  items: number;
  lastAt: number;
  intervals: Histogram[];
}

/** Returns the sum of one action over all threads. */
function gathered(tallies: readonly TallyData[], name: string): Gathered {
  const parts = tallies
    .map(({ actions }) => actions[name])
    .filter((action): action is ActionData => action !== undefined);
  const length = Math.max(0, ...parts.map(({ intervals }) => intervals.length));
  return {
    latency: sumOf(parts.map(({ latency }) => latency)),
    done: sum(parts.map(({ done }) => done)),
    measured: sum(parts.map(({ measured }) => measured)),
    items: sum(parts.map(({ items }) => items)),
    lastAt: Math.max(0, ...parts.map(({ lastAt }) => lastAt)),
    intervals: Array.from({ length }, (_, at) =>
      sumOf(
        parts
          .map(({ intervals }) => intervals[at])
          .filter((interval): interval is HistogramData => interval !== undefined),
      ),
    ),
  };
}

function actionResult(name: string, of: Gathered, seconds: number): ActionResult {
  return {
    name,
    done: of.measured,
    perSecond: seconds === 0 ? 0 : of.measured / seconds,
    latency: of.latency.percentiles(),
    itemsPerAnswer: of.measured === 0 ? 0 : of.items / of.measured,
  };
}

function relayUse(
  of: Case,
  { before, start, end, settled, samples, measureFrom }: Measurement,
  units: number,
): RelayUse | undefined {
  if (before === undefined || start === undefined || end === undefined || settled === undefined) {
    return undefined;
  }
  const written =
    settled.diskBytes === undefined || start.diskBytes === undefined
      ? undefined
      : settled.diskBytes - start.diskBytes;
  const count = Math.max(units, 1);
  const connections = sum(of.parts.map((part) => (part.part === 'connect' ? part.connections : 0)));
  const seconds = Math.max((end.at - Math.max(start.at, measureFrom)) / 1000, 0.001);
  return {
    cpuMicrosecondsPerUnit: ((settled.cpuSeconds - start.cpuSeconds) * 1e6) / count,
    cores: (end.cpuSeconds - start.cpuSeconds) / seconds,
    rssStartBytes: before.rssBytes,
    rssEndBytes: end.rssBytes,
    rssPeakBytes: Math.max(end.rssBytes, ...samples.map(({ rssBytes }) => rssBytes)),
    settleSeconds: (settled.at - end.at) / 1000,
    ...(written === undefined ? {} : { diskBytesPerUnit: written / count }),
    ...(of.memoryPerConnection === true && connections > 0
      ? { bytesPerConnection: (end.rssBytes - before.rssBytes) / connections }
      : {}),
  };
}

function clientUse({ reports, clientCores }: Measurement, isPaced: boolean): ClientUse {
  const cpuShare = Math.max(...reports.map((report) => report.cpuShare));
  const loopShare = Math.max(...reports.map((report) => report.loopShare));
  const lag = sumOf(reports.map((report) => report.lag));
  const lagP99 = lag.quantile(0.99) / 1000;
  return {
    threads: reports.length,
    cpuShare,
    loopShare,
    cores: clientCores,
    ...(isPaced ? { lagP99 } : {}),
    isBottleneck: cpuShare > BUSY_SHARE,
    isLate: isPaced && lagP99 > LATE_MILLISECONDS,
  };
}

function seriesOf(
  { goAt, measureFrom, intervalMilliseconds, samples }: Measurement,
  intervals: readonly Histogram[],
): Series {
  const at = (share: number) => intervals.map((interval) => interval.quantile(share) / 1000);
  return {
    intervalSeconds: intervalMilliseconds / 1000,
    warmupSeconds: Number.isFinite(measureFrom) ? (measureFrom - goAt) / 1000 : 0,
    perSecond: intervals.map(({ count }) => (count * 1000) / intervalMilliseconds),
    p50: at(0.5),
    p99: at(0.99),
    rss: samples.map((sample) => ({ seconds: (sample.at - goAt) / 1000, bytes: sample.rssBytes })),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function addUp(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) total[key] = (total[key] ?? 0) + value;
  }
  return total;
}
