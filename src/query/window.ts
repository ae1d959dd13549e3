import type { AcceptedTerms } from '../messages.ts';
import { Timeline } from './timeline.ts';

/** An entry of a list of events by time: an event's place in the log and what the index knows of it. */
export interface Entry {
  createdAt: number;
  seq: number;
  /** As the index keeps it (`storage/posting-kind.ts`). */
  kind: number;
  /** Ids, authors, kinds and tags of the filter are known to fit. */
  sure?: true;
}

/** A place in a list of events by time: that of the event with this seq, whether it is there or not. */
export interface Place {
  readonly createdAt: number;
  readonly seq: number;
}

/** Every list runs newest first; within a second the order is by seq, newest first. */
export function entryOrder(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || b.seq - a.seq;
}

/** The place before all events of a second. */
export function endOfSecond(createdAt: number): Place {
  return { createdAt, seq: Number.MAX_SAFE_INTEGER };
}

/**
 * The newest events, which the index behind the log does not hold yet (seq > `indexedSeq`), by term;
 * and with them the timeline, which reaches further back.
 *
 * It grows by what the writer sends after each commit, and by the log itself where that has not
 * arrived yet, so that it always covers a read snapshot exactly. It keeps no bodies: those come from
 * the log, where a removed event is missing.
 */
export class Window {
  readonly timeline: Timeline;
  #indexedSeq = 0;
  #head = 0;
  #entries: AcceptedTerms[] = [];
  #byTerm = new Map<number, AcceptedTerms[]>();

  constructor(timelineEventsMax: number) {
    this.timeline = new Timeline(timelineEventsMax);
  }

  /** Events that the index does not hold yet. */
  get size(): number {
    return this.#entries.length;
  }

  /** Every event up to here is in the index, the window, or was removed. */
  get head(): number {
    return this.#head;
  }

  /** Begins with an index up to `indexedSeq`, whose newest events are in the timeline already. */
  begin(indexedSeq: number): void {
    this.#indexedSeq = indexedSeq;
    this.#head = indexedSeq;
  }

  /** Takes the event that follows the newest one; any other is left to `addFromLog`. */
  add(event: AcceptedTerms): void {
    if (event.seq === this.#head + 1) this.addFromLog(event);
  }

  /** Takes an event of the log; removed ones before it may be missing. */
  addFromLog(event: AcceptedTerms): void {
    if (event.seq <= this.#head) return;
    this.#head = event.seq;
    const { createdAt, seq, kind, pubkey } = event;
    this.timeline.add(createdAt, seq, kind, pubkey);
    if (seq > this.#indexedSeq) this.#insert(event);
  }

  /** Declares that nothing up to `head` is missing (removed events leave gaps in the log). */
  reached(head: number): void {
    this.#head = Math.max(this.#head, head);
  }

  /** Drops what the index holds by now; the timeline keeps it. */
  advance(indexedSeq: number): void {
    if (indexedSeq <= this.#indexedSeq) return;
    this.#indexedSeq = indexedSeq;
    const kept = this.#entries.filter((event) => event.seq > indexedSeq);
    this.#entries = [];
    this.#byTerm = new Map();
    for (const event of kept) this.#insert(event);
  }

  /** The events that have a term (null: all), seq ≤ `head`, since `since`, behind a place. */
  list(term: number | null, head: number, since: number, behind: Place): Entry[] {
    const events = term === null ? this.#entries : this.#byTerm.get(term);
    if (events === undefined) return NO_ENTRIES;
    const found: Entry[] = [];
    for (const event of events) {
      if (event.seq <= head && event.createdAt >= since && entryOrder(behind, event) < 0) {
        found.push(event);
      }
    }
    return found.sort(entryOrder);
  }

  /** How many events have the term. */
  count(term: number): number {
    return this.#byTerm.get(term)?.length ?? 0;
  }

  #insert(event: AcceptedTerms): void {
    this.#entries.push(event);
    for (const term of event.terms) {
      const events = this.#byTerm.get(term);
      if (events) events.push(event);
      else this.#byTerm.set(term, [event]);
    }
  }
}

const NO_ENTRIES: Entry[] = [];
