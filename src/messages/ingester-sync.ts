// Records ingester → sync: messages of negentropy sessions (NIP-77), and changes of their
// connection. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { present } from '../lib/assert.ts';
import { readPubkeys, writePubkeys } from './ingester-query.ts';

/** Request to the sync worker. `message` is the binary message of the protocol. */
export type SyncRequest =
  | {
      t: 'open';
      connId: number;
      subId: string;
      /** One filter, packed (`channel/packed-filters.ts`). */
      filter: Uint8Array;
      message: Uint8Array;
      /** Pubkeys that have authenticated on the connection. */
      readers: string[];
      /** Address by which its work takes turns, an IPv6 one by its prefix. */
      name: string;
      /** Tags of the quota keys that its work is charged to; 0: none. */
      address: number;
      network: number;
      /** Arrival time at its socket, in shared milliseconds (`lib/clock.ts`). */
      arrivedAt: number;
      /** Cost of its message until it is answered (`lib/message-cost.ts`), here and below. */
      cost: number;
    }
  | {
      t: 'message';
      connId: number;
      subId: string;
      message: Uint8Array;
      arrivedAt: number;
      cost: number;
    }
  | { t: 'close'; connId: number; subId: string }
  /** All pubkeys that have authenticated on the connection, after a change. */
  | { t: 'auth'; connId: number; readers: string[] }
  | { t: 'disconnect'; connId: number };

const SYNC_REQUESTS = ['open', 'message', 'close', 'auth', 'disconnect'] as const;

export function writeSyncRequest(to: RecordWriter, request: SyncRequest): void {
  to.u8(SYNC_REQUESTS.indexOf(request.t));
  to.u32(request.connId);
  switch (request.t) {
    case 'open':
      to.text(request.subId);
      to.blob(request.filter);
      to.blob(request.message);
      writePubkeys(to, request.readers);
      to.text(request.name);
      to.f64(request.address);
      to.f64(request.network);
      to.f64(request.arrivedAt);
      to.u32(request.cost);
      break;
    case 'message':
      to.text(request.subId);
      to.blob(request.message);
      to.f64(request.arrivedAt);
      to.u32(request.cost);
      break;
    case 'close':
      to.text(request.subId);
      break;
    case 'auth':
      writePubkeys(to, request.readers);
      break;
  }
}

/** Reads a request; its bytes are views of the batch. */
export function readSyncRequest(from: RecordReader): SyncRequest {
  const t = present(SYNC_REQUESTS[from.u8()], 'type of a sync request');
  const connId = from.u32();
  switch (t) {
    case 'open': {
      const subId = from.text();
      const filter = from.blob();
      const message = from.blob();
      const readers = readPubkeys(from);
      const name = from.text();
      const [address, network, arrivedAt] = [from.f64(), from.f64(), from.f64()];
      const cost = from.u32();
      return {
        t,
        connId,
        subId,
        filter,
        message,
        readers,
        name,
        address,
        network,
        arrivedAt,
        cost,
      };
    }
    case 'message': {
      const subId = from.text();
      const message = from.blob();
      const arrivedAt = from.f64();
      return { t, connId, subId, message, arrivedAt, cost: from.u32() };
    }
    case 'close':
      return { t, connId, subId: from.text() };
    case 'auth':
      return { t, connId, readers: readPubkeys(from) };
    case 'disconnect':
      return { t, connId };
  }
}
