// Records ingester → writer: checked events. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { StorableEvent } from '../store/event.ts';

/** Event with checked shape, limits, id and signature, on its way to the log. */
export interface CheckedEvent extends StorableEvent {
  readonly connId: number;
  /** Arrival time at its socket, in shared milliseconds (`lib/clock.ts`); 0: from no socket. */
  readonly arrivedAt: number;
  /** Cost of its message until it is answered (`lib/message-cost.ts`); 0: there is no answer. */
  readonly cost: number;
  /** Reason for quarantine (`spam.quarantine_points`); '' if the event is to be stored. */
  readonly held: string;
  /** Range of the record in its batch, so that it can be passed on as it is. */
  readonly start: number;
  readonly end: number;
}

/** Validated event: the fields that the event validator has derived from it. */
export interface ValidatedEvent {
  event: Pick<NostrEvent, 'kind' | 'created_at'>;
  /** Seconds since 1970; 0: never. */
  expiresAt: number;
  terms: readonly number[];
  /** `kind:pubkey:d`, or '' for an event that is not replaced by others. */
  address: string;
}

export function writeCheckedEvent(
  to: RecordWriter,
  connId: number,
  { event, expiresAt, terms, address }: ValidatedEvent,
  body: Uint8Array,
  arrivedAt = 0,
  cost = 0,
  held = '',
): void {
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

export function readCheckedEvent(from: RecordReader): CheckedEvent {
  const start = from.offset;
  const connId = from.u32();
  const arrivedAt = from.f64();
  const cost = from.u32();
  const held = from.u8() === 0 ? '' : from.text();
  const kind = from.u16();
  const createdAt = from.f64();
  const expiresAt = from.f64();
  const terms = from.f64List();
  const address = from.text();
  const body = from.blob();
  const end = from.offset;
  return {
    connId,
    kind,
    createdAt,
    expiresAt,
    terms,
    address,
    body,
    arrivedAt,
    cost,
    held,
    start,
    end,
  };
}
