import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Channel } from '../mailbox/channel.ts';
import type { Credits } from '../mailbox/credits.ts';
import { packFilters } from '../mailbox/filters.ts';
import { MessageInbox, MessageOutbox, RecordOutbox } from '../mailbox/outbox.ts';
import { RecordReader } from '../mailbox/records.ts';
import {
  ARRIVED,
  CLOSES,
  CONNECTED,
  type ConnectedClient,
  DISCONNECTED,
  type MemberAnswer,
  type MemberRequest,
  type QueryRequest,
  readArrived,
  readClient,
  readFrame,
  type StationName,
  type SubscriptionEnded,
  writeAnswer,
  writeCheckedEvent,
  writeQueryRequest,
} from '../messages.ts';
import type { Meter } from '../metrics/meter.ts';
import type { ReadNotes } from '../metrics/refused-reads.ts';
import { filterShapes } from '../metrics/slow-queries.ts';
import { type DecisionBatch, DecisionNotes } from '../policy/decisions.ts';
import type { DoorKeys, KeyShare, Nip05Message, VerifyRequest } from '../policy/doors/keys.ts';
import { ACCEPT, type Judgement, type ReadJudgement, VERDICT_QUEUE_FULL } from '../policy/judge.ts';
import type { Judges } from '../policy/judges.ts';
import type { Lists, ListUpdate } from '../policy/lists.ts';
import type { Rates } from '../policy/rates/rates.ts';
import { EVENTS, SUBSCRIPTIONS } from '../policy/rates/shared-rates.ts';
import { ReadPolicy } from '../policy/read-policy.ts';
import { refuse, type Verdict } from '../policy/verdict.ts';
import {
  authChallenge,
  closedAnswer,
  eventPrefix,
  negErrorAnswer,
  noticeAnswer,
  okAnswer,
} from '../protocol/answers.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Filter, FilterLimits } from '../protocol/filter.ts';
import { parseFilter } from '../protocol/filter.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { SignatureBackend } from '../protocol/signature/signature.ts';
import { addresseeOf, looksLikeClose, refusalTo } from '../protocol/unparsed.ts';
import { BodyMaker } from '../storage/body.ts';
import type { IdFilter } from '../storage/id-filter.ts';
import { type Db, tuneReader } from '../storage/open.ts';
import type { TermHasher } from '../storage/terms.ts';
import { Authentication } from './authentication.ts';
import { banishedBy, KEY_BANNED, ONE_KEY_BANNED } from './banishment.ts';
import { type Connection, Connections } from './connections.ts';
import { Doorway } from './doorway.ts';
import { EventGate, type PassedEvent } from './event-gate.ts';
import { IngesterMeter } from './ingester-meter.ts';
import { Members } from './members.ts';
import { isRequest, MessageScan, opensAtMost } from './message-scan.ts';
import { WaitingReads } from './waiting-reads.ts';
import { WaitingRoom } from './waiting-room.ts';

/**
 * Longest id, in UTF-16 units, that is quoted back although it is none. It is quoted whole or not at
 * all: the beginning of it might be the id of something else.
 */
const STRANGE_ID_MAX = 4096;

const AUTH_REQUIRED = 'auth-required:';

const WRITER_FULL: Refusal =
  'rate-limited: this relay is storing events as fast as it can; try again';

const NO_FILTER: Refusal = 'error: a policy of this relay answers with filters that are none';

/** What the threads next to this one lend it. */
export interface IngesterParts {
  config: Config;
  db: Db;
  hasher: TermHasher;
  signature: SignatureBackend;
  idFilter: IdFilter;
  /** Bytes of frames that wait for this lane. */
  frameBytes: Credits;
  /** Events that wait for the writer. */
  writerEvents: Credits;
  /** What people banned and allowed; kept up to date by the admin room. */
  lists: Lists;
  /** Whom the admin room knows from files, from the follow graph, and by their NIP-05 address. */
  keys: DoorKeys;
  /** Asked last, behind the signature check: the policy that may take its time. */
  judges: Judges;
  /** What clients may ask for, shared with all other threads. */
  rates: Rates;
  clock: Clock;
  meter: Meter;
  /** Where refused REQs and COUNTs are remembered. */
  readNotes?: ReadNotes;
}

