// Types of the metrics table.

/** Stations that count, in the order of the data path, then those beside it. */
export const countingStations = [
  'io',
  'ingester',
  'writer',
  'query',
  'monitor',
  'sync',
  'plugins',
  'peers',
  'admin',
] as const;
export type CountingStation = (typeof countingStations)[number];

/** Label names, each with all values that it can have, so that the number of series is known. */
export type Labels = Readonly<Record<string, readonly string[]>>;

interface MetricBase {
  /** One sentence for operators; becomes `# HELP`. */
  readonly help: string;
  /** Stations that count it. */
  readonly by: readonly CountingStation[];
  readonly labels?: Labels;
  /**
   * `worker`: one series for each worker, with the labels `station` and `worker`. Otherwise the
   * values of the workers are added up.
   */
  readonly per?: 'worker';
}

interface Counter extends MetricBase {
  readonly type: 'counter';
}

interface Gauge extends MetricBase {
  readonly type: 'gauge';
}

interface Histogram extends MetricBase {
  readonly type: 'histogram';
  /** Upper bounds, ascending; +Inf is implied. */
  readonly buckets: readonly number[];
}

/** Row of the table of metrics. */
export type Metric = Counter | Gauge | Histogram;

/** Value for each label of a metric, like `{ type: 'EVENT', … }`. */
export type LabelsOf<M> = M extends { labels: infer L extends Labels }
  ? { readonly [Name in keyof L]: L[Name][number] }
  : Record<string, never>;
