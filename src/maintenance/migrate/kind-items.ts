// Kinds in lists of other relays, as items of options of wok.

import type { Translator } from './translation.ts';

/** Largest kind of NIP-01. */
const KIND_MAX = 65_535;

/**
 * Returns the items of a list of kinds, like `1` or `20000-29999`, for an option of wok: numbers,
 * and pairs of the first and the last one. Numbers in a row become a range. What is beyond the
 * kinds of NIP-01 is left out, with a remark.
 */
export function kindItems(value: unknown, into: Translator): string[] {
  const ranges = (Array.isArray(value) ? value : [value]).map(rangeOf);
  const good = ranges.filter((range) => range !== undefined);
  if (good.length < ranges.length) {
    into.note(`kinds end at ${KIND_MAX}; wok refuses events of larger ones in any case.`);
  }
  good.sort(([a], [b]) => a - b);
  const joined: [first: number, last: number][] = [];
  for (const [first, last] of good) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined.flatMap(([first, last]) => {
    if (last - first >= 2) return [`${first}-${last}`];
    return first === last ? [`${first}`] : [`${first}`, `${last}`];
  });
}

/** Returns the first and last kind of `7` or `[20000, 29999]`; undefined if there is none. */
function rangeOf(item: unknown): [first: number, last: number] | undefined {
  const [first, last] = (Array.isArray(item) ? item : [item, item]) as unknown[];
  if (typeof first !== 'number' || typeof last !== 'number') return undefined;
  return first >= 0 && first <= last && first <= KIND_MAX
    ? [first, Math.min(last, KIND_MAX)]
    : undefined;
}