/**
 * Station ingester, N threads: makes messages of frames and refuses what is wrong with them.
 *
 * In: raw frames of its connections (`connId % lanes`) from io, ended subscriptions from query, bans
 * from the admin room. Out:
 * checked events to writer, filters to the connection's query lane, refusals to io. Bound:
 * `io.queue_bytes_max` bytes of frames, counted by io, which refuses at the door beyond it. If it dies,
 * its connections are closed with 1012 and it starts again.
 */
export class Ingester {
  #parts: IngesterParts;
  readonly #gate: EventGate;
  readonly #decisions: DecisionNotes;
  #filterLimits: FilterLimits;
  readonly #meter: IngesterMeter;
  readonly #scan = new MessageScan();
  #authentication: Authentication;
  #readPolicy: ReadPolicy;
  readonly #members: Members;
  readonly #connections: Connections;
  /** Events that wait for their judgement. */
  readonly #waiting: WaitingRoom;
  /** REQs and COUNTs that do. */
  readonly #reads: WaitingReads;
  /** What connections send while somebody decides about them. */
  readonly #doorway: Doorway;
  readonly #queries = new Map<number, RecordOutbox>();
  #io: RecordOutbox | null = null;
  #writer: RecordOutbox | null = null;
  #admin: Channel | null = null;
  /** Events for the writer that are not on their way yet; nobody would release them if this lane died. */
  #unposted = 0;
  readonly #bodies: BodyMaker;

  constructor(parts: IngesterParts) {
    this.#bodies = new BodyMaker(parts.config.storage.pack_bodies);
    this.#parts = parts;
    this.#meter = new IngesterMeter(parts.meter);
    this.#gate = new EventGate(parts);
    this.#authentication = new Authentication(parts.config, parts.clock);
    this.#readPolicy = new ReadPolicy(parts.config, parts.lists);
    this.#members = new Members(parts.config);
    const { decisions_per_second_max: perSecond } = parts.config.moderation;
    this.#decisions = new DecisionNotes(perSecond, () => parts.clock.seconds());
    this.#connections = new Connections(parts.config.limits.subscriptions_max);
    const { waiting_events_max, waiting_bytes_max } = parts.config.plugins;
    this.#waiting = new WaitingRoom(waiting_events_max, waiting_bytes_max);
    this.#reads = new WaitingReads(waiting_events_max, waiting_bytes_max);
    this.#doorway = new Doorway(waiting_bytes_max);
    this.#filterLimits = filterLimits(parts.config);
  }

  reconfigure(config: Config): void {
    this.#parts = { ...this.#parts, config };
    const { rates } = this.#parts;
    rates.reconfigure(config);
    for (const connection of this.#connections.all()) {
      connection.client = rates.client(connection.ip);
    }
    this.#decisions.perSecond = config.moderation.decisions_per_second_max;
    this.#gate.reconfigure(config);
    this.#parts.judges.reconfigure(config);
    this.#authentication = new Authentication(config, this.#parts.clock);
    this.#readPolicy = new ReadPolicy(config, this.#parts.lists);
    this.#members.reconfigure(config);
    this.#connections.subscriptionsMax = config.limits.subscriptions_max;
    this.#filterLimits = filterLimits(config);
    tuneReader(this.#parts.db, config.storage);
  }

  attach(station: StationName, lane: number, channel: Channel): void {
    if (station === 'io') {
      this.#io = new RecordOutbox(channel);
      channel.receive((batch) => this.#frames(new RecordReader(batch)));
    } else if (station === 'writer') {
      this.#writer = new RecordOutbox(channel, () => {
        this.#parts.writerEvents.add(this.#unposted);
        this.#unposted = 0;
      });
    } else if (station === 'admin') {
      this.#admin = channel;
      const inbox = new MessageInbox<ListUpdate | Nip05Message | MemberAnswer>();
      const { lists, keys } = this.#parts;
      const admin = new MessageOutbox<VerifyRequest | DecisionBatch | MemberRequest>(channel);
      this.#members.attach((request) => admin.send(request));
      keys.attach((request) => admin.send(request));
      this.#decisions.to((batch) => admin.send(batch));
      channel.receive((batch) => {
        for (const message of inbox.read(batch)) {
          if ('n' in message) this.#members.take(message);
          else if (message.t === 'nip05') keys.verified(message);
          else {
            lists.update(message);
            this.#banish(message);
          }
        }
      });
    } else if (station === 'plugins') {
      this.#parts.judges.attachPlugins(channel);
    } else if (station === 'query') {
      this.#queries.set(lane, new RecordOutbox(channel));
      const inbox = new MessageInbox<SubscriptionEnded>();
      channel.receive((batch) => {
        for (const { connId, subId, subNo } of inbox.read(batch)) {
          this.#connections.ended(connId, subId, subNo);
        }
      });
    }
  }

