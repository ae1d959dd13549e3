// Histogram of durations.

/** 128 buckets for each power of two: a recorded value is known to 0.8 %. */
const SUB_BITS = 7;
const SUB_COUNT = 1 << SUB_BITS;
/** Greatest value: whole microseconds below 2^31, about 35 minutes; longer ones count as that. */
const VALUE_MAX = 2 ** 31 - 1;
const BUCKETS = (31 - SUB_BITS) * SUB_COUNT + SUB_COUNT;

/**
 * Histogram in a form that is sent between threads and kept: only the buckets that are not empty.
 */
export interface HistogramData {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly buckets: Uint32Array;
  readonly counts: Uint32Array;
}

/** Figures of a report, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/**
 * Histogram of durations with buckets that grow with the value (log-linear, as in HdrHistogram):
 * constant memory, no sorting, and several can be added up without loss. Smallest and greatest
 * value and the mean are exact.
 */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** Greatest value, in microseconds. */
  get max(): number {
    return this.#max;
  }

  /** Average, in microseconds. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Counts a duration given in microseconds; below zero (a clock's rounding) counts as zero. */
  record(microseconds: number): void {
    const value = microseconds <= 0 ? 0 : Math.min(Math.round(microseconds), VALUE_MAX);
    this.#counts[bucketOf(value)]!++;
    this.#count++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  add({ count, sum, min, max, buckets, counts }: HistogramData): void {
    for (let i = 0; i < buckets.length; i++) this.#counts[buckets[i]!]! += counts[i]!;
    this.#count += count;
    this.#sum += sum;
    if (count > 0) {
      this.#min = Math.min(this.#min, min);
      this.#max = Math.max(this.#max, max);
    }
  }

  data(): HistogramData {
    const buckets = Uint32Array.from(this.#used());
    return {
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
      buckets,
      counts: buckets.map((bucket) => this.#counts[bucket]!),
    };
  }

  /**
   * Returns the value in microseconds that `share` (0 … 1) of all values do not exceed, by the
   * middle of its bucket; 0 if nothing was recorded.
   */
  quantile(share: number): number {
    if (this.#count === 0) return 0;
    const wanted = Math.max(Math.ceil(share * this.#count), 1);
    if (wanted >= this.#count) return this.#max;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted) return Math.min(Math.max(middleOf(bucket), this.#min), this.#max);
    }
    return this.#max;
  }

  percentiles(): Percentiles {
    const at = (share: number) => this.quantile(share) / 1000;
    return {
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      p999: at(0.999),
      max: this.#max / 1000,
      mean: this.mean / 1000,
    };
  }

  *#used(): Generator<number> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) if (this.#counts[bucket]! > 0) yield bucket;
  }
}

function bucketOf(value: number): number {
  if (value < SUB_COUNT) return value;
  const shift = 31 - SUB_BITS - Math.clz32(value);
  // The leading bit is implied, the next seven choose the bucket.
  return (shift + 1) * SUB_COUNT + ((value >>> shift) - SUB_COUNT);
}

function middleOf(bucket: number): number {
  if (bucket < SUB_COUNT) return bucket;
  const shift = (bucket >> SUB_BITS) - 1;
  const low = (SUB_COUNT + (bucket & (SUB_COUNT - 1))) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}

/** Returns the sum of several histograms. */
export function sumOf(parts: Iterable<HistogramData>): Histogram {
  const sum = new Histogram();
  for (const part of parts) sum.add(part);
  return sum;
}
