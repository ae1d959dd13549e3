// Records ingester → writer: checked events. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import type { StorableEvent, ValidatedEvent } from '../store/event.ts';

/** Places of id and pubkey in a record, which begins with both; each follows its length. */
const KEY_BYTES = 32;
const ID_AT = 4;
const PUBKEY_AT = ID_AT + KEY_BYTES + 4;

/**
 * Validated event as a record, on its way to the log: a view of the batch that it came in. Id and
 * pubkey are made when they are asked for, because monitor keeps many events and needs few of them.
 */
export class CheckedEvent implements StorableEvent {
  readonly connId: number;
  /** Arrival time at its socket, in shared milliseconds (`lib/clock.ts`); 0: from no socket. */
  readonly arrivedAt: number;
  /** Cost of its message until it is answered (`lib/message-cost.ts`); 0: there is no answer. */
  readonly cost: number;
  /** Reason for quarantine (`spam.quarantine_points`); '' if the event is to be stored. */
  readonly held: string;
  readonly kind: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly terms: Float64Array;
  readonly address: string;
  readonly body: Buffer;
  readonly #batch: Buffer;
  readonly #start: number;
  readonly #end: number;
  #id = '';

  /** Reads the next record of a batch. */
  constructor(from: RecordReader) {
    this.#batch = from.buffer;
    this.#start = from.offset;
    assert(from.u32() === KEY_BYTES, 'an id in a record of an ingester has not 32 bytes');
    from.skip(KEY_BYTES);
    assert(from.u32() === KEY_BYTES, 'a pubkey in a record of an ingester has not 32 bytes');
    from.skip(KEY_BYTES);
    this.connId = from.u32();
    this.arrivedAt = from.f64();
    this.cost = from.u32();
    this.held = from.u8() === 0 ? '' : from.text();
    this.kind = from.u16();
    this.createdAt = from.f64();
    this.expiresAt = from.f64();
    this.terms = from.f64List();
    this.address = from.text();
    this.body = from.blob();
    this.#end = from.offset;
  }

  get idBytes(): Buffer {
    const at = this.#start + ID_AT;
    return this.#batch.subarray(at, at + KEY_BYTES);
  }

  get pubkeyBytes(): Buffer {
    const at = this.#start + PUBKEY_AT;
    return this.#batch.subarray(at, at + KEY_BYTES);
  }

  get id(): string {
    if (this.#id === '') {
      const at = this.#start + ID_AT;
      this.#id = this.#batch.toString('hex', at, at + KEY_BYTES);
    }
    return this.#id;
  }

  get pubkey(): string {
    const at = this.#start + PUBKEY_AT;
    return this.#batch.toString('hex', at, at + KEY_BYTES);
  }

  /** The record, to be passed on as it is. */
  get record(): Buffer {
    return this.#batch.subarray(this.#start, this.#end);
  }
}

/** Writes a validated event; `body` is its stored form (`store/body/body.ts`). */
export function writeCheckedEvent(
  to: RecordWriter,
  connId: number,
  { event, expiresAt, terms, address }: ValidatedEvent,
  body: Uint8Array,
  arrivedAt = 0,
  cost = 0,
  held = '',
): void {
  to.hex(event.id);
  to.hex(event.pubkey);
  to.u32(connId);
  to.f64(arrivedAt);
  to.u32(cost);
  to.u8(held === '' ? 0 : 1);
  if (held !== '') to.text(held);
  to.u16(event.kind);
  to.f64(event.created_at);
  to.f64(expiresAt);
  to.u32(terms.length);
  for (const term of terms) to.f64(term);
  to.text(address);
  to.blob(body);
}
