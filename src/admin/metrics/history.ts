// History of the last hour for charts: a ring of samples of each series. Owned by the admin worker.

import type { MetricsMemory } from '../../metrics/memory.ts';
import { quantileOf } from '../../metrics/quantile.ts';
import { readSeries } from '../../metrics/render.ts';
import { type LabelName, type MetricName, metricOf } from '../../metrics/table.ts';

/** Interval of the samples. */
export const SAMPLE_SECONDS = 5;
/** Number of samples in one hour. */
export const HISTORY_SAMPLES = 3600 / SAMPLE_SECONDS;

type Wanted = Readonly<Record<string, string>>;

/** Rule by which a series is derived from the metrics. */
type Source =
  | { of: 'value'; name: MetricName; wanted?: Wanted }
  | { of: 'largest'; name: MetricName; wanted?: Wanted }
  | { of: 'rate'; name: MetricName; wanted?: readonly Wanted[] }
  | { of: 'quantile'; name: MetricName; share: number };

/** `Source` whose labels are labels of its metric, so that a wrong one does not compile. */
type CheckedSource = {
  [Name in MetricName]:
    | { of: 'value' | 'largest'; name: Name; wanted?: LabelValues<Name> }
    | { of: 'rate'; name: Name; wanted?: readonly LabelValues<Name>[] }
    | { of: 'quantile'; name: Name; share: number };
}[MetricName];

type LabelValues<Name extends MetricName> = Readonly<Partial<Record<LabelName<Name>, string>>>;

const ACCEPTED = [{ outcome: 'stored' }, { outcome: 'passed' }] as const;
const REFUSED = [{ outcome: 'refused' }, { outcome: 'failed' }] as const;

/** Recorded series: rates a second, latencies and lags in seconds, CPUs busy, memory in bytes. */
const SERIES = {
  connections: { of: 'value', name: 'wok_connections' },
  subscriptions: { of: 'value', name: 'wok_subscriptions' },
  accepted: { of: 'rate', name: 'wok_events_total', wanted: ACCEPTED },
  refused: { of: 'rate', name: 'wok_events_total', wanted: REFUSED },
  queries: { of: 'rate', name: 'wok_messages_received_total', wanted: [{ type: 'REQ' }] },
  deliveries: { of: 'rate', name: 'wok_deliveries_total' },
  storedSent: { of: 'rate', name: 'wok_query_events_total' },
  bytesIn: { of: 'rate', name: 'wok_received_bytes_total' },
  bytesOut: { of: 'rate', name: 'wok_sent_bytes_total' },
  okP50: { of: 'quantile', name: 'wok_ok_seconds', share: 0.5 },
  okP99: { of: 'quantile', name: 'wok_ok_seconds', share: 0.99 },
  eoseP50: { of: 'quantile', name: 'wok_eose_seconds', share: 0.5 },
  eoseP99: { of: 'quantile', name: 'wok_eose_seconds', share: 0.99 },
  liveP99: { of: 'quantile', name: 'wok_live_seconds', share: 0.99 },
  commitP99: { of: 'quantile', name: 'wok_writer_commit_seconds', share: 0.99 },
  cpu: { of: 'rate', name: 'process_cpu_seconds_total' },
  memory: { of: 'value', name: 'process_resident_memory_bytes' },
  lag: { of: 'largest', name: 'wok_event_loop_lag_seconds', wanted: { statistic: 'p99' } },
  database: { of: 'value', name: 'wok_database_bytes' },
  diskFree: { of: 'value', name: 'wok_disk_free_bytes' },
} as const satisfies Record<string, CheckedSource>;

export type SeriesName = keyof typeof SERIES;

/** Names of all series. */
export const seriesNames = Object.keys(SERIES) as readonly SeriesName[];

/** Samples of some series, oldest first; all columns are as long as `at`. */
interface Samples {
  /** Seconds since 1970. */
  at: number[];
  /** Null if there was nothing to measure. */
  series: Partial<Record<SeriesName, (number | null)[]>>;
}

