/**
 * The map of wok: every message that crosses a thread, in the order of the data path.
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
 * The order rules that the stations keep, each with its test in `test/55.order.test.ts`, the last in
 * `test/64.vanish.order.test.ts`:
 *
 * 1. OK true leaves after the commit that holds the event, never before.
 * 2. Everything about one connection goes through the same ingester lane, everything about one
 *    subscription through the same query lane (both `connId % lanes`), CLOSE and disconnect
 *    included, so nothing overtakes its own hand-over.
 * 3. Stored hands over to live by sequence number: query answers from a snapshot at seq S, gives the
 *    subscription to monitor with S, and monitor first replays what came after S, or, if it keeps too
 *    little, has query send that out of the log while the subscription is live already. Each matching
 *    event arrives exactly once, whatever commits meanwhile.
 * 4. Every queue has a bound and a written answer to "full" (the table in README.md).
 * 5. OK true to a request to vanish (NIP-62) is the last that leaves of its key: it waits until
 *    everything that the request covers is removed, and then until io has read what every query lane
 *    and monitor sent before they knew of it (`Barrier`).
 *
 * Links that carry bodies or many small records are binary (`mailbox/records.ts`), one batch a turn; links that carry a structured message now and then use msgpackr.
 */

import type { SeenProxy } from './config/proxy-advice.ts';
import type { ChannelEnd } from './mailbox/channel.ts';
import type { RecordReader, RecordWriter } from './mailbox/records.ts';
import type { Encoded } from './pages/encoded.ts';
import type { Decision, DecisionBatch } from './policy/decisions.ts';
import type { KeyShare } from './policy/doors/keys.ts';
import type { ListEntry, ListName, Stance } from './policy/lists.ts';
import type { NostrEvent } from './protocol/event.ts';
import type { Refusal } from './protocol/refusal.ts';
import { pubkeyBytesOf } from './storage/body.ts';
import { postingKind } from './storage/posting-kind.ts';

// ── io → ingester ────────────────────────────────────────────────────────────────────────────────

/** What an io record tells an ingester lane. */
export const FRAME = 1;
export const DISCONNECTED = 2;
export const CONNECTED = 3;
export const ARRIVED = 4;
export const REFUSED_REQ = 5;

/**
 * A text frame as it came from the socket; the end of a connection, without bytes; its beginning,
 * before any of its frames, with bytes for `readClient`; the REQ that io refused without parsing it, with
 * bytes for `readRefusedReq`; or, first in a batch, when the frames after it came from their sockets, with
 * bytes for `readArrived`.
 */
export interface Frame {
  type: typeof FRAME | typeof DISCONNECTED | typeof CONNECTED | typeof ARRIVED | typeof REFUSED_REQ;
  connId: number;
  bytes: Buffer;
}

