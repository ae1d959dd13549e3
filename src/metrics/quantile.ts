/**
 * The value below which a share of what a histogram holds lies, by straight lines within buckets as
 * Prometheus' histogram_quantile draws them; null when it holds nothing. `counts` are the buckets, and
 * what lies beyond them last; then the highest bound is as much as one can tell.
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
    const here = counts[i]!;
    if (below + here >= rank) {
      const low = i === 0 ? 0 : bounds[i - 1]!;
      return here === 0 ? low : low + ((rank - below) / here) * (bounds[i]! - low);
    }
    below += here;
  }
  return bounds.at(-1)!;
}
