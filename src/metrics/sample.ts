// Samples of metrics, and the rates and quantiles between two samples, for pages and `wok top`.

import { element } from '../lib/assert.ts';
import type { MetricsMemory } from './memory.ts';
import { quantileOf } from './quantile.ts';
import { readSeries } from './render.ts';
import { type LabelName, type MetricName, metricOf } from './table.ts';

/** Series by the name of their metric; a histogram's values are its buckets, +Inf, and the sum. */
export type Figures = Record<
  string,
  { labels: Readonly<Record<string, string>>; values: number[] }[]
>;

/** Returns the current values of these metrics. */
export function readFigures(memory: MetricsMemory, names: readonly MetricName[]): Figures {
  return Object.fromEntries(
    names.map((name) => [
      name,
      readSeries(memory, name).map(({ labels, values }) => ({ labels, values: [...values] })),
    ]),
  );
}

type Wanted = Readonly<Record<string, string>>;

/** Sample of metrics at one moment. */
export interface MetricsSample {
  /** Milliseconds since 1970. */
  at: number;
  figures: Figures;
}

/** Difference between two samples of a relay. */
export class MetricsDelta {
  readonly seconds: number;
  readonly #before: Figures;
  readonly #now: Figures;

  constructor(before: MetricsSample, now: MetricsSample) {
    this.seconds = (now.at - before.at) / 1000;
    this.#before = before.figures;
    this.#now = now.figures;
  }

  /**
   * Returns a gauge, or a counter since the start: the sum of all series that have these labels.
   */
  value(name: MetricName, wanted: Wanted = {}): number {
    return sum(this.#now, name, wanted)[0] ?? 0;
  }

  /** Returns the rates of a counter by one of its labels, without those that are 0. */
  rates<Name extends MetricName>(name: Name, label: LabelName<Name>): Record<string, number> {
    const before = sumsBy(this.#before, name, label);
    const found: Record<string, number> = {};
    for (const [value, sum] of sumsBy(this.#now, name, label)) {
      const rate = (sum - (before.get(value) ?? 0)) / this.seconds;
      if (rate > 0) found[value] = rate;
    }
    return found;
  }

  /** Returns the growth of a counter per second. */
  rate(name: MetricName, wanted: Wanted = {}): number {
    return (this.#grown(name, wanted)[0] ?? 0) / this.seconds;
  }

  /** Returns observations per second, mean and quantiles of a histogram, in its buckets' unit. */
  timing(name: MetricName, wanted: Wanted = {}): Timing {
    const metric = metricOf(name);
    const buckets = metric.type === 'histogram' ? metric.buckets : [];
    const grown = this.#grown(name, wanted);
    const count = grown.slice(0, buckets.length + 1).reduce((total, one) => total + one, 0);
    return {
      rate: count / this.seconds,
      mean: count === 0 ? null : element(grown[buckets.length + 1]) / count,
      p50: quantileOf(0.5, grown, buckets),
      p95: quantileOf(0.95, grown, buckets),
      p99: quantileOf(0.99, grown, buckets),
    };
  }

  /** Returns the values of a label that occur in the series that have these labels. */
  labels<Name extends MetricName>(
    name: Name,
    label: LabelName<Name>,
    wanted: Wanted = {},
  ): string[] {
    const found = (this.#now[name] ?? []).filter(({ labels }) => has(labels, wanted));
    return [...new Set(found.map(({ labels }) => labels[label] ?? ''))];
  }

  #grown(name: MetricName, wanted: Wanted): number[] {
    const before = sum(this.#before, name, wanted);
    return sum(this.#now, name, wanted).map((value, i) => value - (before[i] ?? 0));
  }
}

/** Observations between two samples; null where there were none. */
export interface Timing {
  rate: number;
  mean: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

function has(labels: Wanted, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

/** Returns the sums of all series by the value of one of their labels. */
function sumsBy(figures: Figures, name: MetricName, label: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { labels, values } of figures[name] ?? []) {
    const value = labels[label] ?? '';
    sums.set(value, (sums.get(value) ?? 0) + element(values[0]));
  }
  return sums;
}

function sum(figures: Figures, name: MetricName, wanted: Wanted): number[] {
  const total: number[] = [];
  for (const { labels, values } of figures[name] ?? []) {
    if (!has(labels, wanted)) continue;
    values.forEach((value, i) => {
      total[i] = (total[i] ?? 0) + value;
    });
  }
  return total;
}
