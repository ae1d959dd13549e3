// Replay buffer of the monitor thread.

import { element } from '../lib/assert.ts';
import type { AcceptedEvent } from '../messages/writer-monitor.ts';
import { isGiftWrap } from '../protocol/kinds.ts';
import { type GoneKey, isOf } from '../protocol/vanish.ts';
import { eventOf } from '../store/body/body.ts';

/** Place of an event in the buffer; it stays when the event is removed from the log. */
interface Slot {
  readonly seq: number;
  event: AcceptedEvent | null;
}

/**
 * Newest accepted events in seq order, without gaps, bounded by number and bytes. Monitor replays
 * them to a subscription that is handed over after they came.
 */
export class ReplayBuffer {
  #eventsMax: number;
  readonly #bytesMax: number;
  /** In seq order; undefined for dropped events. */
  #slots: (Slot | undefined)[] = [];
  /** Index of the oldest kept slot. Dropped ones before it are cut off in bulk. */
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
    this.#slots.push({ seq: event.seq, event });
    this.#bytes += bytesOf(event);
    while (
      this.#slots.length - this.#first > this.#eventsMax ||
      (this.#bytes > this.#bytesMax && this.#slots.length - this.#first > 1)
    ) {
      const dropped = element(this.#slots[this.#first]).event;
      if (dropped !== null) this.#bytes -= bytesOf(dropped);
      this.#slots[this.#first++] = undefined;
    }
    if (this.#first > this.#eventsMax) {
      this.#slots = this.#slots.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Removes an event that was removed from the log: it is not replayed any more. */
  forget(seq: number): void {
    const oldest = this.#slots[this.#first];
    if (oldest === undefined || seq < oldest.seq) return;
    // The slot stays, because events are found by their distance from the oldest seq.
    const slot = this.#slots[this.#first + (seq - oldest.seq)];
    if (slot === undefined || slot.event === null) return;
    this.#bytes -= bytesOf(slot.event);
    slot.event = null;
  }

  /** Removes all events of a vanished key: they are not replayed any more. */
  forgetKey(key: GoneKey): void {
    for (const event of this.#from(this.#first)) {
      if (isEventOf(key, event)) this.forget(event.seq);
    }
  }

  /** Returns the events after `seq`, or null if some were dropped; `head` is the newest seq. */
  after(seq: number, head: number): AcceptedEvent[] | null {
    if (seq >= head) return [];
    const oldest = this.#slots[this.#first];
    if (oldest === undefined || oldest.seq > seq + 1) return null;
    return this.#from(this.#first + (seq + 1 - oldest.seq));
  }

  /** Returns the kept events from an index on, without those that were removed from the log. */
  #from(index: number): AcceptedEvent[] {
    const found: AcceptedEvent[] = [];
    for (const slot of this.#slots.slice(index)) if (slot?.event) found.push(slot.event);
    return found;
  }
}

function bytesOf({ body, terms }: AcceptedEvent): number {
  return body.length + terms.length * Float64Array.BYTES_PER_ELEMENT;
}

/** Returns true if an event belongs to a vanished key; only gift wraps are parsed for it. */
function isEventOf(key: GoneKey, { pubkey, body, kind, createdAt }: AcceptedEvent): boolean {
  if (createdAt > key.until) return false;
  return isGiftWrap(kind) ? isOf(key, eventOf(body)) : pubkey === key.pubkey;
}
