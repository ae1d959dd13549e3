// Count of the stored events by the index, in slices, for commands and the admin worker.

import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import { TERM_ALL } from '../index/terms.ts';

/** Number of index entries counted in one slice; takes about two milliseconds. */
const SLICE = 20_000;

interface Place {
  created_at: number;
  seq: number;
}

/**
 * One count of the stored events: entries of the list of all events in the index, plus events that
 * are not indexed yet, less events that are removed and still in the index. It reads some 15 bytes
 * an event instead of their bodies, with a snapshot a slice. Events that are removed during the
 * count may still be in the result.
 */
export class StoredCount {
  readonly #slice: number;
  readonly #statements;
  /** Runs all reads in one transaction, on one snapshot. */
  readonly #oneMoment: (work: () => number) => number;
  #at: Place = { created_at: Number.MIN_SAFE_INTEGER, seq: 0 };
  #counted = 0;

  /** Takes `slice`, the number of index entries counted at once. */
  constructor(db: Db, slice = SLICE) {
    this.#slice = slice;
    this.#statements = {
      heads: db.prepare(sql.SELECT_HEADS),
      slice: db.prepare(sql.SELECT_POSTING_BEHIND),
      rest: db.prepare(sql.COUNT_POSTINGS_BEHIND).pluck(),
      tail: db.prepare(sql.COUNT_LOG_BEHIND).pluck(),
      swept: db.prepare(sql.COUNT_SWEEPS).pluck(),
    };
    this.#oneMoment = db.transaction((work: () => number) => work());
  }

  /** Number of index entries counted so far. */
  get counted(): number {
    return this.#counted;
  }

  /** Counts one more slice; returns the number of stored events after the last, before it null. */
  step(): number | null {
    const { heads, slice, rest, tail, swept } = this.#statements;
    const { indexed } = heads.get() as { indexed: number };
    const place = [TERM_ALL, this.#at.created_at, this.#at.seq, indexed];
    const last = slice.get(...place, this.#slice - 1) as Place | undefined;
    if (last !== undefined) {
      this.#at = last;
      this.#counted += this.#slice;
      return null;
    }
    return this.#oneMoment(() => {
      const added = (rest.get(...place) as number) + (tail.get(indexed) as number);
      return this.#counted + added - (swept.get() as number);
    });
  }
}
