// Bounds between ranges of events, in the order of the negentropy protocol: by created_at, then by
// id.

/** Bytes of an event id. */
export const ID_BYTES = 32;

/** Item of a set: an event. */
export interface Item {
  /** `created_at`. */
  readonly time: number;
  /** 32 bytes. */
  readonly id: Uint8Array;
}

/** Bound of a range: the range before it ends below, the one after it begins with it. */
export interface Bound {
  /** `created_at`; Infinity: the end of everything. */
  readonly time: number;
  /** First bytes of an id, up to 32; the rest is zeros. */
  readonly prefix: Uint8Array;
}

const NO_PREFIX = new Uint8Array(0);

/** Bound above all events. */
export const END: Bound = { time: Number.POSITIVE_INFINITY, prefix: NO_PREFIX };

/** Returns the bound before all events of a second. */
export function boundAt(time: number): Bound {
  return { time, prefix: NO_PREFIX };
}

/**
 * Compares an item, or another bound, with a bound: negative, if it is below. Ids are compared byte
 * by byte, prefixes as if zeros followed.
 *
 * @param ids memory of the id or prefix, from `at` on.
 */
export function compareToBound(time: number, ids: Uint8Array, at: number, bound: Bound): number {
  if (time !== bound.time) return time < bound.time ? -1 : 1;
  const { prefix } = bound;
  for (let n = 0; n < ID_BYTES; n++) {
    const difference = (ids[at + n] ?? 0) - (prefix[n] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Returns the shortest bound that is above an item and not above the next one. */
export function boundBetween(before: Item, next: Item): Bound {
  if (before.time !== next.time) return boundAt(next.time);
  let equal = 0;
  while (equal < ID_BYTES - 1 && before.id[equal] === next.id[equal]) equal++;
  return { time: next.time, prefix: next.id.slice(0, equal + 1) };
}
