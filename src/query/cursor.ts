import type { Snapshot } from './snapshot.ts';
import { type Entry, entryOrder } from './window.ts';

const PAGE_ROWS_MAX = 512;
const PAGE_BODIES_MAX = 128;

/** A list of entries, newest first, read as far as it is needed. */
export interface Cursor {
  /** The entry to be taken next, or null at the end. */
  head: Entry | null;
  /** Moves on to the next entry. */
  advance(): void;
  /** Lets go of bodies that were read ahead. */
  rest(): void;
}

/** A list that is in memory. */
export class ListCursor implements Cursor {
  head: Entry | null;
  readonly #entries: readonly Entry[];
  #at = 0;

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
    this.head = entries[0] ?? null;
  }

  advance(): void {
    this.head = this.#entries[++this.#at] ?? null;
  }

  rest(): void {}
}

/** Which list is read, and how far. */
export interface TermList {
  snapshot: Snapshot;
  term: number;
  /** Seconds since 1970, inclusive. */
  since: number;
  until: number;
  /** The index's head when the query began. */
  indexed: number;
  /** Every event of the list is wanted: its body comes with it. */
  withBodies: boolean;
}

function rowsMax(list: TermList): number {
  return list.withBodies ? PAGE_BODIES_MAX : PAGE_ROWS_MAX;
}

/**
 * A term's list in the index, read in pages that grow. Between two pages the snapshot may have become
 * a later one; entries beyond `indexed` are left out, because the query took those from
 * the window.
 */
export class TermCursor implements Cursor {
  head: Entry | null = null;
  readonly #list: TermList;
  #rows: number;
  #page: readonly Entry[] = [];
  #at = 0;
  #createdAt: number;
  #seq = Number.MAX_SAFE_INTEGER;
  #exhausted = false;

  constructor(list: TermList, firstRows: number) {
    this.#list = list;
    this.#createdAt = list.until;
    this.#rows = Math.min(firstRows, rowsMax(list));
    this.advance();
  }

  advance(): void {
    for (;;) {
      if (this.#at === this.#page.length && !this.#turnPage()) {
        this.head = null;
        return;
      }
      const entry = this.#page[this.#at++]!;
      if (entry.seq <= this.#list.indexed) {
        this.head = entry;
        return;
      }
    }
  }

  rest(): void {
    if (!this.#list.withBodies) return;
    for (const entry of this.#page) delete entry.json;
  }

  #turnPage(): boolean {
    if (this.#exhausted) return false;
    const { snapshot, term, since, withBodies } = this.#list;
    this.#page = withBodies
      ? snapshot.postingsWithBodies(term, this.#createdAt, this.#seq, since, this.#rows)
      : snapshot.postings(term, this.#createdAt, this.#seq, since, this.#rows);
    this.#at = 0;
    this.#exhausted = this.#page.length < this.#rows;
    this.#rows = Math.min(this.#rows * 2, rowsMax(this.#list));
    const last = this.#page.at(-1);
    if (!last) return false;
    this.#createdAt = last.createdAt;
    this.#seq = last.seq;
    return true;
  }
}

/** Several lists as one: a binary heap of cursors by what each would give next. */
export class MergedCursor implements Cursor {
  head: Entry | null = null;
  readonly #heap: Cursor[] = [];

  add(cursor: Cursor): void {
    if (cursor.head === null) return;
    this.#heap.push(cursor);
    this.#siftUp(this.#heap.length - 1);
    this.head = this.#heap[0]!.head;
  }

  advance(): void {
    const top = this.#heap[0]!;
    top.advance();
    if (top.head === null) {
      const last = this.#heap.pop()!;
      if (this.#heap.length > 0 && last !== top) this.#heap[0] = last;
    }
    if (this.#heap.length > 1) this.#siftDown();
    this.head = this.#heap[0]?.head ?? null;
  }

  rest(): void {
    for (const cursor of this.#heap) cursor.rest();
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (entryOrder(heap[parent]!.head!, heap[at]!.head!) <= 0) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
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
      if (left < heap.length && entryOrder(heap[left]!.head!, heap[first]!.head!) < 0) first = left;
      if (right < heap.length && entryOrder(heap[right]!.head!, heap[first]!.head!) < 0) {
        first = right;
      }
      if (first === at) return;
      [heap[first], heap[at]] = [heap[at]!, heap[first]!];
      at = first;
    }
  }
}
