// Station ingester: parses and validates the messages of clients, in N worker threads. Each worker
// owns the state of its connections.

import type { ListUpdate } from '../access/lists.ts';
import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import { RecordReader } from '../channel/records.ts';
import type { Config } from '../config/options.ts';
import { messageCost } from '../lib/message-cost.ts';
import type { MemberAnswer, MemberRequest, SeenAddresses } from '../messages/admin-writer.ts';
import type { StationName } from '../messages/control.ts';
import type { SubscriptionEnded } from '../messages/ingester-query.ts';
import {
  ARRIVED,
  CONNECTED,
  type ConnectedClient,
  DISCONNECTED,
  type Frame,
  REFUSED_REQ,
  readArrived,
  readClient,
  readFrame,
  readRefusedReq,
} from '../messages/io-ingester.ts';
import type { KeyShare, Nip05Message, VerifyRequest } from '../messages/key-lists.ts';
import type { RejectionBatch } from '../messages/rejections.ts';
import { EVENTS } from '../policy/rates/shared-rates.ts';
import { PLUGIN_QUEUE_FULL } from '../policy/result.ts';
import { noticeAnswer, okAnswer } from '../protocol/answers.ts';
import { relaysOf } from '../protocol/auth.ts';
import { isRequest, MessageScan, opensAtMost } from '../protocol/message-scan.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { addresseeOf, looksLikeClose, refusalTo } from '../protocol/unparsed.ts';
import { tuneReader } from '../store/database/open.ts';
import { StoredIds } from '../store/index/stored-ids.ts';
import { ClientProfile } from '../validation/client-profile.ts';
import { EventValidator } from '../validation/event-validator.ts';
import { ImportProfile } from '../validation/import-profile.ts';
import { KindLimits } from '../validation/kind-limits.ts';
import { Backlog } from './backlog.ts';
import { bannedBy, KEY_BANNED, ONE_KEY_BANNED } from './ban-enforcement.ts';
import type { Connection } from './connections.ts';
import { IngesterContext, type IngesterParts } from './context.ts';
import { InOrderQueue } from './in-order-queue.ts';
import { Negentropy } from './negentropy.ts';
import { PendingConnections } from './pending-connections.ts';
import { Publishing } from './publishing.ts';
import { idIn } from './reply-id.ts';
import { Requests } from './requests.ts';

/**
 * Time for handling frames in one turn of the event loop, in milliseconds: queries, live events and
 * timers may share the thread. Shorter turns make smaller batches for the writer, and cost 12 % of
 * the publish rate of one client; while several addresses wait, they share the shorter turn.
 */
const TURN_MILLISECONDS = 10;
const SHARED_TURN_MILLISECONDS = 4;

/**
 * Worker of station ingester: parses frames into messages and rejects invalid ones.
 *
 * In: raw frames of its connections (`connId % workers`) from io, ended subscriptions from query,
 * bans from the admin worker. Out: validated events to the writer, filters to the query worker of
 * the connection, rejections to io. Bound: `io.queue_bytes_max` of frames, counted by io, which
 * rejects messages beyond it; waiting frames take turns by address and connection. If the worker
 * crashes, its connections are closed with 1012 and it is restarted.
 */
export class Ingester {
  readonly #context: IngesterContext;
  readonly #profile: ClientProfile;
  readonly #importProfile: ImportProfile;
  readonly #validator: EventValidator;
  readonly #publishing: Publishing;
  readonly #requests: Requests;
  readonly #negentropy: Negentropy;
  readonly #scan = new MessageScan();
  /** Messages of connections that wait for a policy result on the connection. */
  readonly #pendingConnections: PendingConnections;
  readonly #backlog = new Backlog();
  /** Current turn of the event loop, and the end of its frame handling (`performance.now()`). */
  #turn: NodeJS.Immediate | null = null;
  #turnEnd = 0;
  #admin: Channel | null = null;

