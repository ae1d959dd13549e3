import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Channel } from '../mailbox/channel.ts';
import type { Credits } from '../mailbox/credits.ts';
import { RecordOutbox } from '../mailbox/outbox.ts';
import { CLOSES, LEFT, type QueryRequest, writeAnswer, writeQueryRequest } from '../messages.ts';
import type { Meter } from '../metrics/meter.ts';
import type { ReadNotes } from '../metrics/refused-reads.ts';
import { DecisionNotes } from '../policy/decisions.ts';
import type { DoorKeys } from '../policy/doors/keys.ts';
import type { Judges } from '../policy/judges.ts';
import type { Lists } from '../policy/lists.ts';
import type { Rates } from '../policy/rates/rates.ts';
import type { Verdict } from '../policy/verdict.ts';
import { authChallenge, noticeAnswer } from '../protocol/answers.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { SignatureBackend } from '../protocol/signature/signature.ts';
import type { IdFilter } from '../storage/id-filter.ts';
import type { Db } from '../storage/open.ts';
import type { TermHasher } from '../storage/terms.ts';
import { Authentication } from './authentication.ts';
import { Connections } from './connections.ts';
import { IngesterMeter } from './ingester-meter.ts';
import { Members } from './members.ts';
import { SubscriptionMemory } from './subscription-memory.ts';
import { UnknownAddresses } from './unknown-addresses.ts';

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
  /** Bytes of open subscriptions, by ingester lane, and which of them this one is. */
  subscriptionBytes: readonly Credits[];
  lane: number;
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

/** A message on its way through the lane: when it came, and what it costs until it is answered. */
export interface Handling {
  /** In shared milliseconds (`lib/clock.ts`). */
  readonly arrivedAt: number;
  /** `lib/message-cost.ts`. */
  readonly cost: number;
}

/**
 * What all that an ingester lane does has in common: whom it knows, what it counts, and the ways to its
 * clients (io) and to those who answer them from stored events (query).
 */
export class Lane {
  parts: IngesterParts;
  readonly meter: IngesterMeter;
  readonly decisions: DecisionNotes;
  readonly members: Members;
  readonly unknownAddresses: UnknownAddresses;
  readonly connections: Connections;
  authentication: Authentication;
  /** The cost of the message that is being handled (`lib/message-cost.ts`); its answer settles it. */
  cost = 0;
  readonly #queries = new Map<number, RecordOutbox>();
  #io: RecordOutbox | null = null;

  constructor(parts: IngesterParts) {
    const { config, clock } = parts;
    this.parts = parts;
    this.meter = new IngesterMeter(parts.meter);
    this.decisions = new DecisionNotes(config.moderation.decisions_per_second_max, () =>
      clock.seconds(),
    );
    this.members = new Members(config);
    this.unknownAddresses = new UnknownAddresses(config);
    this.connections = new Connections(
      config.limits.subscriptions_max,
      new SubscriptionMemory(
        config.limits.subscription_bytes_max,
        parts.subscriptionBytes[parts.lane]!,
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
      connection.client = rates.client(connection.ip);
    }
    this.decisions.perSecond = config.moderation.decisions_per_second_max;
    this.authentication = new Authentication(config, clock);
    this.members.reconfigure(config);
    this.unknownAddresses.reconfigure(config);
    this.connections.subscriptionsMax = config.limits.subscriptions_max;
    this.connections.memory.max = config.limits.subscription_bytes_max;
  }

  toIo(channel: Channel): void {
    this.#io = new RecordOutbox(channel);
  }

  toQuery(lane: number, channel: Channel): void {
    this.#queries.set(lane, new RecordOutbox(channel));
  }

  /** Sends io what has gathered. */
  flush(): void {
    this.#io?.flush();
  }

  /** Asks the connection's query lane. */
  query(connId: number, request: QueryRequest): void {
    const query = this.#queries.get(connId % this.#queries.size)!;
    writeQueryRequest(query.records, request);
    query.touch();
  }

  /** The message that is being handled, to be resumed when it had to wait. */
  get handling(): Handling {
    return { arrivedAt: this.meter.arrivedAt, cost: this.cost };
  }

  /** Goes on with a message that has waited: it is the one that is being handled. */
  resume({ arrivedAt, cost }: Handling): void {
    this.meter.arrivedAt = arrivedAt;
    this.cost = cost;
  }

  /** Answers the message that is being handled, or another one of that cost; '' only settles it. */
  answer(connId: number, frame: string, cost = this.cost): void {
    this.#send(connId, cost, frame);
  }

  /** Sends a frame that answers nothing. */
  say(connId: number, frame: string): void {
    this.#send(connId, 0, frame);
  }

  /** A message that has no answer is dealt with. */
  settle(connId: number): void {
    this.answer(connId, '');
  }

  notice(connId: number, text: Refusal): void {
    this.meter.refused('other', text);
    this.answer(connId, noticeAnswer(text));
  }

  /** Everything that a connection had sent before it was closed was handled. */
  left(connId: number): void {
    this.#send(connId, LEFT, '');
  }

  /** Has the connection closed (1008). */
  turnAway(connId: number, why: Refusal): void {
    this.meter.refused('other', why);
    this.#send(connId, CLOSES, why);
  }

  /** Sends the client its challenge before an `auth-required:`. */
  challenge(connId: number): void {
    const frame = this.challengeFrame(connId);
    if (frame !== '') this.say(connId, frame);
  }

  /** Sends the client its challenge, if it was not sent it before. */
  firstChallenge(connId: number): void {
    if (this.connections.of(connId).challenge === '') this.challenge(connId);
  }

  /**
   * The AUTH message that comes before an `auth-required:`, '' once the connection has authenticated. It
   * is sent again each time, because clients lose one that came before they listened.
   */
  challengeFrame(connId: number): string {
    const connection = this.connections.of(connId);
    if (connection.authed.size > 0) return '';
    return authChallenge(this.authentication.challenge(connection));
  }

  /** Whether there is room for one more of these, or why not. */
  rate(connId: number, bucket: number): Verdict | null {
    const { client } = this.connections.of(connId);
    return client === null ? null : this.parts.rates.one(client, bucket);
  }

  /** Charges more of these than the one that `rate` has let through. */
  charge(connId: number, bucket: number, more: number): void {
    const { client } = this.connections.of(connId);
    if (client !== null && more > 0) this.parts.rates.charge(client, bucket, more);
  }

  /** Something that only broken or hostile clients do: too much of it gets their address banned. */
  violation(connId: number): void {
    const { client } = this.connections.of(connId);
    if (client !== null) this.parts.rates.violation(client);
  }

  #send(connId: number, settles: number, frame: string): void {
    const io = this.#io!;
    writeAnswer(io.records, connId, settles, frame);
    io.touch();
  }
}
