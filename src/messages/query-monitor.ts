// Records query → monitor: hand-overs of subscriptions, and the answers to them. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { present } from '../lib/assert.ts';
import { readPubkeys, writePubkeys } from './ingester-query.ts';

/**
 * Hand-over of a subscription. `seq` is the snapshot up to which it was answered; live events begin
 * right after it. `readers` are the pubkeys that have authenticated on the connection (NIP-42).
 * `auth` updates the open subscriptions of a connection and has io hold those in `held`: the query
 * worker sends their stored events once it knows up to which event they were matched without the
 * new key.
 */
export type Handover =
  | {
      t: 'live';
      connId: number;
      subNo: number;
      subId: string;
      seq: number;
      filters: Uint8Array;
      readers: readonly string[];
    }
  | { t: 'auth'; connId: number; readers: readonly string[]; held: readonly number[] }
  | { t: 'close'; connId: number; subNo: number }
  | { t: 'disconnect'; connId: number };

/**
 * Progress word of monitor on its channel to a query worker while it reads events. A hand-over does
 * not wake monitor if the progress word is that of its snapshot (`headWord`): then it is read
 * before the next event.
 */
export const READING_EVENTS = -1;

/** Returns the progress word of monitor for having seen all events up to `head`. */
export function headWord(head: number): number {
  return head % 0x8000_0000;
}

const HANDOVERS = ['live', 'auth', 'close', 'disconnect'] as const;

export function writeHandover(to: RecordWriter, handover: Handover): void {
  to.u8(HANDOVERS.indexOf(handover.t));
  to.u32(handover.connId);
  switch (handover.t) {
    case 'live':
      to.u32(handover.subNo);
      to.text(handover.subId);
      to.f64(handover.seq);
      to.blob(handover.filters);
      writePubkeys(to, handover.readers);
      break;
    case 'auth':
      writePubkeys(to, handover.readers);
      to.u32(handover.held.length);
      for (const subNo of handover.held) to.u32(subNo);
      break;
    case 'close':
      to.u32(handover.subNo);
      break;
  }
}

export function readHandover(from: RecordReader): Handover {
  const t = present(HANDOVERS[from.u8()], 'type of a hand-over');
  const connId = from.u32();
  switch (t) {
    case 'live': {
      const subNo = from.u32();
      const subId = from.text();
      const seq = from.f64();
      return { t, connId, subNo, subId, seq, filters: from.blob(), readers: readPubkeys(from) };
    }
    case 'auth': {
      const readers = readPubkeys(from);
      return { t, connId, readers, held: Array.from({ length: from.u32() }, () => from.u32()) };
    }
    case 'close':
      return { t, connId, subNo: from.u32() };
    case 'disconnect':
      return { t, connId };
  }
}

/** Messages of monitor to a query worker. */
export type FromMonitor = CatchUpRequest | ReadersApplied;

/**
 * monitor → query: answer to an `auth` that holds subscriptions. Events up to `upTo` were matched
 * with the readers before it, later ones with those that it named.
 */
export interface ReadersApplied {
  t: 'readers';
  connId: number;
  upTo: number;
}

/**
 * monitor → query: more events came since `seq` than monitor can replay. The subscription is live
 * from `upTo` on; query sends the events in between out of the log.
 */
export interface CatchUpRequest {
  t: 'behind';
  connId: number;
  subNo: number;
  subId: string;
  seq: number;
  upTo: number;
  filters: Uint8Array;
  readers: readonly string[];
}
