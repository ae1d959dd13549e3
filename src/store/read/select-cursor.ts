// Cursors over the index in order of time, oldest or newest first, for commands and the admin
// worker. They read a page at a time.

import { element, present } from '../../lib/assert.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';

/** Order of reading: `upwards` is oldest first, `downwards` newest first. */
export type Direction = 'upwards' | 'downwards';

/** Position in the order: by created_at, then by seq. */
export interface Place {
  createdAt: number;
  seq: number;
}

/** Entry of a posting list of the index. */
export interface Entry extends Place {
  /** Kind as stored in the index (`store/index/posting-kind.ts`). */
  kind: number;
}

interface Row {
  created_at: number;
  seq: number;
  kind: number;
}

/** Ordered sequence of entries, read a page at a time so that no snapshot is held for long. */
export interface Cursor {
  /** Current entry; null after the last. */
  readonly entry: Entry | null;
  advance(): void;
}

/** Cursor over the posting list of one term. */
export class TermCursor implements Cursor {
  readonly #read: (last: Entry) => Row[];
  #page: Row[] = [];
  #at = 0;
  #last: Entry;
  entry: Entry | null = null;

  constructor(
    db: Db,
    term: number,
    { since, until }: { since: number; until: number },
    direction: Direction,
    pageRows: number,
    /** Position after which to begin. */
    behind?: Place,
  ) {
    if (direction === 'upwards') {
      const statement = db.prepare(sql.SELECT_POSTINGS_UPWARDS);
      this.#last = later({ createdAt: since, seq: -1, kind: 0 }, behind, direction);
      this.#read = ({ createdAt, seq }) =>
        statement.all(term, createdAt, seq, until, pageRows) as Row[];
    } else {
      const statement = db.prepare(sql.SELECT_POSTINGS);
      this.#last = later(
        { createdAt: until, seq: Number.MAX_SAFE_INTEGER, kind: 0 },
        behind,
        direction,
      );
      this.#read = ({ createdAt, seq }) =>
        statement.all(term, createdAt, seq, since, pageRows) as Row[];
    }
    this.advance();
  }

  advance(): void {
    if (this.#at === this.#page.length) {
      this.#page = this.#read(this.#last);
      this.#at = 0;
    }
    const row = this.#page[this.#at++];
    if (row === undefined) this.entry = null;
    else {
      this.entry = { createdAt: row.created_at, seq: row.seq, kind: row.kind };
      this.#last = this.entry;
    }
  }
}

/**
 * Returns the later of the two positions at which reading may begin: that of the list and that
 * asked for.
 */
function later(start: Entry, behind: Place | undefined, direction: Direction): Entry {
  if (behind === undefined || before(behind, start, direction)) return start;
  return { ...behind, kind: 0 };
}

/** Cursor over entries that are in memory. */
export class ListCursor implements Cursor {
  readonly #entries: readonly Entry[];
  #at = 0;

  constructor(entries: Entry[], direction: Direction) {
    this.#entries = entries.sort((a, b) => (before(a, b, direction) ? -1 : 1));
  }

  get entry(): Entry | null {
    return this.#entries[this.#at] ?? null;
  }

  advance(): void {
    this.#at++;
  }
}

/** Returns true if `a` comes before `b`: by created_at, then by seq. */
export function before(a: Place, b: Place, direction: Direction): boolean {
  const [first, second] = direction === 'upwards' ? [a, b] : [b, a];
  return (
    first.createdAt < second.createdAt ||
    (first.createdAt === second.createdAt && first.seq < second.seq)
  );
}

/**
 * Union of cursors in one order, each entry once: a binary heap of the cursors that are not
 * exhausted.
 */
export class MergedCursor implements Cursor {
  readonly #heap: Cursor[] = [];
  readonly #direction: Direction;

  constructor(cursors: readonly Cursor[], direction: Direction) {
    this.#direction = direction;
    this.#heap = cursors.filter(({ entry }) => entry !== null);
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  get entry(): Entry | null {
    return this.#heap[0]?.entry ?? null;
  }

  advance(): void {
    const seq = present(this.entry, 'entry of a cursor that is not at its end').seq;
    while (this.#heap[0]?.entry?.seq === seq) {
      const top = this.#heap[0];
      top.advance();
      if (top.entry === null) {
        const last = element(this.#heap.pop());
        if (this.#heap.length === 0) return;
        if (last !== top) this.#heap[0] = last;
      }
      this.#sink(0);
    }
  }

  #sink(start: number): void {
    const heap = this.#heap;
    for (let at = start; ; ) {
      let first = at;
      for (const child of [at * 2 + 1, at * 2 + 2]) {
        if (child < heap.length && this.#before(child, first)) first = child;
      }
      if (first === at) return;
      [heap[at], heap[first]] = [element(heap[first]), element(heap[at])];
      at = first;
    }
  }

  #before(a: number, b: number): boolean {
    return before(this.#entryAt(a), this.#entryAt(b), this.#direction);
  }

  /** Cursors without an entry leave the heap. */
  #entryAt(at: number): Entry {
    return present(element(this.#heap[at]).entry, 'entry of a cursor in the heap');
  }
}
