// Records io → ingester: frames of clients, and the connections that they came from. It holds no
// state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { RECORDS } from './map.ts';

const NO_BYTES = new Uint8Array(0);

/** Types of the records that io sends to an ingester worker. */
export const {
  frame: FRAME,
  disconnected: DISCONNECTED,
  connected: CONNECTED,
  arrived: ARRIVED,
  refusedReq: REFUSED_REQ,
} = RECORDS.ioIngester;

/**
 * Record of io about one connection. `bytes` is, by `type`:
 *
 * - `FRAME`: the text frame as it came from the socket;
 * - `DISCONNECTED`, the end of the connection: empty;
 * - `CONNECTED`, before all of its frames: for `readClient`;
 * - `REFUSED_REQ`, a REQ that io refused without parsing it: for `readRefusedReq`;
 * - `ARRIVED`, first in a batch, the arrival time of the frames after it: for `readArrived`.
 */
export interface Frame {
  type: typeof FRAME | typeof DISCONNECTED | typeof CONNECTED | typeof ARRIVED | typeof REFUSED_REQ;
  connId: number;
  bytes: Buffer;
}

/**
 * Source of a connection. `client`: it came over the network. The others came through the local
 * socket in the data directory, which only the user of the relay may open: `import` with events of
 * the operator's own files, `stream` and `sync` with events of another relay.
 */
export type ConnectionSource = (typeof SOURCES)[number];

const SOURCES = ['client', 'import', 'stream', 'sync'] as const;

/** Returns the source that a path of the local socket names, or null. */
export function localSource(path: string): Exclude<ConnectionSource, 'client'> | null {
  const found = SOURCES.find((source) => path === `/${source}`);
  return found === undefined || found === 'client' ? null : found;
}

/** Client of a connection, as io knows it. */
export interface ConnectedClient {
  source: ConnectionSource;
  /**
   * Client address, resolved through trusted proxies; no address if the socket was reset. Of a
   * local connection it is what the program names as the origin of its events, or ''.
   */
  ip: string;
  /** Host header of the upgrade, as the client wrote it; '' if there was none. */
  host: string;
  /** Challenge that io has sent to be signed (NIP-42); '' if none. */
  challenge: string;
}

export function writeConnected(to: RecordWriter, connId: number, client: ConnectedClient): void {
  to.u8(CONNECTED);
  to.u32(connId);
  to.textOf(client.ip, ` ${client.challenge} ${client.source} `, client.host);
}

export function readClient(bytes: Buffer): ConnectedClient {
  const text = bytes.toString();
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  const third = text.indexOf(' ', second + 1);
  assert(first >= 0 && second > first && third > second, 'a record of a client lacks a field');
  return {
    ip: text.slice(0, first),
    challenge: text.slice(first + 1, second),
    source: text.slice(second + 1, third) as ConnectionSource,
    host: text.slice(third + 1),
  };
}

export function writeFrame(to: RecordWriter, connId: number, bytes: Uint8Array): void {
  to.u8(FRAME);
  to.u32(connId);
  to.blob(bytes);
}

export function writeDisconnected(to: RecordWriter, connId: number): void {
  to.u8(DISCONNECTED);
  to.u32(connId);
  to.blob(NO_BYTES);
}

/** REQ that io has refused; answered by the ingester worker, which ends its subscription. */
export interface RefusedReq {
  subId: string;
  why: Refusal;
}

export function writeRefusedReq(to: RecordWriter, connId: number, bytes: Uint8Array): void {
  to.u8(REFUSED_REQ);
  to.u32(connId);
  to.blob(bytes);
}

/** Returns the bytes of a REFUSED_REQ record. */
export function refusedReqBytes({ subId, why }: RefusedReq): Buffer {
  return Buffer.from(JSON.stringify([subId, why]));
}

export function readRefusedReq(bytes: Buffer): RefusedReq {
  const [subId, why] = JSON.parse(bytes.toString()) as [string, Refusal];
  return { subId, why };
}

/** @param at in shared milliseconds (`lib/clock.ts`). */
export function writeArrived(to: RecordWriter, at: number): void {
  to.u8(ARRIVED);
  to.u32(0);
  to.u32(8);
  to.f64(at);
}

export function readArrived(bytes: Buffer): number {
  return bytes.readDoubleLE(0);
}

export function readFrame(from: RecordReader): Frame {
  const type = from.u8() as Frame['type'];
  assert(type >= FRAME && type <= REFUSED_REQ, 'a record of io has an unknown type');
  return { type, connId: from.u32(), bytes: from.blob() };
}