/** Who connected, as io knows it. */
export interface ConnectedClient {
  /** The client's address, behind trusted proxies; not an address if the socket was reset meanwhile. */
  ip: string;
  /** The Host header of the upgrade, as the client wrote it; '' if there was none. */
  host: string;
  /** What io has sent it to sign (NIP-42); '' if nothing. */
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

/** A REQ that io has refused: its ingester lane knows the subscription that it ends, and answers. */
export interface RefusedReq {
  subId: string;
  why: Refusal;
}

export function writeRefusedReq(to: RecordWriter, connId: number, bytes: Uint8Array): void {
  to.u8(REFUSED_REQ);
  to.u32(connId);
  to.blob(bytes);
}

/** The bytes of a REFUSED_REQ record. */
export function refusedReqBytes({ subId, why }: RefusedReq): Buffer {
  return Buffer.from(JSON.stringify([subId, why]));
}

export function readRefusedReq(bytes: Buffer): RefusedReq {
  const [subId, why] = JSON.parse(bytes.toString()) as [string, Refusal];
  return { subId, why };
}

/** `at` is in shared milliseconds (`lib/clock.ts`). */
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

/** In the place of `settles`: the connection is closed with 1008, and the frame is the reason. */
export const CLOSES = 0xffff_ffff;
/** In its place, too: the connection is closed, and everything that it had sent was handled. */
export const LEFT = 0xffff_fffe;

/**
 * A frame for one connection. `settles` is the cost of the message that it answers, 0 if it answers
 * none; an empty frame only settles (a CLOSE has no answer).
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

/** What the writer tells io: an answer, or that a key has vanished. */
export function readAnswer(from: RecordReader): Answer | Vanished {
  const connId = from.u32();
  if (connId === NO_CONNECTION) return readVanished(from);
  return { connId, settles: from.u32(), frame: from.blob() };
}

/** In the place of a connection, whose numbers begin with 1: the record is about something else. */
const NO_CONNECTION = 0;

/** What a key that has vanished from the relay (NIP-62) had there. */
export interface VanishedKey {
  /** 64 hex digits: the author of events, and whom gift wraps were for. */
  pubkey: string;
  /** Up to which `created_at` they are removed. */
  until: number;
  /** Whether there were any, or the request was carried out before. */
  removed: boolean;
}

/** Answers that io holds until nothing of a key leaves any more. */
export interface Vanished {
  key: VanishedKey;
  answers: Answer[];
}

/** The answers have frames as text. */
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
 * An event whose shape, limits, id and signature are checked, on its way to the log.
 *
 * `terms` are its index terms (`storage/terms.ts`), `address` is `kind:pubkey:d` for replaceable and
 * addressable events and '' for others, `expiresAt` is 0 when it never expires, `body` is what is
 * stored (`storage/body.ts`).
 */
export interface CheckedEvent {
  connId: number;
  kind: number;
  createdAt: number;
  expiresAt: number;
  terms: Float64Array;
  address: string;
  body: Buffer;
  /** When it came from its socket, in shared milliseconds (`lib/clock.ts`); 0: from no socket. */
  arrivedAt: number;
  /** What its message costs until it is answered (`lib/message-cost.ts`); 0: nobody waits for an answer. */
  cost: number;
  /** Why it is kept apart instead of being stored (`spam.quarantine_points`); '' when it is stored. */
  held: string;
  /** Where the record stands in its batch, so that it can travel on as it is. */
  start: number;
  end: number;
}

/** What a gate has found out about an event that passed it. */
export interface EventFacts {
  event: Pick<NostrEvent, 'kind' | 'created_at'>;
  /** Seconds since 1970; 0: never. */
  expiresAt: number;
  terms: readonly number[];
  /** `kind:pubkey:d`, or '' for an event that no other replaces. */
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

/** An event that was accepted: `seq` is its place in the log, or 0 for an ephemeral one. */
export interface AcceptedEvent extends CheckedEvent {
  seq: number;
}

/** Written first into every batch: where the log stood before it. Alone when monitor is attached. */
export function writeHead(to: RecordWriter, head: number): void {
  to.f64(head);
}

/** Passes the record on with its place in the log in front; `batch` is what it was read from. */
export function writeAcceptedEvent(
  to: RecordWriter,
  seq: number,
  event: CheckedEvent,
  batch: Buffer,
): void {
  to.f64(seq);
  to.raw(batch.subarray(event.start, event.end));
}

/** Tells monitor that an event is gone: it stands in the place of an accepted one. */
export function writeRemovedEvent(to: RecordWriter, seq: number): void {
  to.f64(-seq);
}

/** An event that was accepted, or the seq of one that was removed. */
export function readAcceptedEvent(from: RecordReader): AcceptedEvent | number {
  const seq = from.f64();
  return seq < 0 ? -seq : Object.assign(readCheckedEvent(from), { seq });
}

// ── writer → query ───────────────────────────────────────────────────────────────────────────────

/** What a query lane's window keeps of an event of the log that the index does not hold yet. */
export interface AcceptedTerms {
  seq: number;
  createdAt: number;
  /** As the index keeps it (`storage/posting-kind.ts`). */
  kind: number;
  /** 32 bytes. */
  pubkey: Uint8Array;
  terms: Float64Array;
}

/** What a batch for a query lane begins with. */
export interface AcceptedHead {
  /** Up to where the index behind the log has come. */
  indexedSeq: number;
  /** Events removed from the log ever (`mailbox/removals.ts`), those named here included. */
  removals: number;
  /** The seqs of events that were removed since the batch before. */
  removed: Float64Array;
}

/** Written first into every batch. */
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

/** What a plugin is asked about. */
export const ASK_EVENT = 1;
export const ASK_REQ = 2;
export const ASK_COUNT = 3;

/**
 * A question for the plugins. `ticket` numbers the questions of an ingester lane; `subject` is the id of
 * the event or of the subscription, `body` the canonical JSON of the event or a JSON array of filters.
 * `sourceType` is a place in `policy/plugins/protocol.ts`.
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

/** How a verdict came about. */
export const PLUGIN_ACCEPT = 1;
export const PLUGIN_REJECT = 2;
export const PLUGIN_SHADOW = 3;
/** Accepted, but with the filters in `filters`. */
export const PLUGIN_REPLACE = 4;
/** Nobody could be asked: refused, or let through by an open circuit, as the plugin's entry says. */
export const PLUGIN_FAILED = 5;
export const PLUGIN_FAILED_OPEN = 6;
/** A plugin is alive and has more to do than it can. */
export const PLUGIN_BUSY = 7;

/** plugins → ingester: `by` is the plugin that decided, `filters` a JSON array or empty. */
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
 * `subNo` numbers the subscriptions of a connection in the order of their REQs; a REQ that re-uses a
 * subscription id has a new one and names the old one in `replaces`. `filters` are packed
 * (`mailbox/filters.ts`).
 */
export type QueryRequest =
  | {
      t: 'req';
      connId: number;
      subNo: number;
      subId: string;
      replaces: number;
      filters: Uint8Array;
      /** When it came from its socket, in shared milliseconds (`lib/clock.ts`). */
      arrivedAt: number;
      /** What its message costs until it is answered (`lib/message-cost.ts`), here and below. */
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
   * A REQ was refused that wanted to take over this subscription: it ends, and `why` is the answer;
   * `first` is a frame that has to come before it, or ''.
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
   * The pubkeys that have authenticated on the connection, all of them (NIP-42), and the OK to the last
   * of them: it leaves when monitor has been told, so that what is published after it is delivered. ''
   * when there is nothing to answer: a key has been taken away. Open subscriptions are sent what the
   * new key may read of the stored events.
   */
  | { t: 'auth'; connId: number; readers: string[]; answer: string; cost: number }
  /**
   * Who asks, before the first query and when it has changed: the address by which its queries take
   * turns, an IPv6 one by its prefix, and the tags of the accounts that they are charged to; 0: none.
   */
  | { t: 'client'; connId: number; name: string; address: number; network: number }
  /** A frame that has to come before the answers to what is asked after it. */
  | { t: 'say'; connId: number; frame: string }
  /** The connection is closed with 1008, behind everything that it was sent before; `why` in a NOTICE. */
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

/** query → ingester: the relay ended a subscription by CLOSED; its place is free again. */
export interface SubscriptionEnded {
  connId: number;
  subId: string;
  subNo: number;
}

// ── query → io ───────────────────────────────────────────────────────────────────────────────────

/** What a query record tells io about a subscription (or, for ANSWER, about a COUNT). */
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
 * `OPEN` makes the subscription known, `EVENTS` carries frames (each a blob) for it, `EOSE` opens the
 * way for live events, `CLOSED` ends it with a frame, `GONE` without one. `TURNED_AWAY` closes the
 * connection, and says why. `HOLD` keeps live events of the subscription back until `RESUME`: stored
 * events come first. Monitor holds, too, and either may arrive first, so io counts them. `confirm` asks
 * io for a `Room` once everything so far has left for the socket.
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

/** Everything that this lane asked to confirm has left for the socket of `connId`. */
export interface Room {
  connId: number;
}

/**
 * io → query, io → monitor: from its mark on, the lane sends nothing of this key. It reads first what
 * the writer has sent, by which it hears of all removals.
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
 * `seq` is the snapshot up to which the subscription was answered; live begins right after it.
 * `readers` are the pubkeys that have authenticated on the connection (NIP-42); `auth` brings a
 * connection's open subscriptions up to date, and has io hold those in `held`, whose stored events the
 * query lane sends once it knows up to which event they were matched without the new key.
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
 * What monitor notes on its channel to a query lane while it takes events. A hand-over wakes nobody if
 * monitor stands where its snapshot ends: then it is read before the next event is.
 */
export const MONITOR_BUSY = -1;

/** What monitor notes when it has seen everything up to `head`. */
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

/** What monitor tells a query lane. */
export type FromMonitor = Behind | ReadersApplied;

/**
 * monitor → query: the answer to an `auth` that holds subscriptions. Events up to `upTo` were matched
 * with the readers before it, later ones with those that it named.
 */
export interface ReadersApplied {
  t: 'readers';
  connId: number;
  upTo: number;
}

/**
 * monitor → query: more was written since `seq` than monitor can replay. The subscription is live from
 * `upTo` on; query sends what came in between, out of the log.
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

/** The live subscriptions with one subscription id that an event goes to. */
export interface DeliveryGroup {
  /** How the frame begins: `["EVENT",id,`. Good until the next group is read. */
  readonly prefix: Buffer;
  /** Subscriptions in it. */
  readonly size: number;
}

/**
 * `groups` has pairs of connId and subNo by the beginning of their frames (`eventPrefix`).
 *
 * @returns how many subscriptions there are in them.
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

/** Written in the place of a delivery: io holds these subscriptions (`HOLD`). */
export function writeHold(to: RecordWriter, connId: number, subNos: readonly number[]): void {
  // No event is empty.
  to.blob(NO_BYTES);
  to.u32(connId);
  to.u32(subNos.length);
  for (const subNo of subNos) to.u32(subNo);
}

/** Written in the place of a delivery: the answer to the `Barrier` with this number. */
export function writeMonitorMark(to: RecordWriter, n: number): void {
  to.blob(NO_BYTES);
  to.u32(NO_CONNECTION);
  to.u32(n);
}

/** What io does with what monitor sends. */
export interface DeliveryReader {
  /** The JSON of an event, a view into the batch. */
  begin(json: Buffer): void;
  /** Each of the subscriptions that it is for. */
  target(connId: number, subNo: number, group: DeliveryGroup): void;
  /** Each of the subscriptions to be held. */
  hold(connId: number, subNo: number): void;
  mark(n: number): void;
}

/** Reads a delivery, or what stands in its place. */
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

/** A group of which the prefix is read only if somebody asks: io knows most already. */
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
 * What the admin room may have the writer change. The changes of one request are one transaction: all
 * of them or none. A change is carried out by the function of its name in `writer/desk.ts`.
 */
export type Change =
  /** One row of the audit log: who did what to whom, and why. */
  | { t: 'audit'; at: number; by: string; action: string; subject: string; reason: string }
  | { t: 'list'; entry: ListEntry; by: string; at: number; reason: string }
  /** Takes a subject off a list, if it is on it with this stance. */
  | { t: 'unlist'; list: ListName; subject: string; stance: Stance }
  /** Removes events by their place in the log; those that are gone already are passed over. */
  | { t: 'remove'; seqs: number[]; why?: { rule: string; by: string; text: string } }
  /** Remembers decisions, and forgets the oldest beyond `max`. */
  | { t: 'decisions'; decisions: Decision[]; max: number }
  | { t: 'forgetAudit'; before: number }
  /** What people changed of the relay's own description; null: as it is configured. */
  | { t: 'setting'; name: string; value: string | null }
  | { t: 'role'; role: Role }
  /** Also takes the role from everybody who has it. */
  | { t: 'unrole'; id: string }
  | { t: 'assign'; pubkey: string; role: string; by: string; at: number }
  | { t: 'unassign'; pubkey: string; role: string }
  /** Counts a use of an invite, if it has one left (NIP-43). */
  | { t: 'useInvite'; nonce: string; uses: number; expiresAt: number }
  /** Publishes an event that the relay has signed. */
  | { t: 'publish'; json: string }
  /** By which event a request to vanish was confirmed. */
  | { t: 'receipt'; request: string; receipt: string }
  /** The reports about an event or a person have been dealt with. */
  | { t: 'closeReports'; target: string }
  /** Stores what is in quarantine, by the rules for everything else; what may not be stored stays there. */
  | { t: 'release'; ids: string[] }
  | { t: 'discard'; ids: string[] };

/** ingester → admin: what a client asks the relay itself for (NIP-43). `n` numbers those of a lane. */
export interface MemberRequest {
  t: 'member';
  n: number;
  member: 'join' | 'leave' | 'invite';
  /** Who asks. */
  pubkey: string;
  /** The invite code of a request to join; else ''. */
  claim: string;
  createdAt: number;
}

/** admin → ingester: the OK to it, or the invite as JSON of an event. */
export interface MemberAnswer {
  n: number;
  ok: boolean;
  text: string;
}

/**
 * ingester → admin: hosts by which clients reach the relay and that it does not know to be its own,
 * with how often they were seen since the last report; at most one report a second.
 */
export interface SeenAddresses {
  t: 'addresses';
  seen: { host: string; count: number }[];
}

/** A role that members may have (NIP-43). */
export interface Role {
  id: string;
  label: string;
  description: string;
  /** A hue from 0 to 360, or null. */
  color: number | null;
  /** For display. */
  order: number | null;
}

/** admin → writer. `n` numbers the requests of the room. */
export interface ChangeRequest {
  n: number;
  changes: Change[];
}

/** writer → admin: how many rows each change touched, after the commit; or why nothing was changed. */
export interface ChangeReply {
  n: number;
  rows: number[];
  error: string;
}

/** What the writer sends to the admin room. */
export type FromWriter = ChangeReply | DecisionBatch;

// ── admin ↔ io ───────────────────────────────────────────────────────────────────────────────────

/** admin → io. */
export type ForIo =
  /** The banned addresses and networks, with the seconds since 1970 when their ban ends (0: never). */
  | { t: 'banned'; networks: { network: string; until: number }[] }
  | { t: 'info'; changes: InfoChanges }
  /** The answer to a management request, or to the page for admins; then perhaps with more headers. */
  | { t: 'answer'; n: number; status: string; body: string; headers?: [string, string][] }
  /** The public page, or null when it cannot be made; the log says why. */
  | { t: 'page'; made: PageAnswer | null };

/** The public page and its live figures as JSON, made at the same moment. */
export interface PageAnswer {
  html: Encoded;
  figures: Encoded;
}

/** What was changed of the relay's description while it ran; what is not named is as configured. */
export interface InfoChanges {
  name?: string;
  description?: string;
  icon?: string;
  /** The relay's own public key (NIP-11). */
  self?: string;
}

/** What io sends to the admin room. */
export type FromIo = ManagementRequest | AdminCall | DecisionBatch | PageRequest | ProxyReport;

/**
 * io → admin: proxies that do not tell the addresses of their clients, with how often that was seen
 * since the last report; at most one report a second.
 */
export interface ProxyReport {
  proxies: SeenProxy[];
}

/** io → admin: somebody wants to see the public page, and the last one is old. */
export interface PageRequest {
  wants: 'page';
  /** The address of the relay's icon. */
  icon: string;
}

/** io → admin: a request by the management API (NIP-86), as it came. `n` numbers those of io. */
export interface ManagementRequest {
  n: number;
  authorization: string;
  host: string;
  /** Path and query. */
  url: string;
  body: Uint8Array;
}

/** io → admin: a request by the page for admins, as it came; '' for a header that is not there. */
export interface AdminCall {
  call: 'login' | 'logout' | 'api';
  n: number;
  authorization: string;
  cookie: string;
  host: string;
  origin: string;
  /** The header Sec-Fetch-Site. */
  fetchSite: string;
  contentType: string;
  /** The client's address, and whether it came by https as far as io can tell. */
  ip: string;
  encrypted: boolean;
  body: Uint8Array;
}

// ── supervisor ↔ every lane (its control port) ───────────────────────────────────────────────────

/** The six stations, and what stands beside the data path: the plugins' room and the admin room. */
export type StationName =
  | 'io'
  | 'ingester'
  | 'writer'
  | 'query'
  | 'monitor'
  | 'sync'
  | 'plugins'
  | 'admin';

/** One end of a link, and who is at the other. */
export interface Link {
  station: StationName;
  lane: number;
  end: ChannelEnd;
}

/**
 * What the supervisor tells a lane. A lane that starts is given all of its links at once. After
 * `reload` the answer to a ping says that the new configuration is in effect.
 */
export type Control =
  | { t: 'attach'; links: Link[] }
  | { t: 'ping'; n: number }
  | { t: 'reload'; config: import('./config/options.ts').Config }
  /** The writer takes the database over from another process, or lets go of it for another. */
  | { t: 'own' }
  | { t: 'release' }
  /** How an order was carried out, or why not. */
  | { t: 'done'; n: number; result: unknown; error: string }
  | KeyShare
  | { t: 'stop' };

/** What a lane says of itself when it is ready. */
export type LaneFacts = Record<string, string | number | SharedArrayBuffer>;

/**
 * What a lane may ask of the whole process: to read the configuration again, to start a successor; what a
 * reload would change; where the values in effect stand (by option, without those that have their
 * default); whether the relay is well (`Health` in `io/listen.ts`).
 */
export type Order = 'reload' | 'restart' | 'compare' | 'origins' | 'health';

/** What `origins` is answered with. */
export interface OriginsAnswer {
  /** The configuration file in effect, absolute; null where there is none. */
  readonly file: string | null;
  /** Where the values of options stand that have not their default: `relay.conf line 3`, `--port`. */
  readonly options: Readonly<Record<string, string>>;
}

/** What a lane tells the supervisor. */
export type Report =
  | { t: 'order'; n: number; order: Order }
  | { t: 'ready'; facts: LaneFacts }
  /** Why the lane cannot start: structured clone would lose the error's name and fields. */
  | { t: 'failed'; name: string; message: string; fault?: string; code?: string }
  | { t: 'pong'; n: number }
  /** What is wrong beside the thread itself, or ''; `hold`: the process had better not be ended now. */
  | { t: 'trouble'; text: string; hold: boolean }
  /** A list of keys for all ingester lanes, those that start later too. */
  | KeyShare
  | {
      t: 'log';
      level: 'debug' | 'info' | 'warn' | 'error';
      text: string;
      facts: Record<string, unknown>;
    };
