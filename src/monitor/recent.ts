// Replay buffer of the monitor thread.

import { element } from '../lib/assert.ts';
import type { AcceptedEvent } from '../messages/writer-monitor.ts';
import { isGiftWrap } from '../protocol/kinds.ts';
import { type GoneKey, isOf } from '../protocol/vanish.ts';
import { eventOf, pubkeyOf } from '../store/body/body.ts';

const NOTHING = Buffer.alloc(0);
const NO_TERMS = new Float64Array(0);

/**
 * Newest accepted events in seq order, without gaps, bounded by number and bytes. Monitor replays
 * them to a subscription that is handed over after they came.
 */
export class ReplayBuffer {
  #eventsMax: number;
  readonly #bytesMax: number;
  /** In seq order; undefined for dropped events. */
  #events: (AcceptedEvent | undefined)[] = [];
  /** Placeholders of events that were removed from the log. */
  readonly #gone = new WeakSet<AcceptedEvent>();
  /** Index of the oldest kept event. Dropped events before it are cut off in bulk. */
  #first = 0;
  #bytes = 0;

  constructor(eventsMax: number, bytesMax: number) {
    this.#eventsMax = eventsMax;
    this.#bytesMax = bytesMax;
  }

  /** Sets the number of events to keep, from the next event on. */
  limit(eventsMax: number): void {
    this.#eventsMax = eventsMax;
  }

  add(event: AcceptedEvent): void {
    this.#events.push(event);
    this.#bytes += bytesOf(event);
    while (
      this.#events.length - this.#first > this.#eventsMax ||
      (this.#bytes > this.#bytesMax && this.#events.length - this.#first > 1)
    ) {
      this.#bytes -= bytesOf(element(this.#events[this.#first]));
      this.#events[this.#first++] = undefined;
    }
    if (this.#first > this.#eventsMax) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Removes an event that was removed from the log: it is not replayed any more. */
  forget(seq: number): void {
    const oldest = this.#events[this.#first];
    if (oldest === undefined || seq < oldest.seq) return;
    const at = this.#first + (seq - oldest.seq);
    const event = this.#events[at];
    if (event === undefined || this.#gone.has(event)) return;
    this.#bytes -= bytesOf(event);
    // A placeholder stays, because events are found by their distance from the oldest seq.
    const place = { ...event, body: NOTHING, terms: NO_TERMS };
    this.#gone.add(place);
    this.#events[at] = place;
  }

  /** Removes all events of a vanished key: they are not replayed any more. */
  forgetKey(key: GoneKey): void {
    for (const event of this.#from(this.#first)) {
      if (!this.#gone.has(event) && isBodyOf(key, event)) this.forget(event.seq);
    }
  }

  /** Returns the events after `seq`, or null if some were dropped; `head` is the newest seq. */
  after(seq: number, head: number): AcceptedEvent[] | null {
    if (seq >= head) return [];
    const oldest = this.#events[this.#first];
    if (oldest === undefined || oldest.seq > seq + 1) return null;
    const events = this.#from(this.#first + (seq + 1 - oldest.seq));
    return events.filter((event) => !this.#gone.has(event));
  }

  /** Returns the kept events from an index on, placeholders included. */
  #from(place: number): AcceptedEvent[] {
    return this.#events.slice(place).filter((event) => event !== undefined);
  }
}

function bytesOf({ body, terms }: AcceptedEvent): number {
  return body.length + terms.length * Float64Array.BYTES_PER_ELEMENT;
}

/** Returns true if an event belongs to a vanished key; only gift wraps are parsed for it. */
function isBodyOf(key: GoneKey, { body, kind, createdAt }: AcceptedEvent): boolean {
  if (createdAt > key.until) return false;
  return isGiftWrap(kind) ? isOf(key, eventOf(body)) : pubkeyOf(body) === key.pubkey;
}
