// Records ingester → query: REQ, COUNT, CLOSE and changes of a connection. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { present } from '../lib/assert.ts';
import type { Refusal } from '../protocol/refusal.ts';

/**
 * Request to a query worker. `subNo` numbers the subscriptions of a connection in the order of
 * their REQs; a REQ that re-uses a subscription id has a new number and names the old one in
 * `replaces`. `filters` are packed (`channel/packed-filters.ts`).
 */
export type QueryRequest =
  | {
      t: 'req';
      connId: number;
      subNo: number;
      subId: string;
      replaces: number;
      filters: Uint8Array;
      /** Arrival time at its socket, in shared milliseconds (`lib/clock.ts`). */
      arrivedAt: number;
      /** Cost of its message until it is answered (`lib/message-cost.ts`), here and below. */
      cost: number;
    }
  | {
      t: 'count';
      connId: number;
      queryId: string;
      filters: Uint8Array;
      arrivedAt: number;
      cost: number;
    }
  | { t: 'close'; connId: number; subNo: number }
  /**
   * Refused REQ that re-used the id of this subscription: the subscription ends, and `why` is the
   * answer. `first` is a frame to be sent before it, or ''.
   */
  | {
      t: 'refuse';
      connId: number;
      subNo: number;
      subId: string;
      why: Refusal;
      first: string;
      cost: number;
    }
  /**
   * All pubkeys that have authenticated on the connection (NIP-42), and the OK to the last of them.
   * The OK is sent when monitor has been told, so that events published after it are delivered; it
   * is '' if a key was taken away and there is nothing to answer. Open subscriptions are sent the
   * stored events that the new key may read.
   */
  | { t: 'auth'; connId: number; readers: string[]; answer: string; cost: number }
  /**
   * Client of the connection, before its first query and after a change: `name` is the address by
   * which its queries take turns, an IPv6 one by its prefix; `address` and `network` are the tags
   * of the quota keys that they are charged to, 0: none.
   */
  | { t: 'client'; connId: number; name: string; address: number; network: number }
  /** Frame to be sent before the answers to later requests. */
  | { t: 'say'; connId: number; frame: string }
  /** Closes the connection with 1008 after all that it was sent before; `why` is in a NOTICE. */
  | { t: 'leave'; connId: number; why: Refusal }
  | { t: 'disconnect'; connId: number };

const QUERY_REQUESTS = [
  'req',
  'count',
  'close',
  'refuse',
  'auth',
  'client',
  'say',
  'leave',
  'disconnect',
] as const;

export function writeQueryRequest(to: RecordWriter, request: QueryRequest): void {
  to.u8(QUERY_REQUESTS.indexOf(request.t));
  to.u32(request.connId);
  switch (request.t) {
    case 'req':
      to.u32(request.subNo);
      to.text(request.subId);
      to.u32(request.replaces);
      to.blob(request.filters);
      to.f64(request.arrivedAt);
      to.u32(request.cost);
      break;
    case 'count':
      to.text(request.queryId);
      to.blob(request.filters);
      to.f64(request.arrivedAt);
      to.u32(request.cost);
      break;
    case 'close':
      to.u32(request.subNo);
      break;
    case 'refuse':
      to.u32(request.subNo);
      to.text(request.subId);
      to.text(request.why);
      to.text(request.first);
      to.u32(request.cost);
      break;
    case 'auth':
      writePubkeys(to, request.readers);
      to.text(request.answer);
      to.u32(request.cost);
      break;
    case 'say':
      to.text(request.frame);
      break;
    case 'leave':
      to.text(request.why);
      break;
    case 'client':
      to.text(request.name);
      to.f64(request.address);
      to.f64(request.network);
      break;
  }
}

export function readQueryRequest(from: RecordReader): QueryRequest {
  const t = present(QUERY_REQUESTS[from.u8()], 'type of a query request');
  const connId = from.u32();
  switch (t) {
    case 'req': {
      const subNo = from.u32();
      const subId = from.text();
      const replaces = from.u32();
      const filters = from.blob();
      const arrivedAt = from.f64();
      return { t, connId, subNo, subId, replaces, filters, arrivedAt, cost: from.u32() };
    }
    case 'count': {
      const queryId = from.text();
      const filters = from.blob();
      return { t, connId, queryId, filters, arrivedAt: from.f64(), cost: from.u32() };
    }
    case 'close':
      return { t, connId, subNo: from.u32() };
    case 'refuse': {
      const subNo = from.u32();
      const subId = from.text();
      const why = from.text() as Refusal;
      return { t, connId, subNo, subId, why, first: from.text(), cost: from.u32() };
    }
    case 'auth':
      return { t, connId, readers: readPubkeys(from), answer: from.text(), cost: from.u32() };
    case 'say':
      return { t, connId, frame: from.text() };
    case 'leave':
      return { t, connId, why: from.text() as Refusal };
    case 'client': {
      const name = from.text();
      return { t, connId, name, address: from.f64(), network: from.f64() };
    }
    case 'disconnect':
      return { t, connId };
  }
}

export function writePubkeys(to: RecordWriter, pubkeys: readonly string[]): void {
  to.u32(pubkeys.length);
  for (const pubkey of pubkeys) to.ascii(pubkey);
}

export function readPubkeys(from: RecordReader): string[] {
  return Array.from({ length: from.u32() }, () => from.ascii());
}

/** query → ingester: the relay ended a subscription by CLOSED; it does not count any more. */
export interface SubscriptionEnded {
  connId: number;
  subId: string;
  subNo: number;
}
