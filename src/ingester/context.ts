// Shared context of one ingester worker: its parts, its channels to io and query, and the message
// that is being handled. Only that worker uses it.

import type { AccessLists } from '../access/lists.ts';
import type { Rejection } from '../access/rejection.ts';
import type { SharedKeys } from '../access/shared-keys.ts';
import type { Channel } from '../channel/channel.ts';
import type { Credits } from '../channel/credits.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import type { RecordWriter } from '../channel/records.ts';
import type { Config } from '../config/options.ts';
import { element, present } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { writeAnswer, writeClose, writeLeft } from '../messages/answers.ts';
import { type QueryRequest, writeQueryRequest } from '../messages/ingester-query.ts';
import { type SyncRequest, writeSyncRequest } from '../messages/ingester-sync.ts';
import type { Meter } from '../metrics/meter.ts';
import type { RefusedReadRing } from '../metrics/refused-reads.ts';
import type { PolicyPipeline } from '../policy/pipeline.ts';
import type { Rates } from '../policy/rates/rates.ts';
import { RejectionReporter } from '../policy/rejection-log.ts';
import { authChallenge, noticeAnswer } from '../protocol/answers.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';
import { refusalTo } from '../protocol/unparsed.ts';
import type { Db } from '../store/database/open.ts';
import type { IdFilter } from '../store/index/id-filter.ts';
import type { TermHasher } from '../store/index/terms.ts';
import { Authentication } from './authentication.ts';
import { Connections } from './connections.ts';
import { IngesterMeter } from './ingester-meter.ts';
import { Members } from './members.ts';
import { lengthOf, STRANGE_ID_MAX } from './reply-id.ts';
import { SubscriptionMemory } from './subscription-memory.ts';
import { UnknownAddresses } from './unknown-addresses.ts';

/** Parts of an ingester worker that its thread sets up; some are shared with other threads. */
export interface IngesterParts {
  config: Config;
  db: Db;
  hasher: TermHasher;
  signature: SignatureBackend;
  idFilter: IdFilter;
  /** Bytes of frames that wait for this worker. */
  frameBytes: Credits;
  /** Events that wait for the writer. */
  writerEvents: Credits;
  /** Bytes of open subscriptions by ingester worker; `worker` is the index of this one. */
  subscriptionBytes: readonly Credits[];
  worker: number;
  /** Bans and allowances of the access lists; kept up to date by the admin worker. */
  lists: AccessLists;
  /** Keys that the admin worker knows from files, the follow graph, and their NIP-05 address. */
  keys: SharedKeys;
  /** Policy pipeline, asked last, after the signature check, because it may be asynchronous. */
  pipeline: PolicyPipeline;
  /** Rate limits of clients, shared with all other threads. */
  rates: Rates;
  clock: Clock;
  meter: Meter;
  /** Record of rejected REQs and COUNTs. */
  refusedReads?: RefusedReadRing;
}

/** Message in flight through the worker: its time of arrival, and its cost until it is answered. */
interface Handling {
  /** In shared milliseconds (`lib/clock.ts`). */
  readonly arrivedAt: number;
  /** In units of `lib/message-cost.ts`. */
  readonly cost: number;
}

/**
 * Context of an ingester worker: its connections, its metrics, and its channels to io (answers to
 * clients) and to the query workers (requests for stored events).
 */
export class IngesterContext {
  parts: IngesterParts;
  readonly meter: IngesterMeter;
  readonly rejections: RejectionReporter;
  readonly members: Members;
  readonly unknownAddresses: UnknownAddresses;
  readonly connections: Connections;
  authentication: Authentication;
  /** Cost of the message being handled (`lib/message-cost.ts`); its answer acknowledges it. */
  cost = 0;
  readonly #queries = new Map<number, RecordOutbox>();
  #sync: RecordOutbox | null = null;
  #io: RecordOutbox | null = null;

  constructor(parts: IngesterParts) {
    const { config, clock } = parts;
    this.parts = parts;
    this.meter = new IngesterMeter(parts.meter);
    this.rejections = new RejectionReporter(config.moderation.decisions_per_second_max, () =>
      clock.seconds(),
    );
    this.members = new Members(config);
    this.unknownAddresses = new UnknownAddresses(config);
    this.connections = new Connections(
      config.limits.subscriptions_max,
      new SubscriptionMemory(
        config.limits.subscription_bytes_max,
        element(parts.subscriptionBytes[parts.worker]),
        parts.subscriptionBytes,
      ),
    );
    this.authentication = new Authentication(config, clock);
  }

  reconfigure(config: Config): void {
    this.parts = { ...this.parts, config };
    const { rates, clock } = this.parts;
    rates.reconfigure(config);
    for (const connection of this.connections.all()) {
      connection.client = rates.clientOf(connection);
    }
    this.authentication = new Authentication(config, clock);
    this.members.reconfigure(config);
    this.unknownAddresses.reconfigure(config);
    this.connections.subscriptionsMax = config.limits.subscriptions_max;
    this.connections.memory.max = config.limits.subscription_bytes_max;
  }