  takeKeys(share: KeyShare): void {
    this.#parts.keys.take(share);
  }

  stop(): void {
    this.#parts.judges.stop();
    this.#parts.db.close();
  }

  #frames(reader: RecordReader): void {
    // What somebody was told to be in force is, for whatever is sent after that.
    this.#admin?.drain();
    while (reader.more) {
      const { type, connId, bytes } = readFrame(reader);
      if (type === DISCONNECTED) {
        this.#connections.disconnect(connId);
        this.#reads.drop(connId);
        this.#doorway.leave(connId);
        this.#query(connId, { t: 'disconnect', connId });
      } else if (type === CONNECTED) {
        this.#connected(connId, readClient(bytes));
      } else if (type === ARRIVED) {
        this.#meter.arrived(readArrived(bytes));
      } else {
        this.#parts.frameBytes.release(bytes.length);
        if (!this.#doorway.has(connId)) this.#message(connId, bytes);
        else if (!this.#doorway.keep(connId, bytes)) {
          this.#refuse(connId, bytes, VERDICT_QUEUE_FULL.message);
        }
      }
    }
    this.#writer?.flush();
    this.#io?.flush();
    this.#meter.batchEnds(this.#waiting.size);
  }

  #connected(connId: number, client: ConnectedClient): void {
    const connection = this.#connections.connect(connId, client);
    connection.client = this.#parts.rates.client(connection.ip);
    if (this.#parts.judges.asksConnections) this.#judgeConnection(connection);
  }

