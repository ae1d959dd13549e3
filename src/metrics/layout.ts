import { type MetricName, metricNames, metricOf, metrics } from './table.ts';
import type { Labels, LabelsOf } from './types.ts';

/** Where the series of a metric stand in a lane's memory. */
export interface Place {
  /** The first cell. */
  readonly start: number;
  /** Cells of one series: 1, or for a histogram its buckets, the one beyond them, and the sum. */
  readonly width: number;
  /** Every combination of label values, in the order of their cells. */
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

/** Cells of one lane, rounded up so that no two lanes share a cache line. */
export const LANE_CELLS = Math.ceil(cells / 8) * 8;

/** Where a metric stands. */
export function placeOf(name: MetricName): Place {
  return places.get(name)!;
}

type NamesOf<Type extends string> = {
  [Name in MetricName]: (typeof metrics)[Name] extends { type: Type } ? Name : never;
}[MetricName];

type Arguments<Name extends MetricName> = (typeof metrics)[Name] extends { labels: Labels }
  ? [labels: LabelsOf<(typeof metrics)[Name]>]
  : [];

/** The cell of one series of a counter or gauge; look it up once, not for every event. */
export function cellOf<Name extends NamesOf<'counter' | 'gauge'>>(
  name: Name,
  ...[labels]: Arguments<Name>
): number {
  return firstCell(name, labels ?? {});
}

/** One series of a histogram. */
export interface HistogramCells {
  readonly start: number;
  readonly buckets: readonly number[];
}

/** The cells of one series of a histogram; look them up once. */
export function histogramOf<Name extends NamesOf<'histogram'>>(
  name: Name,
  ...[labels]: Arguments<Name>
): HistogramCells {
  return { start: firstCell(name, labels ?? {}), buckets: metrics[name].buckets };
}

/**
 * The cells (or histograms) for every value of the last label that is left open:
 * `byLabel(VERBS, (verb) => cellOf('wok_messages_received_total', { verb }))`.
 */
export function byLabel<Value extends string, Found>(
  values: readonly Value[],
  find: (value: Value) => Found,
): Readonly<Record<Value, Found>> {
  return Object.fromEntries(values.map((value) => [value, find(value)])) as Record<Value, Found>;
}

function firstCell(name: MetricName, labels: Readonly<Record<string, string>>): number {
  const { start, width } = placeOf(name);
  let at = 0;
  for (const [label, values] of Object.entries(metricOf(name).labels ?? {})) {
    const index = values.indexOf(labels[label]!);
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
