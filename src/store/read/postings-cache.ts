// Cache of the heads of posting lists, one for each query worker.

import type { Entry } from './entry.ts';

/** Head of a term's list, newest first. */
export interface ListHead {
  readonly entries: readonly Entry[];
  /** True if the head is the whole list. */
  readonly complete: boolean;
}

/**
 * Cache of the list heads that a query worker has read since the index last grew. Finding a place
 * in the index costs 8 µs, here 0.1 µs; a feed or a page of profiles needs hundreds.
 *
 * Between two growths of the index nothing is added to a list; postings of removed events may be
 * swept from it, but their bodies are gone as well.
 */
export class PostingsCache {
  readonly #entriesMax: number;
  #young = new Map<number, ListHead>();
  #old = new Map<number, ListHead>();
  #entries = 0;
  #indexed = -1;

  /** Keeps up to `entriesMax` entries in each of two generations. */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** Clears the cache if it is not for an index up to `indexed`. */
  begin(indexed: number): void {
    if (indexed === this.#indexed) return;
    this.#indexed = indexed;
    this.#young.clear();
    this.#old.clear();
    this.#entries = 0;
  }

  get(term: number): ListHead | undefined {
    const young = this.#young.get(term);
    if (young !== undefined) return young;
    const old = this.#old.get(term);
    if (old !== undefined) {
      this.#old.delete(term);
      this.put(term, old);
    }
    return old;
  }

  put(term: number, head: ListHead): ListHead {
    // An empty list takes memory as well.
    const size = head.entries.length + 2;
    if (this.#entries + size > this.#entriesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#entries = 0;
    }
    if (size <= this.#entriesMax) {
      this.#young.set(term, head);
      this.#entries += size;
    }
    return head;
  }
}
