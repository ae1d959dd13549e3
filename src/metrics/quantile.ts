// Quantiles of histograms.

import { element } from '../lib/assert.ts';

/**
 * Returns the quantile `share` (0 to 1) of a histogram, interpolated linearly within buckets like
 * Prometheus' histogram_quantile; null when it is empty. `counts` are the buckets, with the
 * overflow bucket last; a quantile in that one is reported as the highest bound.
 */
export function quantileOf(
  share: number,
  counts: readonly number[],
  bounds: readonly number[],
): number | null {
  let total = 0;
  for (let i = 0; i <= bounds.length; i++) total += counts[i] ?? 0;
  if (total <= 0) return null;
  const rank = share * total;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    const here = counts[i] ?? 0;
    if (below + here >= rank) {
      const low = i === 0 ? 0 : element(bounds[i - 1]);
      return here === 0 ? low : low + ((rank - below) / here) * (element(bounds[i]) - low);
    }
    below += here;
  }
  return bounds.at(-1) ?? null;
}
