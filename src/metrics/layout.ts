// Memory layout of the metrics: maps each series to cell numbers within the memory of one worker
// thread.

import { present } from '../lib/assert.ts';
import { type MetricName, metricNames, metricOf, metrics } from './table.ts';
import type { Labels, LabelsOf } from './types.ts';

/** Position of the series of a metric in the memory of a worker thread. */
interface Place {
  /** First cell. */
  readonly start: number;
  /** Cells of one series: 1, or for a histogram its buckets, the overflow bucket, and the sum. */
  readonly width: number;
  /** All combinations of label values, in the order of their cells. */
  readonly series: readonly Readonly<Record<string, string>>[];
}

const places = new Map<MetricName, Place>();
let cells = 0;
for (const name of metricNames) {
  const metric = metricOf(name);
  const width = metric.type === 'histogram' ? metric.buckets.length + 2 : 1;
  const series = combinations(metric.labels ?? {});
  places.set(name, { start: cells, width, series });
  cells += width * series.length;
}

/** Number of cells of one worker thread, rounded up so that no two threads share a cache line. */
export const WORKER_CELLS = Math.ceil(cells / 8) * 8;

/** Returns the position of a metric. */
export function placeOf(name: MetricName): Place {
  return present(places.get(name), 'place of a metric in the memory');
}

type NamesOf<Type extends string> = {
  [Name in MetricName]: (typeof metrics)[Name] extends { type: Type } ? Name : never;
}[MetricName];

type Arguments<Name extends MetricName> = (typeof metrics)[Name] extends { labels: Labels }
  ? [labels: LabelsOf<(typeof metrics)[Name]>]
  : [];

/**
 * Returns the cell of one series of a counter or gauge; to be looked up once, not for every event.
 */
export function cellOf<Name extends NamesOf<'counter' | 'gauge'>>(
  name: Name,
  ...[labels]: Arguments<Name>
): number {
  return firstCell(name, labels ?? {});
}

/** Cells of one series of a histogram: the first one, and the bounds of the buckets. */
export interface HistogramCells {
  readonly start: number;
  readonly buckets: readonly number[];
}

/** Returns the cells of one series of a histogram; to be looked up once. */
export function histogramOf<Name extends NamesOf<'histogram'>>(
  name: Name,
  ...[labels]: Arguments<Name>
): HistogramCells {
  return { start: firstCell(name, labels ?? {}), buckets: metrics[name].buckets };
}

/**
 * Returns the cells (or histograms) for every value of the last label that is left open:
 * `byLabel(TYPES, (type) => cellOf('wok_messages_received_total', { type }))`. The result has no
 * prototype, because clients choose some of the keys that are looked up in it.
 */
export function byLabel<Value extends string, Found>(
  values: readonly Value[],
  find: (value: Value) => Found,
): Readonly<Record<Value, Found>> {
  const found: Record<Value, Found> = Object.create(null);
  for (const value of values) found[value] = find(value);
  return found;
}

function firstCell(name: MetricName, labels: Readonly<Record<string, string>>): number {
  const { start, width } = placeOf(name);
  let at = 0;
  for (const [label, values] of Object.entries(metricOf(name).labels ?? {})) {
    const index = values.indexOf(labels[label] ?? '');
    if (index < 0) throw new Error(`${name} has no label ${label}="${labels[label]}"`);
    at = at * values.length + index;
  }
  return start + at * width;
}

function combinations(labels: Labels): Record<string, string>[] {
  let series: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    series = series.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  }
  return series;
}
