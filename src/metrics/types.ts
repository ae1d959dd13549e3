/** The stations that count, in the order of the data path, and the admin room beside it. */
export const countingStations = [
  'io',
  'ingester',
  'writer',
  'query',
  'monitor',
  'sync',
  'plugins',
  'plugins',
  'admin',
] as const;
export type CountingStation = (typeof countingStations)[number];

/** Label names, each with every value that it can have: so the number of series is known. */
export type Labels = Readonly<Record<string, readonly string[]>>;

interface MetricBase {
  /** One sentence for operators; becomes `# HELP`. */
  readonly help: string;
  /** Who counts it. */
  readonly by: readonly CountingStation[];
  readonly labels?: Labels;
  /**
   * `lane`: one series a lane, with the labels `station` and `lane`. Otherwise the lanes' values are
   * added up.
   */
  readonly per?: 'lane';
}

export interface Counter extends MetricBase {
  readonly type: 'counter';
}

export interface Gauge extends MetricBase {
  readonly type: 'gauge';
}

export interface Histogram extends MetricBase {
  readonly type: 'histogram';
  /** Upper bounds, ascending; +Inf comes by itself. */
  readonly buckets: readonly number[];
}

/** One row of the table of metrics. */
export type Metric = Counter | Gauge | Histogram;

/** `{ verb: 'EVENT', … }`: one value for each label of a metric. */
export type LabelsOf<M> = M extends { labels: infer L extends Labels }
  ? { readonly [Name in keyof L]: L[Name][number] }
  : Record<string, never>;