  constructor(parts: IngesterParts) {
    const { config } = parts;
    this.#context = new IngesterContext(parts);
    const stored = new StoredIds(parts.db, parts.idFilter);
    this.#profile = new ClientProfile(config, { ...parts, stored });
    const { hasher, signature } = parts;
    const timed = this.#context.meter.timed(signature);
    this.#validator = new EventValidator(hasher, this.#profile, timed);
    const limits = new KindLimits(config);
    this.#importProfile = new ImportProfile(limits, stored, parts.clock);
    const imports = new EventValidator(hasher, this.#importProfile, timed);
    this.#publishing = new Publishing(this.#context, this.#validator, imports, config);
    const { waiting_events_max, waiting_bytes_max } = config.plugins;
    const waitingReads = new InOrderQueue(waiting_events_max, waiting_bytes_max);
    this.#requests = new Requests(this.#context, config, waitingReads);
    this.#negentropy = new Negentropy(this.#context, config, waitingReads);
    this.#pendingConnections = new PendingConnections(config.plugins.waiting_bytes_max);
  }

  reconfigure(config: Config): void {
    const { pipeline, db } = this.#context.parts;
    this.#context.reconfigure(config);
    this.#profile.reconfigure(config);
    this.#importProfile.limits = new KindLimits(config);
    pipeline.reconfigure(config);
    this.#requests.reconfigure(config);
    this.#negentropy.reconfigure(config);
    tuneReader(db, config.storage);
  }

  attach(station: StationName, worker: number, channel: Channel): void {
    if (station === 'io') {
      this.#context.toIo(channel);
      channel.receive((batch) => this.#frames(new RecordReader(batch)));
    } else if (station === 'writer') {
      this.#publishing.toWriter(channel);
    } else if (station === 'admin') {
      this.#attachAdmin(channel);
    } else if (station === 'plugins') {
      this.#context.parts.pipeline.attachPlugins(channel);
    } else if (station === 'sync') {
      this.#context.toSync(channel);
    } else if (station === 'query') {
      this.#context.toQuery(worker, channel);
      const inbox = new MessageInbox<SubscriptionEnded>();
      channel.receive((batch) => {
        for (const { connId, subId, subNo } of inbox.read(batch)) {
          this.#requests.ended(connId, subId, subNo);
        }
      });
    }
  }

  #attachAdmin(channel: Channel): void {
    this.#admin = channel;
    const inbox = new MessageInbox<ListUpdate | Nip05Message | MemberAnswer>();
    const { members, rejections, unknownAddresses, parts } = this.#context;
    const admin = new MessageOutbox<VerifyRequest | RejectionBatch | MemberRequest | SeenAddresses>(
      channel,
    );
    members.attach((request) => admin.send(request));
    parts.keys.attach((request) => admin.send(request));
    rejections.to((batch) => admin.send(batch));
    unknownAddresses.attach((seen) => admin.send(seen));
    channel.receive((batch) => {
      for (const message of inbox.read(batch)) {
        if (message.t === 'member') members.take(message);
        else if (message.t === 'nip05') parts.keys.verified(message);
        else {
          parts.lists.update(message);
          this.#enforceBan(message);
        }
      }
    });
  }

  takeKeys(share: KeyShare): void {
    this.#context.parts.keys.take(share);
  }

  stop(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#context.parts.pipeline.stop();
    this.#context.parts.db.close();
  }

  /** Handles frames on arrival while the turn lasts; later ones are queued. */
  #frames(reader: RecordReader): void {
    this.#beginTurn();
    while (reader.more) {
      const frame = readFrame(reader);
      if (frame.type === ARRIVED) this.#context.meter.arrived(readArrived(frame.bytes));
      else if (frame.type === CONNECTED) this.#connected(frame.connId, readClient(frame.bytes));
      else if (this.#backlog.size === 0 && performance.now() < this.#turnEnd) this.#frame(frame);
      else this.#wait(frame);
    }
    this.#endTurn();
  }

  /** Handles queued frames. */
  #workOff(): void {
    this.#beginTurn();
    this.#backlog.work(this.#turnEnd, (frame, arrivedAt) => {
      if (arrivedAt !== this.#context.meter.arrivedAt) this.#context.meter.arrived(arrivedAt);
      this.#frame(frame);
    });
    this.#endTurn();
  }

  #wait(frame: Frame): void {
    const { address } = this.#context.connections.of(frame.connId);
    this.#backlog.add(address, frame, this.#context.meter.arrivedAt);
  }

  /** Begins a turn of the event loop; all batches in one turn share its time. */
  #beginTurn(): void {
    // Applies pending bans before reading frames, so that a ban that an admin was told is in force
    // holds for every later frame.
    this.#admin?.drain();
    if (this.#turn !== null) return;
    const isShared = this.#backlog.addresses > 1;
    this.#turnEnd = performance.now() + (isShared ? SHARED_TURN_MILLISECONDS : TURN_MILLISECONDS);
    this.#turn = setImmediate(() => {
      this.#turn = null;
      if (this.#backlog.size > 0) this.#workOff();
    });
  }

  #endTurn(): void {
    this.#publishing.flush();
    this.#context.flush();
    this.#context.meter.batchEnds(this.#publishing.waiting);
  }

  #frame({ type, connId, bytes }: Frame): void {
    if (type === DISCONNECTED) {
      const { syncs } = this.#context.connections.of(connId);
      this.#context.connections.disconnect(connId);
      this.#requests.drop(connId);
      this.#pendingConnections.leave(connId);
      this.#negentropy.drop(connId);
      this.#context.query(connId, { t: 'disconnect', connId });
      if (syncs) this.#context.sync({ t: 'disconnect', connId });
      this.#context.left(connId);
      return;
    }
    const cost = messageCost(bytes.length);
    this.#context.parts.frameBytes.release(cost);
    if (type === REFUSED_REQ) {
      const { subId, why } = readRefusedReq(bytes);
      this.#context.cost = cost;
      this.#requests.refuseReq(connId, subId, why);
      return;
    }
    if (!this.#pendingConnections.has(connId)) this.#message(connId, bytes);
    else if (!this.#pendingConnections.keep(connId, bytes)) {
      this.#context.cost = cost;
      this.#refuse(connId, bytes, PLUGIN_QUEUE_FULL.message);
    }
  }

  #connected(connId: number, client: ConnectedClient): void {
    const address = this.#context.parts.rates.nameOf(client.ip);
    const connection = this.#context.connections.connect(connId, client, address);
    this.#context.unknownAddresses.note(client.host);
    connection.client = this.#context.parts.rates.clientOf(connection);
    if (connection.source !== 'client') return;
    if (this.#context.parts.pipeline.asksConnections) this.#evaluateConnection(connection);
  }

  /** Asks the policy about a new connection; its messages are buffered meanwhile. */
  #evaluateConnection(connection: Connection): void {
    const { connId } = connection;
    const evaluated = this.#context.parts.pipeline.evaluateConnection(connection);
    if (!(evaluated instanceof Promise)) {
      if (evaluated !== null) this.#closeForPolicy(connId, evaluated);
      return;
    }
    this.#pendingConnections.enter(connId);
    void evaluated.then((refusal) => {
      const messages = this.#pendingConnections.leave(connId);
      if (messages === null) return;
      if (refusal !== null) this.#closeForPolicy(connId, refusal);
      else for (const bytes of messages) this.#message(connId, bytes);
    });
  }

  /** Closes a connection (1008); its later messages are dropped, as on a closed socket. */
  #closeForPolicy(connId: number, why: Refusal): void {
    this.#pendingConnections.enter(connId);
    this.#context.closeForPolicy(connId, why);
  }

  /** Removes banned keys; a connection without other keys is closed, its subscriptions first. */
  #enforceBan(update: ListUpdate): void {
    const context = this.#context;
    const { lists, clock } = context.parts;
    const all = context.connections.all();
    for (const { connection, left } of bannedBy(update, all, lists, clock.seconds())) {
      const { connId, subscriptions } = connection;
      connection.authed = new Set(left);
      const readers = [...left];
      context.query(connId, { t: 'auth', connId, readers, answer: '', cost: 0 });
      if (connection.syncs) context.sync({ t: 'auth', connId, readers });
      if (left.length > 0) {
        context.say(connId, noticeAnswer(ONE_KEY_BANNED));
        continue;
      }
      // Drops its later messages and those that wait for a policy.
      this.#pendingConnections.enter(connId);
      this.#requests.drop(connId);
      // The CLOSED frames acknowledge no message.
      context.cost = 0;
      for (const subId of [...subscriptions.keys()]) {
        this.#requests.refuseReq(connId, subId, KEY_BANNED);
      }
      context.meter.refused('other', KEY_BANNED);
      context.query(connId, { t: 'leave', connId, why: KEY_BANNED });
    }
  }

  #message(connId: number, bytes: Buffer): void {
    this.#context.cost = messageCost(bytes.length);
    const { client } = this.#context.connections.of(connId);
    const ban = client === null ? null : this.#context.parts.rates.ban(client);
    if (ban !== null) {
      // A message accepted before the ban costs more to handle than to close the connections.
      if (!looksLikeClose(bytes)) this.#refuse(connId, bytes, ban.refusal);
      this.#closeForPolicy(connId, ban.refusal);
      return;
    }
    const startedAt = performance.now();
    const depthMax = this.#context.parts.config.limits.json_depth_max;
    if (isRequest(bytes) && opensAtMost(bytes, depthMax)) this.#scan.clear();
    else this.#scan.scan(bytes, depthMax);
    if (this.#scan.tooDeep) {
      this.#context.violation(connId);
      this.#refuse(connId, bytes, `invalid: the message nests deeper than ${depthMax} levels`);
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(bytes.toString());
    } catch {
      if (isBlank(bytes)) this.#context.settle(connId);
      else {
        this.#context.violation(connId);
        this.#refuse(connId, bytes, 'invalid: the message is not JSON');
      }
      return;
    }
    this.#context.meter.parsed(startedAt);
    if (!Array.isArray(message) || typeof message[0] !== 'string') {
      this.#context.violation(connId);
      this.#context.notice(
        connId,
        'invalid: a message must be a JSON array that begins with the message type',
      );
      return;
    }
    this.#type(connId, message as [string, ...unknown[]], bytes);
  }

  /** Rejects a message that was not parsed. */
  #refuse(connId: number, bytes: Buffer, why: Refusal): void {
    const addressee = addresseeOf(bytes);
    if (addressee?.type === 'REQ') this.#requests.refuseReq(connId, addressee.id, why);
    else {
      this.#context.meter.unparsedRefused(addressee?.type ?? 'other', why);
      this.#context.answer(connId, refusalTo(addressee, why));
    }
  }

  #type(connId: number, message: [string, ...unknown[]], bytes: Buffer): void {
    this.#context.meter.type(message[0]);
    switch (message[0]) {
      case 'EVENT':
        this.#publishing.event(connId, message[1], bytes, this.#scan);
        break;
      case 'REQ':
      case 'COUNT':
        this.#requests.read(connId, message, bytes.length);
        break;
      case 'CLOSE':
        this.#requests.close(connId, message[1]);
        break;
      case 'AUTH':
        this.#auth(connId, message[1], bytes);
        break;
      case 'NEG-OPEN':
        this.#negentropy.open(connId, message, bytes.length);
        break;
      case 'NEG-MSG':
        this.#negentropy.message(connId, message);
        break;
      case 'NEG-CLOSE':
        this.#negentropy.close(connId, message[1]);
        break;
      default:
        this.#context.notice(
          connId,
          `unsupported: unknown message type ${quoted(message[0])}; this relay knows EVENT, REQ, COUNT, CLOSE, AUTH, NEG-OPEN, NEG-MSG and NEG-CLOSE`,
        );
    }
  }

  #auth(connId: number, value: unknown, bytes: Buffer): void {
    const connection = this.#context.connections.of(connId);
    const authentication = this.#context.authentication;
    if (authentication.isKnown(connection, value)) {
      this.#context.answer(connId, okAnswer(idIn(value), true, ''));
      return;
    }
    const tooMany = this.#context.rate(connId, EVENTS);
    if (tooMany !== null) {
      this.#context.meter.refused('AUTH', tooMany.refusal);
      this.#context.answer(connId, okAnswer(idIn(value), false, tooMany.refusal));
      return;
    }
    // A client that answers a challenge that was never sent is sent its challenge.
    this.#context.firstChallenge(connId);
    const { lists, clock } = this.#context.parts;
    const event = this.#validator.checkAuth(value, bytes, this.#scan, (claimed) => {
      const isBanned = lists.stance('pubkey', claimed.pubkey, clock.seconds()) === 'ban';
      for (const url of relaysOf(claimed).slice(0, 1)) this.#context.unknownAddresses.note(url);
      return isBanned ? KEY_BANNED : authentication.check(connection, claimed);
    });
    if (typeof event === 'string') {
      this.#context.meter.refused('AUTH', event);
      this.#context.answer(connId, okAnswer(idIn(value), false, event));
      return;
    }
    const answer = okAnswer(event.id, true, '');
    if (authentication.accept(connection, event)) {
      const { cost } = this.#context;
      const readers = [...connection.authed];
      // Open sessions get the events of the new key before later messages are answered.
      if (connection.syncs) this.#context.sync({ t: 'auth', connId, readers });
      this.#context.query(connId, { t: 'auth', connId, readers, answer, cost });
    } else this.#context.answer(connId, answer);
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 32).toWellFormed());
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
