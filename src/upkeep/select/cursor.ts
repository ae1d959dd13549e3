import type { Db } from '../../storage/open.ts';
import * as sql from '../../storage/sql.ts';

/** Oldest first, or newest first. */
export type Direction = 'upwards' | 'downwards';

/** A place in the order: by time, then by place in the log. */
export interface Place {
  createdAt: number;
  seq: number;
}

/** An entry of a list of the index. */
export interface Entry extends Place {
  /** As the index keeps it (`storage/posting-kind.ts`). */
  kind: number;
}

interface Row {
  created_at: number;
  seq: number;
  kind: number;
}

/** Entries in an order, read a page at a time so that no snapshot lasts. */
export interface Cursor {
  /** The entry it stands on; null behind the last. */
  readonly entry: Entry | null;
  advance(): void;
}

/** The list of one term in the index. */
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
    /** Begins behind this place of the order. */
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

/** What comes later in the order: where a list begins, or the place behind which it is wanted. */
function later(start: Entry, behind: Place | undefined, direction: Direction): Entry {
  if (behind === undefined || before(behind, start, direction)) return start;
  return { ...behind, kind: 0 };
}

/** Entries that are in memory already. */
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

/** Whether `a` comes before `b`: by time, then by place in the log. */
export function before(a: Place, b: Place, direction: Direction): boolean {
  const [first, second] = direction === 'upwards' ? [a, b] : [b, a];
  return (
    first.createdAt < second.createdAt ||
    (first.createdAt === second.createdAt && first.seq < second.seq)
  );
}

/** The union of cursors in one order, each entry once: a heap of those that have one. */
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
    const { seq } = this.#heap[0]!.entry!;
    while (this.#heap[0]?.entry?.seq === seq) {
      const top = this.#heap[0];
      top.advance();
      if (top.entry === null) {
        const last = this.#heap.pop()!;
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
      [heap[at], heap[first]] = [heap[first]!, heap[at]!];
      at = first;
    }
  }

  #before(a: number, b: number): boolean {
    return before(this.#heap[a]!.entry!, this.#heap[b]!.entry!, this.#direction);
  }
}
