// Messages between the threads of the relay: their types, the binary encoding of each, and the
// order rules that senders and receivers keep. It holds no state.

/**
 * Map of all messages that cross a thread, in the order of the data path.
 *
 * ```text
 *  sockets ─▶ io ─Frame▶ ingester ─CheckedEvent▶ writer ─AcceptedEvent▶ monitor ─Delivery▶ io
 *                            │                      ├─AcceptedTerms▶ query
 *                            │                      └─Answer▶ io
 *                            │                      └─Vanished▶ io ─Barrier▶ query, monitor
 *                            ├─Answer▶ io
 *                            ├─PluginAsk▶ plugins ─PluginVerdict▶ ingester
 *                            └─QueryRequest▶ query ─Stored▶ io ─Room▶ query
 *                                              └─Handover▶ monitor ─Behind, ReadersApplied▶ query
 * ```
 *
 * The stations keep these order rules. Each has a test in `test/55.order.test.ts`, the last one in
 * `test/64.vanish.order.test.ts`:
 *
 * 1. OK true is sent after the commit that holds the event, never before.
 * 2. All messages about one connection go through the same ingester worker, and all messages about
 *    one subscription through the same query worker (both `connId % lanes`), CLOSE and disconnect
 *    included, so nothing overtakes its own hand-over.
 * 3. Stored hands over to live by sequence number: query answers from a snapshot at seq S and gives
 *    the subscription to monitor with S; monitor first replays the events after S, or, if it keeps
 *    too few, has query send them out of the log while the subscription is live already. Each
 *    matching event arrives exactly once, whatever commits meanwhile.
 * 4. Every queue has a bound and a written answer to "full" (the table in docs/architecture.md).
 * 5. OK true to a request to vanish (NIP-62) is the last frame about its key: it waits until all
 *    events that the request covers are removed, and then until io has read what every query worker
 *    and monitor sent before they knew of the removal (`Barrier`).
 *
 * Links that carry bodies or many small records are binary (`channel/records.ts`), one batch a
 * turn; links that carry a structured message now and then use msgpackr.
 */

import type { ListEntry, ListName, Stance } from './access/lists.ts';
import type { KeyShare } from './access/shared-keys.ts';
import type { ChannelEnd } from './channel/channel.ts';
import type { RecordReader, RecordWriter } from './channel/records.ts';
import type { SeenProxy } from './config/proxy-advice.ts';
import type { Encoded } from './lib/encoded.ts';
import type { Decision, DecisionBatch } from './policy/rejection-log.ts';
import type { NostrEvent } from './protocol/event.ts';
import type { Refusal } from './protocol/refusal.ts';
import { pubkeyBytesOf } from './store/body/body.ts';
import { postingKind } from './store/index/posting-kind.ts';

// ── io → ingester ────────────────────────────────────────────────────────────────────────────────

/** Types of the records that io sends to an ingester worker. */
export const FRAME = 1;
export const DISCONNECTED = 2;
export const CONNECTED = 3;
export const ARRIVED = 4;
export const REFUSED_REQ = 5;

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

/** Client of a connection, as io knows it. */
export interface ConnectedClient {
  /** Client address, resolved through trusted proxies; no address if the socket was reset. */
  ip: string;
  /** Host header of the upgrade, as the client wrote it; '' if there was none. */
  host: string;
  /** Challenge that io has sent to be signed (NIP-42); '' if none. */
  challenge: string;
}

export function writeConnected(to: RecordWriter, connId: number, client: ConnectedClient): void {
  to.u8(CONNECTED);
  to.u32(connId);
  to.textOf(client.ip, ` ${client.challenge} `, client.host);
}

export function readClient(bytes: Buffer): ConnectedClient {
  const text = bytes.toString();
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  return {
    ip: text.slice(0, first),
    challenge: text.slice(first + 1, second),
    host: text.slice(second + 1),
  };
}

export function writeFrame(to: RecordWriter, connId: number, bytes: Uint8Array): void {
  to.u8(FRAME);
  to.u32(connId);
  to.blob(bytes);
}

const NO_BYTES = new Uint8Array(0);

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
  return { type, connId: from.u32(), bytes: from.blob() };
}

// ── ingester → io, writer → io ───────────────────────────────────────────────────────────────────