/**
 * Samples of the last hour of each series, in rings of `HISTORY_SAMPLES` values of 8 bytes. The
 * first sample is only the base of the rates.
 */
export class History {
  readonly #memory: MetricsMemory;
  readonly #at = new Float64Array(HISTORY_SAMPLES);
  readonly #rings = new Map<SeriesName, Float64Array>();
  /** Values of counters and buckets at the previous sample. */
  readonly #before = new Map<SeriesName, readonly number[]>();
  #beforeAt = 0;
  #taken = 0;

  constructor(memory: MetricsMemory) {
    this.#memory = memory;
    for (const name of seriesNames) this.#rings.set(name, new Float64Array(HISTORY_SAMPLES));
  }

  /** Number of samples, at most `HISTORY_SAMPLES`. */
  get length(): number {
    return Math.min(this.#taken, HISTORY_SAMPLES);
  }

  /** Takes a sample; `now` in milliseconds since 1970. Ignores a repeated `now`. */
  take(now: number): void {
    const seconds = (now - this.#beforeAt) / 1000;
    if (seconds <= 0) return;
    const isFirst = this.#beforeAt === 0;
    const at = this.#taken % HISTORY_SAMPLES;
    for (const name of seriesNames) {
      const value = this.#value(name, seconds);
      if (!isFirst) this.#rings.get(name)![at] = value;
    }
    this.#beforeAt = now;
    if (isFirst) return;
    this.#at[at] = now / 1000;
    this.#taken++;
  }

  /** Returns the number of samples later than a time in milliseconds since 1970. */
  countSince(milliseconds: number): number {
    let count = 0;
    while (count < this.length) {
      const at = this.#at[(this.#taken - 1 - count) % HISTORY_SAMPLES]!;
      if (Math.round(at * 1000) <= milliseconds) break;
      count++;
    }
    return count;
  }

  /** Returns these series, at most the newest `max` samples. */
  read(names: readonly SeriesName[] = seriesNames, max = HISTORY_SAMPLES): Samples {
    const count = Math.min(this.length, max);
    const places = Array.from(
      { length: count },
      (_, i) => (this.#taken - count + i) % HISTORY_SAMPLES,
    );
    const series: Samples['series'] = {};
    for (const name of names) {
      const ring = this.#rings.get(name)!;
      series[name] = places.map((place) => (Number.isNaN(ring[place]) ? null : ring[place]!));
    }
    return { at: places.map((place) => this.#at[place]!), series };
  }

  #value(name: SeriesName, seconds: number): number {
    const source: Source = SERIES[name];
    if (source.of === 'value') return sum(this.#memory, source.name, [source.wanted ?? {}])[0]!;
    if (source.of === 'largest') {
      const found = readSeries(this.#memory, source.name).filter(has(source.wanted ?? {}));
      return Math.max(0, ...found.map(({ values }) => values[0]!));
    }
    const wanted = source.of === 'rate' ? (source.wanted ?? [{}]) : [{}];
    const now = sum(this.#memory, source.name, wanted);
    const before = this.#before.get(name);
    this.#before.set(name, now);
    const grown = now.map((value, i) => value - (before?.[i] ?? 0));
    if (source.of === 'rate') return Math.max(0, grown[0]! / seconds);
    const metric = metricOf(source.name);
    const bounds = metric.type === 'histogram' ? metric.buckets : [];
    return quantileOf(source.share, grown, bounds) ?? Number.NaN;
  }
}

function has(wanted: Wanted): (series: { labels: Wanted }) => boolean {
  return ({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

/** Returns the sum of all series that match one of these sets of labels. */
function sum(memory: MetricsMemory, name: MetricName, wanted: readonly Wanted[]): number[] {
  const total: number[] = [];
  for (const series of readSeries(memory, name)) {
    if (!wanted.some((labels) => has(labels)(series))) continue;
    series.values.forEach((value, i) => {
      total[i] = (total[i] ?? 0) + value;
    });
  }
  return total.length === 0 ? [0] : total;
}
