// Ordered union of two sets of events, without copying the larger one.

import { element } from '../lib/assert.ts';
import { type Bound, boundAt, ID_BYTES, type Item } from './bound.ts';
import type { IdSet } from './id-set.ts';
import type { IdSum } from './sums.ts';

/** Ordered set of events, read by index: what both sides of the protocol need of one. */
export type Items = Pick<IdSet, 'size' | 'below' | 'at' | 'addTo' | 'copyIds'>;

/**
 * Union of a large set and a small one that have no event in common and do not change while it is
 * used: public events, and the private ones of one reader. It keeps the index in the union of each
 * event of the small one.
 */
export class MergedSet implements Items {
  readonly #large: IdSet;
  readonly #small: IdSet;
  readonly #ranks: Float64Array;

  constructor(large: IdSet, small: IdSet) {
    this.#large = large;
    this.#small = small;
    this.#ranks = new Float64Array(small.size);
    for (let at = 0; at < small.size; at++) {
      const { time, id } = small.at(at);
      this.#ranks[at] = at + large.below({ time, prefix: id });
    }
  }

  get size(): number {
    return this.#large.size + this.#small.size;
  }

  below(bound: Bound): number {
    return this.#large.below(bound) + this.#small.below(bound);
  }

  /** Returns the indexes of the items from second `since` to second `until`, both included. */
  between(since: number | null, until: number | null): [from: number, to: number] {
    const from = since === null ? 0 : this.below(boundAt(since));
    const to = until === null ? this.size : this.below(boundAt(until + 1));
    return [from, Math.max(from, to)];
  }

  at(index: number): Item {
    const before = this.#smallBefore(index);
    return this.#ranks[before] === index ? this.#small.at(before) : this.#large.at(index - before);
  }

  addTo(sum: IdSum, from: number, to: number): void {
    const [first, last] = [this.#smallBefore(from), this.#smallBefore(to)];
    this.#small.addTo(sum, first, last);
    this.#large.addTo(sum, from - first, to - last);
  }

  copyIds(from: number, to: number, target: Uint8Array, targetAt: number): void {
    let at = from;
    for (let next = this.#smallBefore(from); at < to; next++) {
      const rank = next < this.#small.size ? element(this.#ranks[next]) : to;
      const end = Math.min(rank, to);
      this.#large.copyIds(at - next, end - next, target, targetAt + (at - from) * ID_BYTES);
      if (rank >= to) return;
      this.#small.copyIds(next, next + 1, target, targetAt + (rank - from) * ID_BYTES);
      at = rank + 1;
    }
  }

  /** Returns the number of events of the small set before an index of the union. */
  #smallBefore(index: number): number {
    let low = 0;
    let high = this.#ranks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (element(this.#ranks[middle]) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
