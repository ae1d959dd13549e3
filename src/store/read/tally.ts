// Count over several filters, the reader of a COUNT.

import { element } from '../../lib/assert.ts';
import { type Entry, newestFirst } from './entry.ts';
import { type IndexName, indexOfAll } from './index-name.ts';
import { AGAIN, type Again, type Budget, type FilterScan } from './scan.ts';

/**
 * Number of events that match at least one of several filters (COUNT, NIP-45). The filters are read
 * side by side in the order of the index, so that an event that several of them find is counted
 * once without keeping the counted ones.
 */
export class Tally {
  count = 0;
  readonly #scans: readonly FilterScan[];
  /** Next match of each scan; undefined: not read yet, null: at its end. */
  readonly #heads: (Entry | null | undefined)[];

  constructor(scans: readonly FilterScan[]) {
    this.#scans = scans;
    this.#heads = scans.map(() => undefined);
  }

  get index(): IndexName {
    return indexOfAll(this.#scans.map(({ index }) => index));
  }

  get mayHide(): boolean {
    return this.#scans.some(({ mayHide }) => mayHide);
  }

  /** Bytes that it holds, estimated. */
  get held(): number {
    return this.#scans.reduce((sum, { held }) => sum + held, 0);
  }

  /** Goes on counting; returns AGAIN when the budget is used up, null at the end. */
  next(budget: Budget): Again | null {
    const heads = this.#heads;
    for (;;) {
      let newest: Entry | null = null;
      for (let i = 0; i < heads.length; i++) {
        if (heads[i] === undefined) {
          const entry = element(this.#scans[i]).entry(budget);
          if (entry === AGAIN) return AGAIN;
          heads[i] = entry;
        }
        const head = element(heads[i]);
        if (head !== null && (newest === null || newestFirst(head, newest) < 0)) newest = head;
      }
      if (newest === null) return null;
      this.count++;
      const { seq } = newest;
      for (let i = 0; i < heads.length; i++) if (heads[i]?.seq === seq) heads[i] = undefined;
    }
  }
}