  toIo(channel: Channel): void {
    this.#io = new RecordOutbox(channel);
  }

  toQuery(worker: number, channel: Channel): void {
    this.#queries.set(worker, new RecordOutbox(channel));
  }

  toSync(channel: Channel): void {
    this.#sync = new RecordOutbox(channel);
  }

  /** Sends the gathered answers to io. */
  flush(): void {
    this.#io?.flush();
  }

  /** Sends a request to the query worker of the connection. */
  query(connId: number, request: QueryRequest): void {
    const query = present(this.#queries.get(connId % this.#queries.size), 'channel to query');
    writeQueryRequest(query.records, request);
    query.touch();
  }

  /** Sends a request to the sync worker, which is there while `negentropy.enabled` is on. */
  sync(request: SyncRequest): void {
    const sync = present(this.#sync, 'channel to sync');
    writeSyncRequest(sync.records, request);
    sync.touch();
  }

  /** Returns the message that is being handled, for `resume` after a wait. */
  get handling(): Handling {
    return { arrivedAt: this.meter.arrivedAt, cost: this.cost };
  }

  /** Makes a message that has waited the one that is being handled. */
  resume({ arrivedAt, cost }: Handling): void {
    this.meter.arrivedAt = arrivedAt;
    this.cost = cost;
  }

  /** Answers the message being handled, or another one of that cost; '' only acknowledges it. */
  answer(connId: number, frame: string, cost = this.cost): void {
    this.#send(connId, cost, frame);
  }

  /** Sends a frame that answers no message. */
  say(connId: number, frame: string): void {
    this.#send(connId, 0, frame);
  }

  /** Acknowledges a message that has no answer. */
  settle(connId: number): void {
    this.answer(connId, '');
  }

  /** Returns the id of a subscription, a count or a session, or null after a rejection. */
  subscriptionId(
    connId: number,
    type: 'REQ' | 'COUNT' | 'NEG-OPEN' | 'NEG-MSG',
    value: unknown,
  ): string | null {
    if (typeof value !== 'string') {
      this.notice(connId, `invalid: ${type} needs an id, a string, as its second element`);
      return null;
    }
    const max = this.parts.config.limits.subscription_id_length_max;
    if (value !== '' && lengthOf(value) <= max && value.isWellFormed()) return value;
    const why: Refusal = `invalid: the id of a ${type} must have 1 to ${max} characters`;
    if (value.length > STRANGE_ID_MAX) this.notice(connId, why);
    else {
      this.meter.refused(type, why);
      this.answer(connId, refusalTo({ type, id: value.toWellFormed() }, why));
    }
    return null;
  }

  notice(connId: number, text: Refusal): void {
    this.meter.refused('other', text);
    this.answer(connId, noticeAnswer(text));
  }

  /** Tells io that all messages of a closed connection were handled. */
  left(connId: number): void {
    this.#toIo((records) => writeLeft(records, connId));
  }

  /** Closes the connection (1008). */
  closeForPolicy(connId: number, why: Refusal): void {
    this.meter.refused('other', why);
    this.#toIo((records) => writeClose(records, connId, why));
  }

  /** Sends the client its challenge, which must come before an `auth-required:`. */
  challenge(connId: number): void {
    const frame = this.challengeFrame(connId);
    if (frame !== '') this.say(connId, frame);
  }

  /** Sends the client its challenge unless it was sent before. */
  firstChallenge(connId: number): void {
    if (this.connections.of(connId).challenge === '') this.challenge(connId);
  }

  /**
   * Returns the AUTH message that comes before an `auth-required:`, or '' once the connection has
   * authenticated. It is sent again each time, because clients lose one that came before they
   * listened.
   */
  challengeFrame(connId: number): string {
    const connection = this.connections.of(connId);
    if (connection.authed.size > 0) return '';
    return authChallenge(this.authentication.challenge(connection));
  }

  /** Takes one unit of a rate limit; returns the rejection if the limit is reached, or null. */
  rate(connId: number, bucket: number): Rejection | null {
    const { client } = this.connections.of(connId);
    return client === null ? null : this.parts.rates.one(client, bucket);
  }

  /** Charges `more` units beyond the one that `rate` has taken. */
  charge(connId: number, bucket: number, more: number): void {
    const { client } = this.connections.of(connId);
    if (client !== null && more > 0) this.parts.rates.charge(client, bucket, more);
  }

  /** Counts a violation that only broken or hostile clients commit; too many ban their address. */
  violation(connId: number): void {
    const { client } = this.connections.of(connId);
    if (client !== null) this.parts.rates.violation(client);
  }

  #send(connId: number, acks: number, frame: string): void {
    this.#toIo((records) => writeAnswer(records, connId, acks, frame));
  }

  #toIo(write: (records: RecordWriter) => void): void {
    const io = present(this.#io, 'channel to io');
    write(io.records);
    io.touch();
  }
}