  /** Asks the policy about somebody who has connected; what they send meanwhile waits. */
  #judgeConnection(connection: Connection): void {
    const { connId } = connection;
    const judged = this.#parts.judges.judgeConnection(connection);
    if (!(judged instanceof Promise)) {
      if (judged !== null) this.#turnAway(connId, judged);
      return;
    }
    this.#doorway.enter(connId);
    void judged.then((refusal) => {
      const messages = this.#doorway.leave(connId);
      if (messages === null) return;
      if (refusal !== null) this.#turnAway(connId, refusal);
      else for (const bytes of messages) this.#message(connId, bytes);
    });
  }

  /** Closes a connection (1008); what it still sends is lost, as it would be on a closed socket. */
  #turnAway(connId: number, why: Refusal): void {
    this.#doorway.enter(connId);
    this.#meter.refused('other', why);
    const io = this.#io!;
    writeAnswer(io.records, connId, CLOSES, why);
    io.touch();
  }

  /** Who has only banned keys is sent away, behind the end of all subscriptions; others lose those keys. */
  #banish(update: ListUpdate): void {
    const { lists, clock } = this.#parts;
    const all = this.#connections.all();
    for (const { connection, left } of banishedBy(update, all, lists, clock.seconds())) {
      const { connId, subscriptions } = connection;
      connection.authed = new Set(left);
      this.#query(connId, { t: 'auth', connId, readers: [...left], answer: '' });
      if (left.length > 0) {
        this.#send(connId, 0, noticeAnswer(ONE_KEY_BANNED));
        continue;
      }
      // What it sends from now on, and what somebody is still asked about, is lost.
      this.#doorway.enter(connId);
      this.#reads.drop(connId);
      for (const subId of [...subscriptions.keys()]) this.#refuseReq(connId, subId, KEY_BANNED, []);
      this.#meter.refused('other', KEY_BANNED);
      this.#query(connId, { t: 'leave', connId, why: KEY_BANNED });
    }
  }

  #message(connId: number, bytes: Buffer): void {
    const { client } = this.#connections.of(connId);
    if (client !== null) {
      const verdict = this.#parts.rates.message(client, bytes.length);
      // A CLOSE has no answer by which it could be refused, and ends work instead of making some.
      if (verdict !== null && !looksLikeClose(bytes)) {
        this.#refuse(connId, bytes, verdict.refusal);
        return;
      }
    }
    const startedAt = performance.now();
    const depthMax = this.#parts.config.limits.json_depth_max;
    if (isRequest(bytes) && opensAtMost(bytes, depthMax)) this.#scan.clear();
    else this.#scan.scan(bytes, depthMax);
    if (this.#scan.tooDeep) {
      this.#violation(connId);
      this.#refuse(connId, bytes, `invalid: the message nests deeper than ${depthMax} levels`);
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(bytes.toString());
    } catch {
      if (isBlank(bytes)) this.#settle(connId);
      else {
        this.#violation(connId);
        this.#refuse(connId, bytes, 'invalid: the message is not JSON');
      }
      return;
    }
    this.#meter.parsed(startedAt);
    if (!Array.isArray(message) || typeof message[0] !== 'string') {
      this.#notice(connId, 'invalid: a message is a JSON array that begins with a verb');
      return;
    }
    this.#verb(connId, message as [string, ...unknown[]], bytes);
  }

  /** Something that only broken or hostile clients do: too much of it gets their address banned. */
  #violation(connId: number): void {
    const { client } = this.#connections.of(connId);
    if (client !== null) this.#parts.rates.violation(client);
  }

  /** Whether there is room for one more of these, or why not. */
  #rate(connId: number, bucket: number): Verdict | null {
    const { client } = this.#connections.of(connId);
    return client === null ? null : this.#parts.rates.one(client, bucket);
  }

  /** Refuses what was not parsed. */
  #refuse(connId: number, bytes: Buffer, why: Refusal): void {
    const addressee = addresseeOf(bytes);
    if (addressee?.verb === 'REQ') this.#refuseReq(connId, addressee.id, why, []);
    else {
      this.#meter.unparsedRefused(addressee?.verb ?? 'other', why);
      this.#answer(connId, refusalTo(addressee, why));
    }
  }

  #verb(connId: number, message: [string, ...unknown[]], bytes: Buffer): void {
    this.#meter.verb(message[0]);
    switch (message[0]) {
      case 'EVENT':
        this.#event(connId, message[1], bytes);
        break;
      case 'REQ':
      case 'COUNT':
        if (
          this.#parts.judges.asksReads ||
          this.#reads.has(connId) ||
          this.#inviter(connId, message) !== null
        ) {
          this.#judgeRead(connId, message, bytes.length);
        } else {
          this.#read(connId, message);
        }
        break;
      case 'CLOSE':
        this.#reads.cancel(connId, message[1]);
        this.#close(connId, message[1]);
        break;
      case 'AUTH':
        this.#auth(connId, message[1], bytes);
        break;
      case 'NEG-OPEN':
      case 'NEG-MSG':
        this.#answer(connId, negError(message[1]));
        break;
      default:
        this.#notice(
          connId,
          `unsupported: unknown verb ${quoted(message[0])}; this relay knows EVENT, REQ, COUNT, CLOSE and AUTH`,
        );
    }
  }

  #auth(connId: number, value: unknown, bytes: Buffer): void {
    const tooMany = this.#rate(connId, EVENTS);
    if (tooMany !== null) {
      this.#meter.refused('AUTH', tooMany.refusal);
      this.#answer(connId, okAnswer(idIn(value), false, tooMany.refusal));
      return;
    }
    const connection = this.#connections.of(connId);
    const authentication = this.#authentication;
    // Whoever answers a challenge that was never sent gets the one to answer.
    this.#challenge(connId);
    const { lists, clock } = this.#parts;
    const event = this.#gate.checkAuth(value, bytes, this.#scan, (claimed) => {
      const isBanned = lists.stance('pubkey', claimed.pubkey, clock.seconds()) === 'ban';
      return isBanned ? KEY_BANNED : authentication.check(connection, claimed);
    });
    if (typeof event === 'string') {
      this.#meter.refused('AUTH', event);
      this.#answer(connId, okAnswer(idIn(value), false, event));
      return;
    }
    const answer = okAnswer(event.id, true, '');
    if (authentication.accept(connection, event)) {
      this.#query(connId, { t: 'auth', connId, readers: [...connection.authed], answer });
    } else this.#answer(connId, answer);
  }

  /** Sends the client its challenge, if it has none yet. */
  #challenge(connId: number): void {
    const challenge = this.#authentication.challenge(this.#connections.of(connId));
    this.#send(connId, 0, challengeFrame(challenge));
  }

  #event(connId: number, value: unknown, bytes: Buffer): void {
    const tooMany = this.#rate(connId, EVENTS);
    if (tooMany !== null) {
      this.#meter.eventRefused(value, tooMany);
      this.#decisions.note(value, 'refused', tooMany.rule, tooMany.refusal);
      this.#answer(connId, okAnswer(idIn(value), false, tooMany.refusal));
      return;
    }
    const checked = this.#gate.check(value, bytes, this.#scan, this.#connections.of(connId));
    if ('refusal' in checked) {
      const { refusal, rule } = checked;
      this.#meter.eventRefused(value, checked);
      if (rule !== 'duplicate') this.#decisions.note(value, 'refused', rule, refusal);
      if (rule === 'shape' || rule === 'id' || rule === 'signature') this.#violation(connId);
      if (refusal.startsWith(AUTH_REQUIRED)) this.#challenge(connId);
      this.#answer(connId, okAnswer(idIn(value), rule === 'duplicate', refusal));
      return;
    }
    if (this.#parts.judges.asksWrites) this.#judge(connId, checked);
    else this.#store(connId, checked, this.#meter.arrivedAt);
  }

  /** Asks the policy that may take its time; the events of one connection keep their order. */
  #judge(connId: number, passed: PassedEvent): void {
    const { event, json } = passed;
    const { length } = json;
    const { arrivedAt } = this.#meter;
    const askedAt = performance.now();
    const from = this.#connections.of(connId);
    const mayWait = this.#waiting.admits(length);
    const judged = this.#parts.judges.judgeWrite({ event, json, from }, mayWait);
    if (!(judged instanceof Promise)) {
      if (!this.#waiting.has(connId)) {
        this.#obey(connId, passed, judged, arrivedAt);
        return;
      }
      if (!mayWait) {
        this.#obey(connId, passed, VERDICT_QUEUE_FULL, arrivedAt);
        return;
      }
    }
    const place = this.#waiting.take(connId, length);
    const kept = { ...passed, json: Buffer.from(json) };
    const settle = (judgement: Judgement) =>
      place.settle(() => this.#obey(connId, kept, judgement, arrivedAt));
    if (judged instanceof Promise) {
      void judged.then((judgement) => {
        this.#meter.judged(askedAt, judgement);
        settle(judgement);
      });
    } else settle(judged);
  }

  #obey(connId: number, passed: PassedEvent, judgement: Judgement, arrivedAt: number): void {
    if (judgement.action === 'accept') {
      this.#store(connId, passed, arrivedAt);
      return;
    }
    const { event } = passed;
    if (judgement.action === 'refuse') {
      this.#refuseEvent(connId, event, refuse(judgement.rule, judgement.message), judgement.by);
      return;
    }
    if (judgement.action === 'hold') {
      this.#decisions.note(event, 'quarantined', judgement.rule, judgement.why, judgement.by);
      this.#store(connId, passed, arrivedAt, judgement.why);
      return;
    }
    this.#meter.eventShadowed(event.kind);
    this.#decisions.note(event, 'shadowed', judgement.rule, judgement.message, judgement.by);
    this.#answer(connId, okAnswer(event.id, true, judgement.message));
  }

  /** Refuses an event that the gate has passed. */
  #refuseEvent(connId: number, event: NostrEvent, verdict: Verdict, by = ''): void {
    this.#meter.eventRefused(event, verdict);
    if (verdict.refusal.startsWith(AUTH_REQUIRED)) this.#challenge(connId);
    this.#decisions.note(event, 'refused', verdict.rule, verdict.refusal, by);
    this.#answer(connId, okAnswer(event.id, false, verdict.refusal));
  }

  /** A request to the relay itself (NIP-43): it is answered, and neither stored nor passed on. */
  #request(connId: number, event: NostrEvent): void {
    const { authed } = this.#connections.of(connId);
    void this.#members.request(event, authed).then(({ ok, text }) => {
      if (text.startsWith(AUTH_REQUIRED)) this.#challenge(connId);
      this.#answer(connId, okAnswer(event.id, ok, text));
    });
  }

  #store(connId: number, passed: PassedEvent, arrivedAt: number, held = ''): void {
    if (this.#members.concerns(passed.event.kind)) {
      this.#request(connId, passed.event);
      return;
    }
    const { event, json, terms, address, expiresAt } = passed;
    const { writerEvents, config } = this.#parts;
    if (writerEvents.used + this.#unposted >= config.writer.queue_events_max) {
      this.#refuseEvent(connId, event, refuse('writer-queue', WRITER_FULL));
      return;
    }
    this.#unposted++;
    const writer = this.#writer!;
    writeCheckedEvent(
      writer.records,
      connId,
      event.kind,
      event.created_at,
      expiresAt,
      terms,
      address,
      this.#bodies.make(json),
      arrivedAt,
      held,
    );
    writer.touch();
  }

  /** Asks the policy about a REQ or COUNT; those of one connection keep their order. */
  #judgeRead(connId: number, message: [string, ...unknown[]], bytes: number): void {
    const [verb, subId, ...filters] = message;
    const mayWait = this.#reads.admits(bytes);
    const from = this.#connections.of(connId);
    // What is wrong by itself is refused in its turn, and nobody is asked about it.
    const isRead = typeof subId === 'string' && typeof this.#filters(connId, message) !== 'string';
    let judged = isRead
      ? this.#parts.judges.judgeRead(
          { type: verb as 'REQ' | 'COUNT', subId, filters, from },
          mayWait,
        )
      : ACCEPT;
    const inviter = isRead && mayWait ? this.#inviter(connId, message) : null;
    let invite = '';
    if (inviter !== null) {
      judged = Promise.all([judged, this.#members.invite(inviter)]).then(([judgement, event]) => {
        invite = event;
        return judgement;
      });
    }
    if (!(judged instanceof Promise)) {
      if (!this.#reads.has(connId)) {
        this.#obeyRead(connId, message, judged);
        return;
      }
      if (!mayWait) {
        this.#reads.cancel(connId, subId);
        this.#obeyRead(connId, message, VERDICT_QUEUE_FULL);
        return;
      }
    }
    const place = this.#reads.take(connId, String(subId), bytes);
    const { arrivedAt } = this.#meter;
    const settle = (judgement: ReadJudgement) =>
      place.settle(() => {
        this.#meter.arrivedAt = arrivedAt;
        if (place.isCancelled) {
          this.#settle(connId);
          return;
        }
        if (invite !== '' && judgement.action === 'accept') {
          const frame = `${eventPrefix(String(subId))}${invite}]`;
          this.#query(connId, { t: 'say', connId, frame });
        }
        this.#obeyRead(connId, message, judgement);
      });
    if (judged instanceof Promise) void judged.then(settle);
    else settle(judged);
  }

  /** The member whom a REQ brings an invite (NIP-43), or null. */
  #inviter(connId: number, message: readonly unknown[]): string | null {
    const { config, lists, clock } = this.#parts;
    if (!config.membership.enabled || message[0] !== 'REQ') return null;
    const filters = this.#parsed(message);
    if (typeof filters === 'string') return null;
    const { authed } = this.#connections.of(connId);
    return this.#members.inviter(filters, authed, lists, clock.seconds());
  }

  #obeyRead(connId: number, message: [string, ...unknown[]], judgement: ReadJudgement): void {
    const [verb, subId] = message;
    if (judgement.action === 'accept') {
      this.#read(connId, message);
    } else if (judgement.action === 'refuse') {
      if (verb === 'REQ') this.#refuseReq(connId, String(subId), judgement.message, message);
      else this.#refuseCount(connId, String(subId), judgement.message, message);
    } else {
      const replaced: [string, ...unknown[]] = [verb, subId, ...judgement.filters];
      if (typeof this.#parsed(replaced) !== 'string') this.#read(connId, replaced);
      else this.#obeyRead(connId, message, { ...judgement, action: 'refuse', message: NO_FILTER });
    }
  }

  #read(connId: number, message: [string, ...unknown[]]): void {
    if (message[0] === 'REQ') this.#req(connId, message);
    else this.#count(connId, message);
  }

  #req(connId: number, message: readonly unknown[]): void {
    const subId = this.#id(connId, 'REQ', message[1]);
    if (subId === null) return;
    const filters = this.#rate(connId, SUBSCRIPTIONS)?.refusal ?? this.#filters(connId, message);
    if (typeof filters === 'string') {
      this.#refuseReq(connId, subId, filters, message);
      return;
    }
    const opened = this.#connections.open(connId, subId);
    if (opened === null) {
      const max = this.#parts.config.limits.subscriptions_max;
      const why: Refusal = `rate-limited: too many subscriptions; this relay allows ${max} a connection, CLOSE one first`;
      this.#meter.tooManySubscriptions();
      this.#noteRead('REQ', connId, why, message);
      this.#meter.refused('REQ', why);
      this.#answer(connId, closedAnswer(subId, why));
      return;
    }
    const { arrivedAt } = this.#meter;
    this.#introduce(connId);
    this.#query(connId, { t: 'req', connId, subId, ...opened, filters, arrivedAt });
  }

  /** Tells the query lane who pays, before the first query and when it has changed. */
  #introduce(connId: number): void {
    const connection = this.#connections.of(connId);
    const { client } = connection;
    if (connection.payer === client) return;
    connection.payer = client;
    const [address, network] = [client?.address.tag ?? 0, client?.network.tag ?? 0];
    this.#query(connId, { t: 'payer', connId, address, network });
  }

  /**
   * A refused REQ also ends the subscription whose id it wanted to take over; then its query lane
   * answers, so that no event of the subscription comes after its CLOSED.
   */
  #refuseReq(connId: number, subId: string, why: Refusal, message: readonly unknown[]): void {
    this.#noteRead('REQ', connId, why, message);
    this.#meter.refused('REQ', why);
    const subNo = this.#connections.close(connId, subId);
    if (subNo === 0) {
      if (why.startsWith(AUTH_REQUIRED)) this.#challenge(connId);
      this.#answer(connId, closedAnswer(subId, why));
      return;
    }
    // The challenge takes the way of the CLOSED that it has to come before.
    const asks = why.startsWith(AUTH_REQUIRED);
    const challenge = asks ? this.#authentication.challenge(this.#connections.of(connId)) : '';
    const first = challengeFrame(challenge);
    this.#query(connId, { t: 'refuse', connId, subNo, subId, why, first });
  }

  #count(connId: number, message: readonly unknown[]): void {
    const queryId = this.#id(connId, 'COUNT', message[1]);
    if (queryId === null) return;
    const filters = this.#parts.config.query.count_enabled
      ? (this.#rate(connId, SUBSCRIPTIONS)?.refusal ?? this.#filters(connId, message))
      : 'unsupported: this relay does not count';
    if (typeof filters === 'string') this.#refuseCount(connId, queryId, filters, message);
    else {
      const { arrivedAt } = this.#meter;
      this.#introduce(connId);
      this.#query(connId, { t: 'count', connId, queryId, filters, arrivedAt });
    }
  }

  #refuseCount(connId: number, queryId: string, why: Refusal, message: readonly unknown[]): void {
    this.#noteRead('COUNT', connId, why, message);
    if (why.startsWith(AUTH_REQUIRED)) this.#challenge(connId);
    this.#meter.refused('COUNT', why);
    this.#answer(connId, closedAnswer(queryId, why));
  }

  #noteRead(
    verb: 'REQ' | 'COUNT',
    connId: number,
    why: Refusal,
    message: readonly unknown[],
  ): void {
    this.#parts.readNotes?.note(verb, connId, 'refused', why, () => {
      const filters = this.#parsed(message);
      return typeof filters === 'string' ? '' : filterShapes(filters);
    });
  }

  #close(connId: number, value: unknown): void {
    const subNo = typeof value === 'string' ? this.#connections.close(connId, value) : 0;
    if (subNo !== 0) this.#query(connId, { t: 'close', connId, subNo });
    if (typeof value !== 'string')
      this.#notice(connId, 'invalid: CLOSE names a subscription by its id');
    else this.#settle(connId);
  }

  /** The id of a subscription or a count, or null after a refusal. */
  #id(connId: number, verb: 'REQ' | 'COUNT', value: unknown): string | null {
    if (typeof value !== 'string') {
      this.#notice(connId, `invalid: ${verb} needs an id, a string, as its second element`);
      return null;
    }
    const max = this.#parts.config.limits.subscription_id_length_max;
    if (value === '' || lengthOf(value) > max || !value.isWellFormed()) {
      const why: Refusal = `invalid: the id of a ${verb} has 1 to ${max} characters`;
      if (value.length > STRANGE_ID_MAX) this.#notice(connId, why);
      else {
        this.#meter.refused(verb, why);
        this.#answer(connId, closedAnswer(value.toWellFormed(), why));
      }
      return null;
    }
    return value;
  }

  /** The filters of a REQ or COUNT, packed, if this client may ask for that; else why not. */
  #filters(connId: number, message: readonly unknown[]): Uint8Array | Refusal {
    const filters = this.#parsed(message);
    if (typeof filters === 'string') return filters;
    const refusal = this.#readPolicy.check(filters, this.#connections.of(connId).authed);
    return refusal ?? packFilters(filters);
  }

  #parsed(message: readonly unknown[]): Filter[] | Refusal {
    const max = this.#parts.config.limits.filters_max;
    if (message.length < 3) return 'invalid: at least one filter is needed';
    if (message.length - 2 > max) return `error: too many filters, the limit is ${max}`;
    const filters: Filter[] = [];
    for (let i = 2; i < message.length; i++) {
      const filter = parseFilter(message[i], this.#filterLimits);
      if (typeof filter === 'string') return filter;
      filters.push(filter);
    }
    return filters;
  }

  #query(connId: number, request: QueryRequest): void {
    const query = this.#queries.get(connId % this.#queries.size)!;
    writeQueryRequest(query.records, request);
    query.touch();
  }

  #answer(connId: number, frame: string): void {
    this.#send(connId, 1, frame);
  }

  #send(connId: number, settles: number, frame: string): void {
    if (settles === 0 && frame === '') return;
    const io = this.#io!;
    writeAnswer(io.records, connId, settles, frame);
    io.touch();
  }

  #settle(connId: number): void {
    this.#answer(connId, '');
  }

  #notice(connId: number, text: Refusal): void {
    this.#meter.refused('other', text);
    this.#answer(connId, noticeAnswer(text));
  }
}

function filterLimits({ limits }: Config): FilterLimits {
  return {
    filterValuesMax: limits.filter_values_max,
    filterTagsMax: limits.filter_tags_max,
  };
}

/** The AUTH message, or '' when there is no challenge to send. */
function challengeFrame(challenge: string): string {
  return challenge === '' ? '' : authChallenge(challenge);
}

/** The id that an answer to an EVENT or AUTH is addressed to; whatever the client called it. */
function idIn(value: unknown): string {
  const id =
    typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  return quotable(id);
}

function negError(id: unknown): string {
  return negErrorAnswer(quotable(id), 'unsupported: this relay does not offer negentropy');
}

function quotable(id: unknown): string {
  return typeof id === 'string' && id.length <= STRANGE_ID_MAX ? id.toWellFormed() : '';
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 32).toWellFormed());
}

/** Characters, not UTF-16 units (NIP-01 speaks of characters). */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
