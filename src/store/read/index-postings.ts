// Pages of the posting lists in the on-disk index. Its statements belong to one connection.

import { element } from '../../lib/assert.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import { type Direction, type Entry, endOfSecond, startOfSecond } from './entry.ts';

type PostingRow = [createdAt: number, seq: number, kind: number];

/** Posting of several lists that are read one after the other. */
interface PostingOfTerm {
  term: number;
  created_at: number;
  seq: number;
  kind: number;
}

/**
 * Posting lists of the index, oldest or newest first, a page at a time. A page is one statement
 * that has ended when it returns: other statements may run before the next page, and no snapshot is
 * held in between unless the caller has begun a transaction.
 */
export class IndexPostings {
  readonly #direction: Direction;
  readonly #page;

  constructor(db: Db, direction: Direction) {
    this.#direction = direction;
    const text = direction === 'upwards' ? sql.SELECT_POSTINGS_UPWARDS : sql.SELECT_POSTINGS;
    this.#page = db.prepare(text).raw();
  }

  /**
   * Returns the entries of a term's list after (createdAt, seq), up to the second `last`, which is
   * included; at most `rows`.
   */
  postings(term: number, createdAt: number, seq: number, last: number, rows: number): Entry[] {
    const found = this.#page.all(term, createdAt, seq, last, rows) as PostingRow[];
    const entries = new Array<Entry>(found.length);
    for (let i = 0; i < found.length; i++) {
      const row = element(found[i]);
      entries[i] = { createdAt: row[0], seq: row[1], kind: row[2] };
    }
    return entries;
  }

  /** Keeps no heads of lists. */
  newest(): null {
    return null;
  }

  /** Yields the pages of a whole list, up to the second `last`. */
  *pages(term: number, last: number, rows: number): Generator<readonly Entry[]> {
    let { createdAt, seq } =
      this.#direction === 'upwards' ? startOfSecond(0) : endOfSecond(Number.MAX_SAFE_INTEGER);
    for (;;) {
      const page = this.postings(term, createdAt, seq, last, rows);
      if (page.length > 0) yield page;
      if (page.length < rows) return;
      ({ createdAt, seq } = element(page.at(-1)));
    }
  }
}

/** Yields the postings of the terms in [first, end), list by list, in pages as above. */
export function* pagesOfLists(
  db: Db,
  { first, end }: { first: number; end: number },
  rows: number,
): Generator<readonly PostingOfTerm[]> {
  const statement = db.prepare(sql.SELECT_POSTINGS_IN_ORDER);
  let last = { term: first, created_at: -1, seq: -1 };
  for (;;) {
    const page = statement.all(last.term, last.created_at, last.seq, end, rows) as PostingOfTerm[];
    if (page.length > 0) yield page;
    if (page.length < rows) return;
    last = element(page.at(-1));
  }
}
