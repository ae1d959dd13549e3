// Cursors over posting lists: lists in memory, lists of the index, and their merge. Query workers,
// commands and the admin worker read with them; a cursor belongs to one query or one walk.

import { element, present } from '../../lib/assert.ts';
import { type Entry, newestFirst, type Order, type Position } from './entry.ts';
import type { ListHead } from './postings-cache.ts';

/** Bytes that a cursor and an entry of its page take (measured with 4,000 lists). */
const CURSOR_BYTES = 400;
const ENTRY_BYTES = 64;

/** Cursor over a list of entries in one order, which is read as far as it is needed. */
export interface Cursor {
  /** Next entry, or null at the end. */
  head: Entry | null;
  /** Number of entries that it holds. */
  readonly size: number;
  /** Moves on to the next entry. */
  advance(): void;
}

/** Cursor over a list in memory. */
export class ListCursor implements Cursor {
  head: Entry | null;
  readonly #entries: readonly Entry[];
  #at = 0;

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
    this.head = entries[0] ?? null;
  }

  get size(): number {
    return this.#entries.length;
  }

  advance(): void {
    this.head = this.#entries[++this.#at] ?? null;
  }
}

/** Source of posting lists in one order: `IndexPostings`, or a `Snapshot` with its caches. */
interface PostingSource {
  /** Returns a page of a term's list after (createdAt, seq), up to the second `last`. */
  postings(
    term: number,
    createdAt: number,
    seq: number,
    last: number,
    rows: number,
  ): readonly Entry[];
  /** Returns the kept head of a list that is read newest first; null: none are kept. */
  newest(term: number, rows: number): ListHead | null;
}

/** Posting list of a term, and the range of it that is read. */
interface TermList {
  source: PostingSource;
  term: number;
  /** Last second that is read, in the order of the source; inclusive. */
  last: number;
  /** Exclusive start: reading begins strictly after this place. */
  behind: Position;
  /** Number of rows of a page at most. */
  pageRows: number;
  /** Last seq that is taken from the index: the head of the index when the list was opened. */
  indexed: number;
}

/**
 * Cursor over a term's list in the index, read in pages that grow; the first page may be cached.
 * Between two pages the snapshot may have become a later one; entries later than `indexed` are
 * skipped, because the reader took those from the tail.
 */
export class TermCursor implements Cursor {
  head: Entry | null = null;
  readonly #list: TermList;
  #rows: number;
  #page: readonly Entry[] = [];
  #at = 0;
  #createdAt: number;
  #seq: number;
  #exhausted = false;
  /** True while the page is a kept head, which may reach beyond `last`. */
  #isHead = false;

  constructor(list: TermList, firstRows: number) {
    this.#list = list;
    this.#createdAt = list.behind.createdAt;
    this.#seq = list.behind.seq;
    this.#rows = Math.min(firstRows, list.pageRows);
    this.#begin();
    this.advance();
  }

  get size(): number {
    return this.#page.length;
  }

  advance(): void {
    for (;;) {
      if (this.#at === this.#page.length && !this.#turnPage()) {
        this.head = null;
        return;
      }
      const entry = element(this.#page[this.#at++]);
      if (this.#isHead && entry.createdAt < this.#list.last) {
        this.head = null;
        return;
      }
      if (entry.seq <= this.#list.indexed) {
        this.head = entry;
        return;
      }
    }
  }

  /** Starts with the cached head of the list if the start of the range lies in it. */
  #begin(): void {
    const { source, term, behind } = this.#list;
    const head = source.newest(term, this.#rows);
    if (head === null) return;
    const { entries, complete } = head;
    const last = entries.at(-1);
    const ends = last === undefined || newestFirst(last, behind) <= 0;
    if (!complete && ends) return;
    while (this.#at < entries.length && newestFirst(element(entries[this.#at]), behind) <= 0)
      this.#at++;
    this.#page = entries;
    this.#isHead = true;
    this.#exhausted = complete;
    if (last) this.#continueBehind(last);
  }

  #turnPage(): boolean {
    if (this.#exhausted) return false;
    const { source, term, last: end } = this.#list;
    this.#page = source.postings(term, this.#createdAt, this.#seq, end, this.#rows);
    this.#isHead = false;
    this.#at = 0;
    this.#exhausted = this.#page.length < this.#rows;
    const last = this.#page.at(-1);
    if (!last) return false;
    this.#continueBehind(last);
    return true;
  }

  #continueBehind({ createdAt, seq }: Entry): void {
    this.#createdAt = createdAt;
    this.#seq = seq;
    this.#rows = Math.min(this.#rows * 2, this.#list.pageRows);
  }
}

/**
 * Merge of several lists in one order: a binary heap of cursors by their next entries. An entry
 * that is in several lists comes several times in a row.
 */
export class MergedCursor implements Cursor {
  head: Entry | null = null;
  readonly #heap: Cursor[] = [];
  readonly #order: Order;

  constructor(order: Order = newestFirst) {
    this.#order = order;
  }

  /** Bytes that its cursors hold, estimated. */
  get held(): number {
    let held = 0;
    for (const { size } of this.#heap) held += CURSOR_BYTES + size * ENTRY_BYTES;
    return held;
  }

  /** Number of entries of the pages in memory. */
  get size(): number {
    return this.#heap.reduce((sum, { size }) => sum + size, 0);
  }

  add(cursor: Cursor): void {
    if (cursor.head === null) return;
    this.#heap.push(cursor);
    this.#siftUp(this.#heap.length - 1);
    this.head = element(this.#heap[0]).head;
  }

  advance(): void {
    const top = element(this.#heap[0]);
    top.advance();
    if (top.head === null) {
      const last = this.#heap.pop();
      if (this.#heap.length > 0 && last !== undefined) this.#heap[0] = last;
    }
    if (this.#heap.length > 1) this.#siftDown();
    this.head = this.#heap[0]?.head ?? null;
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      const right = left + 1;
      let first = at;
      if (left < heap.length && this.#isBefore(left, first)) first = left;
      if (right < heap.length && this.#isBefore(right, first)) first = right;
      if (first === at) return;
      swap(heap, at, first);
      at = first;
    }
  }

  /** Returns true if the next entry of cursor `a` of the heap comes before that of `b`. */
  #isBefore(a: number, b: number): boolean {
    return this.#order(headAt(this.#heap, a), headAt(this.#heap, b)) < 0;
  }
}

/** Returns the next entry of a cursor of a heap: a cursor at its end leaves the heap. */
function headAt(heap: readonly Cursor[], at: number): Entry {
  return present(element(heap[at]).head, 'next entry of a cursor in the heap');
}

function swap(heap: Cursor[], a: number, b: number): void {
  const cursor = element(heap[a]);
  heap[a] = element(heap[b]);
  heap[b] = cursor;
}