/** Value in place of `settles`: io closes the connection with 1008; the frame is the reason. */
export const CLOSES = 0xffff_ffff;
/** Value in place of `settles`: the connection is closed, and all its frames were handled. */
export const LEFT = 0xffff_fffe;

/**
 * Frame for one connection. `settles` acknowledges a message: it is the cost of the message that
 * the frame answers, or 0 if it answers none. An empty frame only acknowledges (a CLOSE has no
 * answer).
 */
export interface Answer {
  connId: number;
  settles: number;
  frame: Buffer;
}

export function writeAnswer(
  to: RecordWriter,
  connId: number,
  settles: number,
  frame: string,
): void {
  to.u32(connId);
  to.u32(settles);
  to.text(frame);
}

/** Reads a record of writer for io: an answer, or the end of a key that has vanished. */
export function readAnswer(from: RecordReader): Answer | Vanished {
  const connId = from.u32();
  if (connId === NO_CONNECTION) return readVanished(from);
  return { connId, settles: from.u32(), frame: from.blob() };
}

/** Value in place of a connection id, which begins with 1: the record is of another type. */
const NO_CONNECTION = 0;

/** Key that has vanished from the relay (NIP-62), and the events that it had there. */
export interface VanishedKey {
  /** 64 hex digits: the author of the events, and the recipient of the gift wraps. */
  pubkey: string;
  /** Newest `created_at` that is removed. */
  until: number;
  /** True if there were any events, or if the request had been carried out before. */
  removed: boolean;
}

/** Answers that io holds until no more events of the key are sent. */
export interface Vanished {
  key: VanishedKey;
  answers: Answer[];
}

/** Writes a `Vanished`, from answers with their frames as text. */
export function writeVanished(
  to: RecordWriter,
  key: VanishedKey,
  answers: readonly { connId: number; settles: number; frame: string }[],
): void {
  to.u32(NO_CONNECTION);
  writeVanishedKey(to, key);
  to.u32(answers.length);
  for (const { connId, settles, frame } of answers) writeAnswer(to, connId, settles, frame);
}

function readVanished(from: RecordReader): Vanished {
  const key = readVanishedKey(from);
  const answers = Array.from({ length: from.u32() }, () => ({
    connId: from.u32(),
    settles: from.u32(),
    frame: from.blob(),
  }));
  return { key, answers };
}

function writeVanishedKey(to: RecordWriter, { pubkey, until, removed }: VanishedKey): void {
  to.ascii(pubkey);
  to.f64(until);
  to.u8(removed ? 1 : 0);
}

function readVanishedKey(from: RecordReader): VanishedKey {
  return { pubkey: from.ascii(), until: from.f64(), removed: from.u8() === 1 };
}

// ── ingester → writer ────────────────────────────────────────────────────────────────────────────

/**
 * Event with checked shape, limits, id and signature, on its way to the log.
 *
 * `terms` are its index terms (`store/index/terms.ts`), `address` is `kind:pubkey:d` for replaceable
 * and addressable events and '' for others, `expiresAt` is 0 if it never expires, `body` is the
 * stored form (`store/body/body.ts`).
 */
export interface CheckedEvent {
  connId: number;
  kind: number;
  createdAt: number;
  expiresAt: number;
  terms: Float64Array;
  address: string;
  body: Buffer;
  /** Arrival time at its socket, in shared milliseconds (`lib/clock.ts`); 0: from no socket. */
  arrivedAt: number;
  /** Cost of its message until it is answered (`lib/message-cost.ts`); 0: there is no answer. */
  cost: number;
  /** Reason for quarantine (`spam.quarantine_points`); '' if the event is to be stored. */
  held: string;
  /** Range of the record in its batch, so that it can be passed on as it is. */
  start: number;
  end: number;
}

