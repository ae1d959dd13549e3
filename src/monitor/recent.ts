import type { AcceptedEvent } from '../messages.ts';
import { isGiftWrap } from '../protocol/kinds.ts';
import { type GoneKey, isOf } from '../protocol/vanish.ts';
import { eventOf, pubkeyOf } from '../storage/body.ts';

const NOTHING = Buffer.alloc(0);
const NO_TERMS = new Float64Array(0);

/**
 * The newest accepted events in seq order, without gaps, up to a number and a size: what monitor can
 * replay to a subscription that is handed over a little late.
 */
export class RecentEvents {
  #eventsMax: number;
  readonly #bytesMax: number;
  /** In seq order; undefined where one was dropped. */
  #events: (AcceptedEvent | undefined)[] = [];
  /** The empty places of events that were removed. */
  readonly #gone = new WeakSet<AcceptedEvent>();
  /** Events before this place were dropped; their places are cut off in bulk. */
  #first = 0;
  #bytes = 0;

  constructor(eventsMax: number, bytesMax: number) {
    this.#eventsMax = eventsMax;
    this.#bytesMax = bytesMax;
  }

  /** Keeps so many events from the next one on. */
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
      this.#bytes -= bytesOf(this.#events[this.#first]!);
      this.#events[this.#first++] = undefined;
    }
    if (this.#first > this.#eventsMax) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The event was removed from the log: nobody gets it any more. */
  forget(seq: number): void {
    const oldest = this.#events[this.#first];
    if (oldest === undefined || seq < oldest.seq) return;
    const at = this.#first + (seq - oldest.seq);
    const event = this.#events[at];
    if (event === undefined || this.#gone.has(event)) return;
    this.#bytes -= bytesOf(event);
    // Its place stays, because events are found by their distance.
    const place = { ...event, body: NOTHING, terms: NO_TERMS };
    this.#gone.add(place);
    this.#events[at] = place;
  }

  /** The key has vanished: nobody gets its events any more. */
  forgetKey(key: GoneKey): void {
    for (const event of this.#from(this.#first)) {
      if (!this.#gone.has(event) && isBodyOf(key, event)) this.forget(event.seq);
    }
  }

  /** The events after `seq`, or null if some of them were dropped already. `head` is the newest seq. */
  after(seq: number, head: number): AcceptedEvent[] | null {
    if (seq >= head) return [];
    const oldest = this.#events[this.#first];
    if (oldest === undefined || oldest.seq > seq + 1) return null;
    const events = this.#from(this.#first + (seq + 1 - oldest.seq));
    return events.filter((event) => !this.#gone.has(event));
  }

  /** The events from a place on that were not dropped. */
  #from(place: number): AcceptedEvent[] {
    return this.#events.slice(place).filter((event) => event !== undefined);
  }
}

function bytesOf({ body, terms }: AcceptedEvent): number {
  return body.length + terms.length * Float64Array.BYTES_PER_ELEMENT;
}

/** Whether an event is of a key that has vanished; only gift wraps are read for it. */
function isBodyOf(key: GoneKey, { body, kind, createdAt }: AcceptedEvent): boolean {
  if (createdAt > key.until) return false;
  return isGiftWrap(kind) ? isOf(key, eventOf(body)) : pubkeyOf(body) === key.pubkey;
}
