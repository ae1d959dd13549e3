// Median and its confidence interval.

import { Random } from '../dataset/random.ts';

/** Returns the median, 0 of no values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const RESAMPLES = 2000;

/**
 * Returns the 95 % confidence interval of the median by the bootstrap: the medians of as many
 * values drawn with replacement, over and over. The same values give the same interval.
 */
export function medianInterval(values: readonly number[]): readonly [low: number, high: number] {
  if (values.length === 0) return [0, 0];
  const random = new Random(values.length, 0x626f6f74);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(Array.from(values, () => random.pick(values))),
  ).sort((left, right) => left - right);
  return [medians[Math.floor(RESAMPLES * 0.025)]!, medians[Math.ceil(RESAMPLES * 0.975) - 1]!];
}