/** Validated event: the fields that the event validator has derived from it. */
export interface EventFacts {
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
  { event, expiresAt, terms, address }: EventFacts,
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
  const terms = new Float64Array(from.u32());
  for (let i = 0; i < terms.length; i++) terms[i] = from.f64();
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

// ── writer → monitor ─────────────────────────────────────────────────────────────────────────────

/** Event that was accepted; `seq` is its place in the log, or 0 for an ephemeral event. */
export interface AcceptedEvent extends CheckedEvent {
  seq: number;
}

/** Writes the head of the log: first in every batch, and alone when monitor is attached. */
export function writeHead(to: RecordWriter, head: number): void {
  to.f64(head);
}

/** Passes the record on after its place in the log; `batch` is the one it was read from. */
export function writeAcceptedEvent(
  to: RecordWriter,
  seq: number,
  event: CheckedEvent,
  batch: Buffer,
): void {
  to.f64(seq);
  to.raw(batch.subarray(event.start, event.end));
}

/** Tells monitor that an event was removed, in place of an accepted one. */
export function writeRemovedEvent(to: RecordWriter, seq: number): void {
  to.f64(-seq);
}

/** Reads an accepted event, or the seq of a removed one. */
export function readAcceptedEvent(from: RecordReader): AcceptedEvent | number {
  const seq = from.f64();
  return seq < 0 ? -seq : Object.assign(readCheckedEvent(from), { seq });
}

// ── writer → query ───────────────────────────────────────────────────────────────────────────────

/** Entry of the tail index of a query worker: an event that the on-disk index does not hold. */
export interface AcceptedTerms {
  seq: number;
  createdAt: number;
  /** Kind as the index keeps it (`store/index/posting-kind.ts`). */
  kind: number;
  /** 32 bytes. */
  pubkey: Uint8Array;
  terms: Float64Array;
}

/** Beginning of every batch for a query worker. */
export interface AcceptedHead {
  /** Last seq of the log that the on-disk index holds. */
  indexedSeq: number;
  /** Number of events removed from the log ever (`channel/removals.ts`), `removed` included. */
  removals: number;
  /** Seqs of the events removed since the batch before. */
  removed: Float64Array;
}

/** Writes the beginning of a batch. */
export function writeAcceptedHead(
  to: RecordWriter,
  indexedSeq: number,
  removals: number,
  removed: readonly number[],
): void {
  to.f64(indexedSeq);
  to.u32(removals);
  to.u32(removed.length);
  for (const seq of removed) to.f64(seq);
}

export function readAcceptedHead(from: RecordReader): AcceptedHead {
  const indexedSeq = from.f64();
  const removals = from.u32();
  const removed = new Float64Array(from.u32());
  for (let i = 0; i < removed.length; i++) removed[i] = from.f64();
  return { indexedSeq, removals, removed };
}

export function writeAcceptedTerms(to: RecordWriter, seq: number, event: CheckedEvent): void {
  to.f64(seq);
  to.f64(event.createdAt);
  to.u32(postingKind(event.kind, event.expiresAt));
  to.blob(pubkeyBytesOf(event.body));
  to.u32(event.terms.length);
  for (const term of event.terms) to.f64(term);
}

export function readAcceptedTerms(from: RecordReader): AcceptedTerms {
  const seq = from.f64();
  const createdAt = from.f64();
  const kind = from.u32();
  const pubkey = from.blob();
  const terms = new Float64Array(from.u32());
  for (let i = 0; i < terms.length; i++) terms[i] = from.f64();
  return { seq, createdAt, kind, pubkey, terms };
}

// ── ingester ↔ plugins ───────────────────────────────────────────────────────────────────────────

/** Types of questions to a plugin. */
export const ASK_EVENT = 1;
export const ASK_REQ = 2;
export const ASK_COUNT = 3;

/**
 * Question for the plugins. `ticket` numbers the questions of an ingester worker; `subject` is the
 * id of the event or of the subscription, `body` the canonical JSON of the event or a JSON array of
 * filters. `sourceType` is an index into the list in `policy/plugins/protocol.ts`.
 */
export interface PluginAsk {
  ticket: number;
  type: number;
  connId: number;
  kind: number;
  sourceType: number;
  sourceInfo: string;
  authed: string;
  subject: string;
  body: Buffer;
}

export function writePluginAsk(to: RecordWriter, ask: PluginAsk): void {
  to.u32(ask.ticket);
  to.u8(ask.type);
  to.u32(ask.connId);
  to.u16(ask.kind);
  to.u8(ask.sourceType);
  to.text(ask.sourceInfo);
  to.text(ask.authed);
  to.text(ask.subject);
  to.blob(ask.body);
}

export function readPluginAsk(from: RecordReader): PluginAsk {
  return {
    ticket: from.u32(),
    type: from.u8(),
    connId: from.u32(),
    kind: from.u16(),
    sourceType: from.u8(),
    sourceInfo: from.text(),
    authed: from.text(),
    subject: from.text(),
    body: from.blob(),
  };
}

/** Outcomes of a plugin's response. */
export const PLUGIN_ACCEPT = 1;
export const PLUGIN_REJECT = 2;
export const PLUGIN_SHADOW = 3;
/** Accepted, but with the filters in `filters`. */
export const PLUGIN_REPLACE = 4;
/** No plugin could be asked: refused, or accepted by an open circuit, as its entry says. */
export const PLUGIN_FAILED = 5;
export const PLUGIN_FAILED_OPEN = 6;
/** A plugin is alive but overloaded. */
export const PLUGIN_BUSY = 7;

/** plugins → ingester: response of the plugin `by`; `filters` is a JSON array or empty. */
export interface PluginVerdict {
  ticket: number;
  outcome: number;
  by: string;
  message: string;
  filters: string;
}

export function writePluginVerdict(to: RecordWriter, verdict: PluginVerdict): void {
  to.u32(verdict.ticket);
  to.u8(verdict.outcome);
  to.text(verdict.by);
  to.text(verdict.message);
  to.text(verdict.filters);
}

export function readPluginVerdict(from: RecordReader): PluginVerdict {
  return {
    ticket: from.u32(),
    outcome: from.u8(),
    by: from.text(),
    message: from.text(),
    filters: from.text(),
  };
}

// ── ingester → query ─────────────────────────────────────────────────────────────────────────────

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
  const t = QUERY_REQUESTS[from.u8()]!;
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

function writePubkeys(to: RecordWriter, pubkeys: readonly string[]): void {
  to.u32(pubkeys.length);
  for (const pubkey of pubkeys) to.ascii(pubkey);
}

function readPubkeys(from: RecordReader): string[] {
  return Array.from({ length: from.u32() }, () => from.ascii());
}

/** query → ingester: the relay ended a subscription by CLOSED; it does not count any more. */
export interface SubscriptionEnded {
  connId: number;
  subId: string;
  subNo: number;
}

// ── query → io ───────────────────────────────────────────────────────────────────────────────────

/** Types of the records of a query worker for io, about a subscription (`ANSWER`: a COUNT). */
export const OPEN = 1;
export const EVENTS = 2;
export const EOSE = 3;
export const CLOSED = 4;
export const GONE = 5;
export const ANSWER = 6;
export const TURNED_AWAY = 7;
export const HOLD = 8;
export const RESUME = 9;
export const MARK = 10;

/**
 * Record of a query worker about a subscription. `OPEN` makes the subscription known, `EVENTS`
 * carries frames for it (each a blob), `EOSE` lets live events follow, `CLOSED` ends it with a
 * frame, `GONE` without one. `TURNED_AWAY` closes the connection with a reason. `HOLD` holds live
 * events of the subscription back until `RESUME`, because stored events come first; monitor sends
 * holds, too, and either may arrive first, so io counts them. `confirm` asks io for a `Room` once
 * all bytes so far have been sent to the socket.
 */
export interface Stored {
  type: number;
  connId: number;
  subNo: number;
  settles: number;
  confirm: number;
  payload: Buffer;
}

/** Writes all but the payload, which follows as one blob. */
export function writeStoredHead(
  to: RecordWriter,
  type: number,
  connId: number,
  subNo: number,
  settles: number,
  confirm: number,
): void {
  to.u8(type);
  to.u32(connId);
  to.u32(subNo);
  to.u32(settles);
  to.u8(confirm);
}

export function readStored(from: RecordReader): Stored {
  return {
    type: from.u8(),
    connId: from.u32(),
    subNo: from.u32(),
    settles: from.u32(),
    confirm: from.u8(),
    payload: from.blob(),
  };
}

// ── io → query, io → monitor ─────────────────────────────────────────────────────────────────────

/** Window update: all bytes to be confirmed to this worker have left for the socket. */
export interface Room {
  connId: number;
}

/**
 * io → query, io → monitor: request for a mark. After its mark the receiver sends no event of this
 * key. Before it, the receiver reads the messages of writer, which name all removals.
 */
export interface Barrier {
  n: number;
  key: VanishedKey;
}

export function writeRoom(to: RecordWriter, connId: number): void {
  to.u32(connId);
}

export function writeBarrier(to: RecordWriter, { n, key }: Barrier): void {
  to.u32(NO_CONNECTION);
  to.u32(n);
  writeVanishedKey(to, key);
}

export function readFromIo(from: RecordReader): Room | Barrier {
  const connId = from.u32();
  return connId === NO_CONNECTION ? { n: from.u32(), key: readVanishedKey(from) } : { connId };
}

// ── query → monitor ──────────────────────────────────────────────────────────────────────────────

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
 * not wake monitor if the progress word is that of its snapshot (`monitorStands`): then it is read
 * before the next event.
 */
export const MONITOR_BUSY = -1;

/** Returns the progress word of monitor for having seen all events up to `head`. */
export function monitorStands(head: number): number {
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
  const t = HANDOVERS[from.u8()]!;
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
export type FromMonitor = Behind | ReadersApplied;

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
export interface Behind {
  t: 'behind';
  connId: number;
  subNo: number;
  subId: string;
  seq: number;
  upTo: number;
  filters: Uint8Array;
  readers: readonly string[];
}

// ── monitor → io ─────────────────────────────────────────────────────────────────────────────────

/** Live subscriptions with one subscription id that get an event. */
export interface DeliveryGroup {
  /** Beginning of the frame: `["EVENT",id,`. Valid until the next group is read. */
  readonly prefix: Buffer;
  /** Number of its subscriptions. */
  readonly size: number;
}

/**
 * Writes an event for the subscriptions of `groups`: pairs of connId and subNo by the beginning of
 * their frames (`eventPrefix`).
 *
 * @returns the number of subscriptions.
 */
export function writeDelivery(
  to: RecordWriter,
  json: Uint8Array,
  groups: ReadonlyMap<string, readonly number[]>,
): number {
  let subscriptions = 0;
  to.blob(json);
  to.u32(groups.size);
  for (const [prefix, targets] of groups) {
    to.text(prefix);
    to.u32(targets.length / 2);
    for (const number of targets) to.u32(number);
    subscriptions += targets.length / 2;
  }
  return subscriptions;
}

/** Writes, in place of a delivery, a hold for these subscriptions (`HOLD`). */
export function writeHold(to: RecordWriter, connId: number, subNos: readonly number[]): void {
  // An empty blob marks it: no event is empty.
  to.blob(NO_BYTES);
  to.u32(connId);
  to.u32(subNos.length);
  for (const subNo of subNos) to.u32(subNo);
}

/** Writes, in place of a delivery, the answer to the `Barrier` with this number. */
export function writeMonitorMark(to: RecordWriter, n: number): void {
  to.blob(NO_BYTES);
  to.u32(NO_CONNECTION);
  to.u32(n);
}

/** Callbacks of io for the records of monitor. */
export interface DeliveryReader {
  /** Called with the JSON of an event, a view into the batch. */
  begin(json: Buffer): void;
  /** Called for each subscription that gets the event. */
  target(connId: number, subNo: number, group: DeliveryGroup): void;
  /** Called for each subscription to be held. */
  hold(connId: number, subNo: number): void;
  mark(n: number): void;
}

/** Reads a delivery, or a hold or mark in place of one. */
export function readDelivery(from: RecordReader, reader: DeliveryReader): void {
  const json = from.blob();
  if (json.length === 0) {
    const connId = from.u32();
    if (connId === NO_CONNECTION) {
      reader.mark(from.u32());
      return;
    }
    for (let left = from.u32(); left > 0; left--) reader.hold(connId, from.u32());
    return;
  }
  reader.begin(json);
  for (let groups = from.u32(); groups > 0; groups--) {
    const group = new GroupAt(from, from.skipBlob(), from.u32());
    for (let i = 0; i < group.size; i++) reader.target(from.u32(), from.u32(), group);
  }
}

/** Group with a prefix that is only read on demand: io knows most prefixes already. */
class GroupAt implements DeliveryGroup {
  readonly #from: RecordReader;
  readonly #at: number;
  readonly size: number;

  constructor(from: RecordReader, at: number, size: number) {
    this.#from = from;
    this.#at = at;
    this.size = size;
  }

  get prefix(): Buffer {
    return this.#from.blobAt(this.#at);
  }
}

// ── admin ↔ writer ───────────────────────────────────────────────────────────────────────────────

/**
 * Change that the admin worker may have the writer make. The changes of one request are one
 * transaction: all of them or none. A change is carried out by the function of its name in
 * `writer/change-executor.ts`.
 */
export type Change =
  /** Row of the audit log: actor, action, subject and reason. */
  | { t: 'audit'; at: number; by: string; action: string; subject: string; reason: string }
  | { t: 'list'; entry: ListEntry; by: string; at: number; reason: string }
  /** Removes a subject from a list, if it is listed with this stance. */
  | { t: 'unlist'; list: ListName; subject: string; stance: Stance }
  /** Removes events by their place in the log; events that are gone already are skipped. */
  | { t: 'remove'; seqs: number[]; why?: { rule: string; by: string; text: string } }
  /** Adds rejection records, and deletes the oldest beyond `max`. */
  | { t: 'decisions'; decisions: Decision[]; max: number }
  | { t: 'forgetAudit'; before: number }
  /** Setting of the relay's own description, made at run time; null: as it is configured. */
  | { t: 'setting'; name: string; value: string | null }
  | { t: 'role'; role: Role }
  /** Also takes the role from all members who have it. */
  | { t: 'unrole'; id: string }
  | { t: 'assign'; pubkey: string; role: string; by: string; at: number }
  | { t: 'unassign'; pubkey: string; role: string }
  /** Counts a use of an invite, if it has one left (NIP-43). */
  | { t: 'useInvite'; nonce: string; uses: number; expiresAt: number }
  /** Publishes an event that the relay has signed. */
  | { t: 'publish'; json: string }
  /** Event by which a request to vanish was confirmed. */
  | { t: 'receipt'; request: string; receipt: string }
  /** Closes the reports about an event or a person. */
  | { t: 'closeReports'; target: string }
  /** Stores quarantined events by the usual rules; those that may not be stored stay there. */
  | { t: 'release'; ids: string[] }
  | { t: 'discard'; ids: string[] };

/** ingester → admin: request of a client to the relay (NIP-43). `n` numbers those of a worker. */
export interface MemberRequest {
  t: 'member';
  n: number;
  member: 'join' | 'leave' | 'invite';
  /** Client that asks. */
  pubkey: string;
  /** Invite code of a request to join; else ''. */
  claim: string;
  createdAt: number;
}

/** admin → ingester: the OK to the request, or the invite as JSON of an event. */
export interface MemberAnswer {
  n: number;
  ok: boolean;
  text: string;
}

/**
 * ingester → admin: hosts by which clients reach the relay and that it does not know to be its own,
 * with the number of sightings since the last report; at most one report a second.
 */
export interface SeenAddresses {
  t: 'addresses';
  seen: { host: string; count: number }[];
}

/** Role that members may have (NIP-43). */
export interface Role {
  id: string;
  label: string;
  description: string;
  /** Hue from 0 to 360, or null. */
  color: number | null;
  /** For display. */
  order: number | null;
}

/** admin → writer: changes, in one transaction. `n` numbers the requests of the admin worker. */
export interface ChangeRequest {
  n: number;
  changes: Change[];
}

/**
 * writer → admin: number of rows that each change touched, after the commit; or the error for which
 * nothing was changed.
 */
export interface ChangeReply {
  n: number;
  rows: number[];
  error: string;
}

/** Messages of the writer to the admin worker. */
export type FromWriter = ChangeReply | DecisionBatch;

// ── admin ↔ io ───────────────────────────────────────────────────────────────────────────────────

/** Messages of the admin worker to io. */
export type ForIo =
  /** Banned addresses and networks, with the end of each ban in seconds since 1970 (0: never). */
  | { t: 'banned'; networks: { network: string; until: number }[] }
  | { t: 'info'; changes: InfoChanges }
  /** Answer to a management request or to the admin page, which may have more headers. */
  | { t: 'answer'; n: number; status: string; body: string; headers?: [string, string][] }
  /** Public page, or null if it cannot be made; the log has the reason. */
  | { t: 'page'; made: PageAnswer | null };

/** Public page and its live figures as JSON, made at the same moment. */
export interface PageAnswer {
  html: Encoded;
  figures: Encoded;
}

/** Changes of the relay's description at run time; fields that are missing are as configured. */
export interface InfoChanges {
  name?: string;
  description?: string;
  icon?: string;
  /** Public key of the relay itself (NIP-11). */
  self?: string;
}

/** Messages of io to the admin worker. */
export type FromIo = ManagementRequest | AdminCall | DecisionBatch | PageRequest | ProxyReport;

/**
 * io → admin: proxies that do not pass on the addresses of their clients, with the number of
 * sightings since the last report; at most one report a second.
 */
export interface ProxyReport {
  proxies: SeenProxy[];
}

/** io → admin: request for a new public page; a client asked for it, and the last one is old. */
export interface PageRequest {
  wants: 'page';
  /** Address of the relay's icon. */
  icon: string;
}

/** io → admin: request of the management API (NIP-86), as it came. `n` numbers those of io. */
export interface ManagementRequest {
  n: number;
  authorization: string;
  host: string;
  /** Path and query. */
  url: string;
  body: Uint8Array;
}

/** io → admin: request of the admin page, as it came; '' for a header that is missing. */
export interface AdminCall {
  call: 'login' | 'logout' | 'api';
  n: number;
  authorization: string;
  cookie: string;
  host: string;
  origin: string;
  /** Header Sec-Fetch-Site. */
  fetchSite: string;
  contentType: string;
  /** Address of the client. `encrypted` is true if it came by https as far as io can tell. */
  ip: string;
  encrypted: boolean;
  body: Uint8Array;
}

// ── supervisor ↔ every lane (its control port) ───────────────────────────────────────────────────

/** Names of the six stations, and of plugin host and admin worker beside the data path. */
export type StationName =
  | 'io'
  | 'ingester'
  | 'writer'
  | 'query'
  | 'monitor'
  | 'sync'
  | 'plugins'
  | 'admin';

/** One end of a link, and the worker at the other end. */
export interface Link {
  station: StationName;
  lane: number;
  end: ChannelEnd;
}

/**
 * Message of the supervisor to a worker thread. A worker that starts is given all of its links at
 * once. After `reload`, the answer to a ping means that the new configuration is in effect.
 */
export type Control =
  | { t: 'attach'; links: Link[] }
  | { t: 'ping'; n: number }
  | { t: 'reload'; config: import('./config/options.ts').Config }
  /** The writer takes the database over from another process (`own`), or releases it for one. */
  | { t: 'own' }
  | { t: 'release' }
  /** Outcome of an order: its result, or the error. */
  | { t: 'done'; n: number; result: unknown; error: string }
  | KeyShare
  | { t: 'stop' };

/** Data that a worker reports when it is ready. */
export type LaneFacts = Record<string, string | number | SharedArrayBuffer>;

/**
 * Order of a worker that concerns the whole process: `reload` reads the configuration again,
 * `restart` starts a successor, `compare` tells what a reload would change, `origins` tells where
 * the values in effect come from (by option, without those that have their default), `health` tells
 * if the relay is well (`Health` in `io/listen.ts`).
 */
export type Order = 'reload' | 'restart' | 'compare' | 'origins' | 'health';

/** Answer to `origins`. */
export interface OriginsAnswer {
  /** Configuration file in effect, absolute; null if there is none. */
  readonly file: string | null;
  /** Source of each option that does not have its default: `relay.conf line 3`, `--port`. */
  readonly options: Readonly<Record<string, string>>;
}

/** Messages of a worker to the supervisor. */
export type Report =
  | { t: 'order'; n: number; order: Order }
  | { t: 'ready'; facts: LaneFacts }
  /** Error for which the worker cannot start: structured clone would lose its name and fields. */
  | { t: 'failed'; name: string; message: string; fault?: string; code?: string }
  | { t: 'pong'; n: number }
  /** Trouble outside of the thread itself, or ''; `hold`: the process should not be ended now. */
  | { t: 'trouble'; text: string; hold: boolean }
  /** List of keys for all ingester workers, those that start later included. */
  | KeyShare
  | {
      t: 'log';
      level: 'debug' | 'info' | 'warn' | 'error';
      text: string;
      facts: Record<string, unknown>;
    };
