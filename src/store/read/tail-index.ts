// Tail index: the events that the on-disk index does not hold yet, one copy for each query worker.

import { type Entry, newestFirst, type Position } from './entry.ts';
import { RecentColumns } from './recent-columns.ts';
import type { TailEntry } from './tail-entry.ts';

/**
 * Index by term of the newest events, which the on-disk index does not hold yet (seq >
 * `indexedSeq`), together with the recent columns, which reach further back.
 *
 * It grows by the messages that the writer sends after each commit, and by the log itself if those
 * have not arrived yet, so that it always covers a read snapshot exactly. It keeps no bodies: those
 * come from the log, where a removed event is missing.
 */
export class TailIndex {
  readonly recentColumns: RecentColumns;
  #indexedSeq = 0;
  #head = 0;
  #entries: TailEntry[] = [];
  #byTerm = new Map<number, TailEntry[]>();

  constructor(recentEventsMax: number) {
    this.recentColumns = new RecentColumns(recentEventsMax);
  }

  /** Number of events that the on-disk index does not hold yet. */
  get size(): number {
    return this.#entries.length;
  }

  /** Last event up to which all are in the on-disk index, in the tail index, or were removed. */
  get head(): number {
    return this.#head;
  }

  /** Begins with an index up to `indexedSeq`; the recent columns have its newest events already. */
  begin(indexedSeq: number): void {
    this.#indexedSeq = indexedSeq;
    this.#head = indexedSeq;
  }

  /** Adds the event that follows the newest one; any other is left to `addFromLog`. */
  add(event: TailEntry): void {
    if (event.seq === this.#head + 1) this.addFromLog(event);
  }

  /** Adds an event of the log; removed ones before it may be missing. */
  addFromLog(event: TailEntry): void {
    if (event.seq <= this.#head) return;
    this.#head = event.seq;
    const { createdAt, seq, kind, pubkey } = event;
    this.recentColumns.add(createdAt, seq, kind, pubkey);
    if (seq > this.#indexedSeq) this.#insert(event);
  }

  /** Declares that nothing up to `head` is missing (removed events leave gaps in the log). */
  reached(head: number): void {
    this.#head = Math.max(this.#head, head);
  }

  /**
   * Drops the events that the on-disk index holds by now; the recent columns keep them. Without
   * recent columns, those that it never had need not be read any more.
   */
  advance(indexedSeq: number): void {
    if (indexedSeq <= this.#indexedSeq) return;
    this.#indexedSeq = indexedSeq;
    if (this.recentColumns.eventsMax === 0) this.reached(indexedSeq);
    const kept = this.#entries.filter((event) => event.seq > indexedSeq);
    this.#entries = [];
    this.#byTerm = new Map();
    for (const event of kept) this.#insert(event);
  }

  /** Returns the events with a term (null: all), seq ≤ `head`, since `since`, after a place. */
  list(term: number | null, head: number, since: number, behind: Position): Entry[] {
    const events = term === null ? this.#entries : this.#byTerm.get(term);
    if (events === undefined) return NO_ENTRIES;
    const found: Entry[] = [];
    for (const event of events) {
      if (event.seq <= head && event.createdAt >= since && newestFirst(behind, event) < 0) {
        found.push(event);
      }
    }
    return found.sort(newestFirst);
  }

  /** Returns the number of events that have the term. */
  count(term: number): number {
    return this.#byTerm.get(term)?.length ?? 0;
  }

  #insert(event: TailEntry): void {
    this.#entries.push(event);
    for (const term of event.terms) {
      const events = this.#byTerm.get(term);
      if (events) events.push(event);
      else this.#byTerm.set(term, [event]);
    }
  }
}

const NO_ENTRIES: Entry[] = [];
