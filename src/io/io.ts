// Station io, in the main thread: all sockets, and the frames between clients and the worker
// threads.

import type { Rejection } from '../access/rejection.ts';
import { Arena } from '../channel/arena.ts';
import { type Channel, readChannels } from '../channel/channel.ts';
import type { Credits } from '../channel/credits.ts';
import { RecordOutbox } from '../channel/outbox.ts';
import { RecordReader, type RecordWriter } from '../channel/records.ts';
import type { Config } from '../config/options.ts';
import { element, present } from '../lib/assert.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import { messageCost } from '../lib/message-cost.ts';
import { ipFacts } from '../log/client-ip.ts';
import { levelOf } from '../log/line-limiter.ts';
import type { Log } from '../log/log.ts';
import { type Answer, type AnswerRecord, readAnswer, type Vanished } from '../messages/answers.ts';
import type { StationName } from '../messages/control.ts';
import {
  refusedReqBytes,
  writeArrived,
  writeConnected,
  writeDisconnected,
  writeFrame,
  writeRefusedReq,
} from '../messages/io-ingester.ts';
import { writeWindowUpdate } from '../messages/io-query.ts';
import { type DeliveryGroup, readDelivery } from '../messages/monitor-io.ts';
import {
  CLOSE_CONNECTION,
  CLOSED,
  EOSE,
  EVENTS,
  GONE,
  HOLD,
  MARK,
  OPEN,
  RESUME,
  readQueryRecord,
} from '../messages/query-io.ts';
import type { VanishedKey } from '../messages/vanished.ts';
import type { MetricsMemory } from '../metrics/memory.ts';
import type { Meter } from '../metrics/meter.ts';
import { renderMetrics } from '../metrics/render.ts';
import { challengesAtConnect } from '../policy/auth-demand.ts';
import type { Rates } from '../policy/rates/rates.ts';
import { authChallenge, noticeAnswer } from '../protocol/answers.ts';
import { newChallenge } from '../protocol/auth.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { type Addressee, addresseeOf, looksLikeClose, refusalTo } from '../protocol/unparsed.ts';
import { isOf } from '../protocol/vanish.ts';
import { AdminLink } from './admin-link.ts';
import { Admission, GOING_DOWN } from './admission.ts';
import { Backlogs } from './backlogs.ts';
import { Barriers } from './barriers.ts';
import { Connection, type SocketData } from './connection.ts';
import { type AddressLoad, ConnectionCounts } from './connection-counts.ts';
import { DescriptorLimit, DescriptorWatch } from './descriptor-limit.ts';
import { type CloseReason, closeReason, type IoCounters, IoMeter } from './io-meter.ts';
import { type Health, Listener } from './listen.ts';
import { LiveEvent, type LiveFrame } from './live-frame.ts';
import { Outbound } from './outbound.ts';
import { Pages } from './pages.ts';
import { PendingChallenges } from './pending-challenges.ts';
import { ProxyWatch } from './proxy-watch.ts';
import { TopConnections } from './top-connections.ts';
import { type ServerSocket, utf8 } from './uws.ts';

/** Size of the arena for frames in flight to sockets; when it is full they are sent at once. */
const ARENA_BYTES = 1024 * 1024;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY_VIOLATION = 1008;
const CLOSE_TOO_BIG = 1009;
const CLOSE_SERVICE_RESTART = 1012;
const CONN_ID_MAX = 0xffff_ffff;

const INGESTER_QUEUE_FULL: Refusal = 'rate-limited: this relay is busy; try again';
const IN_FLIGHT_FULL: Refusal =
  'rate-limited: too many unanswered messages on this connection; wait for answers';

/**
 * Cost of the messages between two checks of the duration of an event loop turn, 64 small ones, and
 * a long duration.
 */
const LOOK_COST = 32 * 1024;
const LOOK_MILLISECONDS = 5;
/** Duration from which on a turn of the event loop is long for the clients that wait. */
const LONG_TURN_MILLISECONDS = 10;
/** Time for taking messages in such a turn, as a multiple of the time for serving the workers. */
const LOOK_FACTOR = 4;

/** Maximum of rejections on a connection while others of its messages are unanswered. */
const REFUSALS_MAX = 1_000;

/** Cost that an address may have in flight while a queue is full, up to twice the queue's bound. */
const ADDRESS_BYTES_MIN = 64 * 1024;

/** Number of unsent bytes beyond which a client counts as not reading. */
const UNREAD_BYTES_MAX = 64 * 1024;
const NOTICE_START = Buffer.from('["NOTICE"');

/** Bytes of pongs that may wait for a client; the frame of one has two bytes more than its ping. */
const PONG_BYTES_MAX = 64 * 1024;
const PONG_HEAD_BYTES = 2;

const ADDRESS_BANNED: Refusal = 'blocked: this address was banned from this relay';

const ADMISSION_RULES = { in_flight: 'in-flight', ingester_queue: 'ingester-queue' } as const;

interface IngesterWorker {
  outbox: RecordOutbox;
  frameBytes: Credits;
}

/**
 * Station io, in the main thread: one uWebSockets.js loop for all sockets. It verifies nothing,
 * opens no database, and parses no event except held ones that may be of a vanishing key.
 *
 * In: frames from sockets, answers from ingester and writer, stored events from query, deliveries
 * from monitor. Out: raw frames to the ingester worker of the connection (one copy, because socket
 * memory is invalid after the callback), frames to sockets. Bounds: `io.queue_bytes_max` a worker
 * and `limits.in_flight_bytes_max` a connection, with messages beyond them rejected unparsed;
 * `io.outbound_bytes_max` a socket, with the client cut off beyond it. If it crashes, so does the
 * process.
 */
export class Io {
  readonly #meter: IoMeter;
  readonly #metrics: MetricsMemory;
  readonly #topConnections: TopConnections;
  #config: Config;
  readonly #log: Log;
  readonly #rates: Rates;
  readonly #listener: Listener;
  readonly #outbound: Outbound;
  readonly #backlogs: Backlogs;
  /** Memory of the frames from workers until they have been sent. */
  readonly #arena = new Arena(
    ARENA_BYTES,
    () => this.#outbound.isEmpty,
    () => this.#outbound.flush(),
  );
  readonly #admin: AdminLink;
  readonly #pages: Pages;
  readonly #proxies: ProxyWatch;
  readonly #challenges = new PendingChallenges((connection, frame) => this.#say(connection, frame));
  readonly #connections = new Map<number, Connection>();
  readonly #counts = new ConnectionCounts();
  /** Closed connections with messages that may still wait for an ingester worker. */
  readonly #leaving = new Map<number, Connection>();
  readonly #admission: Admission;
  /** Bounds of sockets; known once it listens. */
  #descriptors: DescriptorLimit | null = null;
  #watch: DescriptorWatch | null = null;
  readonly #ingesters: IngesterWorker[] = [];
  readonly #queries: RecordOutbox[] = [];
  readonly #barriers = new Barriers((vanished) => this.#vanished(vanished));
  /** Channels by station and worker. */
  readonly #channels = new Map<string, Channel>();
  #lastConnId = 0;
  /** Cost of the messages since the clock was last checked (`lib/message-cost.ts`). */
  #readSinceLook = 0;
  /** Time at which the workers are served in a turn with many messages; 0 outside such a turn. */
  #lookAt = 0;
  #turnStart = 0;
  #longTurn: () => void = () => {};
  #challengesAtConnect: boolean;
  /** True at level debug, where each connection is logged with one line. */
  #tellsConnections: boolean;
  #stopping = false;

  constructor(
    config: Config,
    log: Log,
    metrics: MetricsMemory,
    meter: Meter,
    rates: Rates,
    health: () => Health,
  ) {
    this.#meter = new IoMeter(meter);
    this.#challengesAtConnect = challengesAtConnect(config);
    this.#tellsConnections = levelOf(config.log, 'io') === 'debug';
    this.#topConnections = new TopConnections(metrics, this.#connections);
    this.#metrics = metrics;
    this.#config = config;
    this.#rates = rates;
    this.#log = log;
    this.#backlogs = new Backlogs(
      config.io.outbound_total_bytes_max,
      config.io.drain_seconds,
      (connection) => this.#cutOff(connection),
    );
    this.#outbound = new Outbound(
      config.io.outbound_bytes_max,
      compressFrom(config),
      this.#meter,
      this.#backlogs,
      (connection) => this.#confirm(connection),
      (connection) => this.#cutOff(connection),
    );
    this.#admin = new AdminLink(config, (ip) => rates.nameOf(ip), {
      banned: () =>
        this.#closeAllForPolicy(
          ({ source, ip }) => source === 'client' && this.#admin.isBanned(ip),
          ADDRESS_BANNED,
        ),
      info: (changes) => this.#listener.describe(changes),
      page: (made) => (made === null ? this.#pages.forget() : this.#pages.take(made)),
    });
    this.#admission = new Admission(config, rates, this.#counts, (ip) => this.#admin.isBanned(ip));
    this.#proxies = new ProxyWatch(
      (proxies) => this.#admin.tellProxies(proxies),
      (fault) => this.#meter.unnamedClient(fault),
    );
    this.#pages = new Pages(config, {
      ask: (icon) => this.#admin.askForPage(icon),
      served: (resource) => this.#meter.http(resource),
      problem: (text, error) => log.warn(text, { error: error.message }),
    });
    this.#listener = new Listener(config, {
      crowded: (pending) =>
        this.#descriptors !== null && pending + this.#connections.size > this.#descriptors.sockets,
      admit: (ip) =>
        this.#stopping ? GOING_DOWN : this.#admission.admit(ip, this.#connections.size),
      admitLocal: () => (this.#stopping ? GOING_DOWN : null),
      open: (socket, data) => this.#open(socket, data),
      message: (connection, bytes, isBinary) => this.#message(connection, bytes, isBinary),
      control: (connection, bytes, isPing) => this.#control(connection, bytes, isPing),
      drain: (connection) => {
        if (!this.#backlogs.count(connection)) return;
        connection.pongBytes = 0;
        if (connection.confirmDue) this.#confirm(connection);
      },
      manage: (res, req, ip) => this.#admin.management.take(res, req, ip),
      call: (res, req, call, client) => this.#admin.management.takeCall(res, req, call, client),
      close: (connection, status, sentence) => this.#closed(connection, status, sentence),
      unnamed: (req, proxy, fault, reach) => this.#proxies.note(req, proxy, fault, reach),
      refused: (reason) => this.#meter.notAdmitted(reason),
      metrics: () => renderMetrics(this.#metrics),
      served: (resource) => this.#meter.http(resource),
      pages: this.#pages,
      certificate: (problem) => this.#certificate(problem),
      health,
    });
  }

  get counters(): IoCounters {
    return this.#meter.counters;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Number of connections opened so far, modulo the largest connection id. */
  get opened(): number {
    return this.#lastConnId;
  }

  /** Calls a function during turns of the event loop that last long because of what is received. */
  onLongTurn(call: () => void): void {
    this.#longTurn = call;
  }

  /** Number of sockets that have made no request yet. */
  get pending(): number {
    return this.#listener.pending;
  }

  /** True if the answer to a whole HTTP request is still being made. */
  get isAnswering(): boolean {
    return this.#admin.management.isAnswering;
  }

  /** @param port one that this process shares with its predecessor, see `Listener`. */
  async listen(port = 0): Promise<void> {
    this.#descriptors = new DescriptorLimit(this.#config);
    const advice = this.#descriptors.advice(this.#config);
    if (advice !== null) this.#log.warn(advice);
    this.#boundConnections();
    const problem = await this.listenLocally();
    if (problem !== null) {
      this.#log.warn(
        'the socket for local connections cannot be opened; wok import and sync cannot reach this relay',
        { error: problem.message },
      );
    }
    await this.#listener.listen(port);
    this.#watch = new DescriptorWatch(
      this.#log,
      () => this.#listener.stopListening(),
      async () => {
        if (!this.#stopping) await this.#listener.listenAgain();
      },
    );
  }

  /** Listens on the local socket alone. @returns the reason if it cannot. */
  listenLocally(): Promise<Error | null> {
    return this.#listener.listenLocally();
  }

  /** Bounds the number of connections by the available descriptors. */
  #boundConnections(): void {
    const config = this.#descriptors?.bound(this.#config) ?? this.#config;
    this.#admission.reconfigure(config);
    this.#listener.reconfigure(config);
    this.#meter.connectionsMax(config.io.connections_max);
  }

  /** True if clients connect by wss. */
  get encrypted(): boolean {
    return this.#listener.encrypted;
  }

  #certificate(problem: Error | null): void {
    if (problem) {
      this.#log.error('the new TLS certificate cannot be used; the old one stays in use', {
        error: problem.message,
      });
    } else this.#log.info('the TLS certificate was reloaded: new connections get the new one');
  }

  /** Stops accepting connections; open ones continue. */
  stopListening(): void {
    this.#watch?.stop();
    this.#listener.stopListening();
  }

  /** Asks up to `count` clients to come back by closing; returns the number of connections left. */
  disconnectClients(count: number, reason: string): number {
    for (const connection of this.#connections.values()) {
      if (count-- <= 0) break;
      if (connection.endedBy !== null) continue;
      connection.endedBy = 'shutdown';
      connection.close(CLOSE_SERVICE_RESTART, reason);
    }
    return this.#connections.size;
  }

  /** Applies the options that can change at run time; open connections stay. */
  reconfigure(config: Config): void {
    this.#config = config;
    this.#proxies.reset();
    this.#challengesAtConnect = challengesAtConnect(config);
    this.#tellsConnections = levelOf(config.log, 'io') === 'debug';
    this.#rates.reconfigure(config);
    for (const connection of this.#connections.values()) {
      connection.client = this.#rates.clientOf(connection);
    }
    this.#boundConnections();
    this.#outbound.limit(config.io.outbound_bytes_max, compressFrom(config));
    this.#backlogs.limit(config.io.outbound_total_bytes_max, config.io.drain_seconds);
    this.#admin.reconfigure(config);
  }

  /** Connects a worker; `frameBytes` counts the bytes that wait for an ingester worker. */
  attach(station: StationName, worker: number, channel: Channel, frameBytes: Credits | null): void {
    if (station === 'admin') {
      this.#admin.attach(channel);
      return;
    }
    const name = `${station}:${worker}`;
    const read = {
      ingester: (reader: RecordReader) => this.#answers(reader),
      writer: (reader: RecordReader) => this.#answers(reader),
      query: (reader: RecordReader) => this.#stored(reader, name),
      monitor: (reader: RecordReader) => this.#deliveries(reader),
      sync: (reader: RecordReader) => this.#answers(reader),
    }[station as 'ingester' | 'writer' | 'query' | 'monitor' | 'sync'];
    // The last messages of a crashed worker come before those of its successor.
    this.#channels.get(name)?.drain();
    this.#channels.set(name, channel);
    channel.receive((batch) => read(new RecordReader(batch)), this.#arena.take);
    const outbox = new RecordOutbox(channel);
    if (station === 'query' || station === 'monitor') this.#barriers.attach(name, outbox);
    if (station === 'ingester') {
      // The messages that its predecessor had to handle are lost.
      for (const id of [...this.#leaving.keys()]) {
        if (id % Math.max(this.#ingesters.length, 1) === worker) this.#left(id);
      }
      this.#ingesters[worker] = {
        outbox,
        frameBytes: present(frameBytes, 'counter of the frame bytes of an ingester worker'),
      };
    }
    if (station === 'query') this.#queries[worker] = outbox;
  }

  /** Closes connections and returns their number; the default code asks clients to come back. */
  closeConnections(
    concerns: (connection: Connection) => boolean,
    reason: string,
    code = CLOSE_SERVICE_RESTART,
  ): number {
    let closed = 0;
    for (const connection of [...this.#connections.values()]) {
      if (!concerns(connection)) continue;
      connection.endedBy ??= code === CLOSE_SERVICE_RESTART ? 'worker_restart' : 'policy';
      connection.close(code, reason);
      closed++;
    }
    return closed;
  }

  /** Stops accepting connections and messages. */
  stopIntake(): void {
    this.#stopping = true;
    this.stopListening();
  }

  /** Number of messages that were accepted and are not answered yet. */
  get unanswered(): number {
    let sum = 0;
    for (const connection of this.#connections.values()) sum += connection.inFlight;
    return sum;
  }

  /** Sends all queued frames and closes every connection; returns their number. */
  close(): number {
    this.#barriers.passAll();
    this.#outbound.flush();
    const connections = [...this.#connections.values()];
    for (const connection of connections) {
      connection.endedBy ??= 'shutdown';
      connection.close(CLOSE_GOING_AWAY, 'the relay is shutting down');
    }
    return connections.length;
  }

  /** Cuts off the connections that are still open. */
  destroy(): void {
    this.#topConnections.stop();
    this.#challenges.stop();
    this.#backlogs.stop();
    this.#watch?.stop();
    this.#listener.close();
  }

  #open(socket: ServerSocket, { source, ip, host }: SocketData): Connection {
    do {
      this.#lastConnId = this.#lastConnId === CONN_ID_MAX ? 1 : this.#lastConnId + 1;
    } while (this.#connections.has(this.#lastConnId) || this.#leaving.has(this.#lastConnId));
    const networkName = this.#rates.networkOf(ip);
    const load = this.#counts.add(this.#rates.nameOf(ip), networkName);
    const connection = new Connection(
      this.#lastConnId,
      socket,
      { source, ip },
      load,
      networkName,
      this.#meter,
    );
    connection.client = this.#rates.clientOf(connection);
    this.#connections.set(connection.id, connection);
    this.#meter.opened();
    const client = { source, ip, host, challenge: this.#newChallenge(connection) };
    const { outbox } = this.#ingesterOf(connection);
    const write = (records: RecordWriter) => {
      this.#stamp(records);
      writeConnected(records, connection.id, client);
    };
    // The record can wait for the first frame, unless a policy module must be asked about the
    // connection.
    if (this.#config.policy.modules.length === 0) outbox.quietly(write);
    else {
      write(outbox.records);
      outbox.touch();
    }
    return connection;
  }

  /** Queues the challenge (NIP-42) of a new connection and returns it; '' if it gets none. */
  #newChallenge(connection: Connection): string {
    if (!this.#challengesAtConnect || connection.source !== 'client') return '';
    const challenge = newChallenge();
    this.#challenges.add(connection, authChallenge(challenge));
    return challenge;
  }

  #closed(connection: Connection, status: number, sentence: string): void {
    connection.closed = true;
    this.#challenges.drop(connection);
    connection.endAll();
    connection.pending = [];
    this.#backlogs.count(connection);
    this.#connections.delete(connection.id);
    this.#leaving.set(connection.id, connection);
    this.#counts.remove(connection.load, connection.networkName);
    const reason = connection.endedBy ?? closeReason(status, sentence);
    this.#meter.closed(reason, connection.openedAt);
    if (this.#tellsConnections) this.#logClose(connection, reason);
    const { outbox } = this.#ingester(connection);
    writeDisconnected(outbox.records, connection.id);
    outbox.touch();
  }

  #message(connection: Connection, message: ArrayBuffer, isBinary: boolean): void {
    if (this.#stopping || connection.endedBy !== null) return;
    connection.received++;
    connection.receivedBytes += message.byteLength;
    this.#meter.received(message.byteLength);
    this.#challenges.sendNow(connection);
    if (message.byteLength > this.#config.limits.message_bytes_max) {
      connection.endedBy ??= 'too_big';
      connection.close(CLOSE_TOO_BIG, 'message too big');
      return;
    }
    // An answer read meanwhile may have closed the connection.
    if (this.#serveWorkers(message.byteLength) && connection.closed) return;
    const bytes = Buffer.from(message);
    const tooMany = this.#charge(connection, bytes.length);
    // A CLOSE has no answer that could reject it, and it ends work instead of causing some.
    if (tooMany !== null && !looksLikeClose(bytes)) {
      this.#overRate(connection, bytes, tooMany);
      return;
    }
    if (isBinary) {
      this.#say(
        connection,
        noticeAnswer('invalid: binary frames are not part of the protocol; send text'),
      );
      return;
    }
    const { outbox, frameBytes } = this.#ingester(connection);
    const cost = messageCost(bytes.length);
    if (!connection.mayTake(cost, this.#config.limits) && !looksLikeClose(bytes)) {
      this.#refuse(connection, bytes, 'in_flight');
    } else if (!this.#mayQueue(frameBytes, connection.load, cost)) {
      this.#refuse(connection, bytes, 'ingester_queue');
    } else {
      connection.take(cost);
      frameBytes.add(cost);
      writeFrame(outbox.records, connection.id, bytes);
      outbox.touch();
    }
  }

  /**
   * Serves the workers in a long turn of the event loop; returns true if it did. uWebSockets.js
   * delivers all messages that all sockets have received before the event loop continues. In a
   * flood that takes long, so the workers get the gathered frames, and answers are read and sent,
   * every few milliseconds, for a fifth of the time at most; the remaining sockets wait meanwhile.
   */
  #serveWorkers(bytes: number): boolean {
    this.#readSinceLook += messageCost(bytes);
    if (this.#readSinceLook < LOOK_COST) return false;
    this.#readSinceLook = 0;
    const now = performance.now();
    if (this.#lookAt === 0) {
      this.#turnStart = now;
      this.#lookAt = now + LOOK_MILLISECONDS;
      setImmediate(() => {
        this.#lookAt = 0;
      });
    }
    if (now < this.#lookAt) return false;
    if (now - this.#turnStart > LONG_TURN_MILLISECONDS) this.#longTurn();
    for (const { outbox } of this.#ingesters) outbox.flush();
    readChannels();
    this.#outbound.flush();
    const end = performance.now();
    this.#lookAt = end + Math.max(LOOK_MILLISECONDS, LOOK_FACTOR * (end - now));
    return true;
  }

  /**
   * Handles a ping, which uWebSockets.js has answered, or a pong. Both are charged like messages; a
   * client that does not read its pongs is cut off before many have gathered.
   */
  #control(connection: Connection, bytes: number, isPing: boolean): void {
    if (this.#stopping || connection.closed) return;
    connection.received++;
    connection.receivedBytes += bytes;
    this.#meter.received(bytes);
    const tooMany = this.#charge(connection, bytes);
    if (tooMany !== null) {
      this.#closeForPolicy(connection, tooMany.refusal);
      return;
    }
    if (!isPing) return;
    if (this.#backlogs.count(connection)) connection.pongBytes = 0;
    else connection.pongBytes += bytes + PONG_HEAD_BYTES;
    if (!connection.closed && connection.pongBytes > PONG_BYTES_MAX) this.#cutOff(connection);
  }

  /** Charges a message to the rates of its address and network; returns the rejection, or null. */
  #charge({ client }: Connection, bytes: number): Rejection | null {
    return client === null ? null : this.#rates.message(client, bytes);
  }

  /** Rejects a message beyond the rates; one of a banned address closes all its connections. */
  #overRate(connection: Connection, frame: Buffer, { rule, refusal }: Rejection): void {
    const addressee = addresseeOf(frame);
    if (rule !== 'banned-ip') {
      this.#answerRefused(connection, addressee, refusal);
      return;
    }
    this.#meter.refused(addressee, refusal);
    this.#say(connection, refusalTo(addressee, refusal));
    this.#refuseConnection(connection, refusal);
  }

  /**
   * Lets the ingester worker reject a REQ, which ends the subscription with the same id. Returns
   * false if there is no such subscription, or no room for the record: then io answers.
   */
  #refuseReq(connection: Connection, addressee: Addressee | null, why: Refusal): boolean {
    if (addressee?.type !== 'REQ') return false;
    if (!connection.subscribed && connection.inFlight === 0) return false;
    const bytes = refusedReqBytes({ subId: addressee.id, why });
    const cost = messageCost(bytes.length);
    const { outbox, frameBytes } = this.#ingester(connection);
    if (!this.#mayQueue(frameBytes, connection.load, cost)) return false;
    connection.take(cost);
    frameBytes.add(cost);
    writeRefusedReq(outbox.records, connection.id, bytes);
    outbox.touch();
    return true;
  }

  /** Answers a message that is rejected unparsed; a client that does not read gets no NOTICE. */
  #answerRefused(connection: Connection, addressee: Addressee | null, why: Refusal): void {
    if (this.#refuseReq(connection, addressee, why)) return;
    this.#meter.refused(addressee, why);
    if (addressee === null && connection.backlog > UNREAD_BYTES_MAX) return;
    this.#say(connection, refusalTo(addressee, why));
  }

  #ingesterOf({ id }: Connection): IngesterWorker {
    return element(this.#ingesters[id % this.#ingesters.length]);
  }

  /**
   * Returns true if a message may be queued for its worker. An address may have as much in flight
   * as the queue still has room, so that a few addresses never take all of it. A little is accepted
   * beyond the bound, so that an address with little in flight is served while others fill the
   * queue.
   */
  #mayQueue({ used }: Credits, { inFlightCost }: AddressLoad, cost: number): boolean {
    const { queue_bytes_max: max } = this.#config.io;
    const wanted = inFlightCost + cost;
    if (used === 0) return true;
    return wanted <= max - used || (wanted <= ADDRESS_BYTES_MIN && used + cost <= 2 * max);
  }

  /** Returns the worker of a connection, for a record that has just arrived. */
  #ingester(connection: Connection): IngesterWorker {
    const worker = this.#ingesterOf(connection);
    this.#stamp(worker.outbox.records);
    return worker;
  }

  /** Begins a batch with the time of arrival of its records. */
  #stamp(records: RecordWriter): void {
    if (records.length === 0) writeArrived(records, sharedMilliseconds());
  }

  /**
   * Rejects a message unparsed. A connection that keeps sending after too many rejections costs the
   * relay more than its client, so it is closed.
   */
  #refuse(connection: Connection, frame: Buffer, limit: 'in_flight' | 'ingester_queue'): void {
    const why = limit === 'in_flight' ? IN_FLIGHT_FULL : INGESTER_QUEUE_FULL;
    if (connection.inFlight > 0 && ++connection.refusals > REFUSALS_MAX) {
      if (connection.endedBy === null) this.#closeForPolicy(connection, why);
      return;
    }
    const addressee = addresseeOf(frame);
    this.#meter.refusedBeforeParsing(limit);
    if (addressee?.type === 'EVENT')
      this.#admin.rejections.note(addressee, 'refused', ADMISSION_RULES[limit], why);
    this.#answerRefused(connection, addressee, why);
  }

  #say(connection: Connection, frame: string): void {
    this.#outbound.queue(connection, utf8(frame));
  }

  #answers(reader: RecordReader): void {
    while (reader.more) {
      const record = readAnswer(reader);
      if (record.t === 'answer') this.#answer(record);
      else if (record.t === 'vanished') this.#barriers.begin(record);
      else if (record.t === 'left') this.#left(record.connId);
      else this.#close(record);
    }
  }

  #answer({ connId, acks, frame }: Answer): void {
    const connection = this.#connections.get(connId);
    if (connection === undefined) return;
    connection.settle(acks);
    if (frame.length > 0 && !isWasted(frame, connection)) this.#outbound.queue(connection, frame);
  }

  #close({ connId, why }: AnswerRecord & { t: 'close' }): void {
    const connection = this.#connections.get(connId);
    if (connection !== undefined) this.#refuseConnection(connection, why);
  }

  /** Releases the room of a closed connection, of which no message waits for an ingester worker. */
  #left(connId: number): void {
    const connection = this.#leaving.get(connId);
    if (connection === undefined) return;
    this.#leaving.delete(connId);
    this.#counts.settle(connection.load, connection.inFlightCost);
  }

  /**
   * Passes the barrier of a vanished key, of which no worker sends anything any more. Queued frames
   * of the key are sent before the answers; held ones are dropped.
   */
  #vanished({ key, answers }: Vanished): void {
    const concerns = heldOf(key);
    for (const connection of this.#connections.values()) {
      if (connection.heldBytes === 0) continue;
      connection.dropHeld(concerns);
      this.#backlogs.count(connection);
    }
    this.#outbound.flush();
    for (const answer of answers) this.#answer(answer);
  }

  /** Closes a connection, and those of the same address if the address is banned for a while. */
  #refuseConnection(connection: Connection, why: string): void {
    this.#closeForPolicy(connection, why);
    const client = this.#rates.clientOf(connection);
    if (client === null || this.#rates.bannedSeconds(client) === 0) return;
    this.#closeAllForPolicy(({ load }) => load === connection.load, why);
  }

  /** Closes the matching connections that are not ending yet. */
  #closeAllForPolicy(concerns: (connection: Connection) => boolean, why: string): void {
    for (const connection of [...this.#connections.values()]) {
      if (connection.endedBy === null && concerns(connection))
        this.#closeForPolicy(connection, why);
    }
  }

  /** Closes a connection that a policy rejects, with a NOTICE, because the reason may be long. */
  #closeForPolicy(connection: Connection, why: string): void {
    connection.endedBy ??= 'policy';
    this.#say(connection, noticeAnswer(why));
    this.#outbound.flush();
    // It may have been cut off for unread bytes.
    if (!connection.closed) connection.close(CLOSE_POLICY_VIOLATION, why);
  }

  #stored(reader: RecordReader, worker: string): void {
    while (reader.more) {
      const { type, connId, subNo, acks, confirm, payload } = readQueryRecord(reader);
      if (type === MARK) {
        this.#barriers.marked(worker, subNo);
        continue;
      }
      const connection = this.#connections.get(connId);
      if (connection === undefined) continue;
      connection.settle(acks);
      if (type === CLOSE_CONNECTION) {
        this.#closeForPolicy(connection, payload.toString());
        continue;
      }
      if (confirm === 1) connection.confirmDue = true;
      if (type === OPEN) connection.open(subNo);
      else if (type === EVENTS && payload.length === 0) this.#outbound.check(connection);
      else if (type === EVENTS) this.#queueFrames(connection, payload);
      else if (payload.length > 0) this.#outbound.queue(connection, payload);
      if (type === HOLD) connection.hold(subNo);
      else if (type === EOSE || type === RESUME) {
        const held = type === EOSE ? connection.goLive(subNo) : connection.resume(subNo);
        for (const frame of held) this.#outbound.queueLive(connection, frame);
      } else if (type === CLOSED || type === GONE) {
        connection.end(subNo);
      }
    }
  }

  #queueFrames(connection: Connection, frames: Buffer): void {
    for (let at = 0; at < frames.length; ) {
      const start = at + 4;
      at = start + frames.readUInt32LE(at);
      this.#outbound.queue(connection, frames.subarray(start, at));
    }
  }

  #deliveries(reader: RecordReader): void {
    let event: LiveEvent;
    const begin = (json: Buffer) => {
      event = new LiveEvent(json);
    };
    const target = (connId: number, subNo: number, group: DeliveryGroup) => {
      const connection = this.#connections.get(connId);
      if (connection === undefined) return;
      const frame = connection.takeLive(subNo, event, group);
      if (frame !== null) this.#outbound.queueLive(connection, frame);
      else if (connection.heldBytes > 0) this.#backlogs.count(connection);
    };
    const hold = (connId: number, subNo: number) => this.#connections.get(connId)?.hold(subNo);
    const mark = (n: number) => this.#barriers.marked('monitor:0', n);
    while (reader.more) readDelivery(reader, { begin, target, hold, mark });
  }

  #confirm(connection: Connection): void {
    connection.confirmDue = false;
    const outbox = element(this.#queries[connection.id % this.#queries.length]);
    writeWindowUpdate(outbox.records, connection.id);
    outbox.touch();
  }

  #logClose(connection: Connection, reason: CloseReason): void {
    const { received, receivedBytes, sentBytes, openedAt } = connection;
    const seconds = Math.round((sharedMilliseconds() - openedAt) / 1000);
    this.#log.debug('connection closed', {
      connection: connection.id,
      ...ipFacts(this.#config.log, connection.ip),
      reason,
      seconds,
      messages: received,
      bytesIn: receivedBytes,
      bytesOut: sentBytes,
    });
  }

  #cutOff(connection: Connection): void {
    connection.endedBy ??= 'slow';
    this.#log.info('a slow client was disconnected', {
      connection: connection.id,
      ...ipFacts(this.#config.log, connection.ip),
      bytes: connection.pendingBytes + connection.socket.getBufferedAmount(),
    });
    connection.socket.close();
  }
}

/** Returns a test for held frames of a vanished key; each event is parsed once. */
function heldOf(key: VanishedKey): (frame: LiveFrame) => boolean {
  const known = new Map<Buffer, boolean>();
  return ({ json }) => {
    let found = known.get(json);
    if (found === undefined) {
      found = json.includes(key.pubkey) && isOf(key, JSON.parse(json.toString()) as NostrEvent);
      known.set(json, found);
    }
    return found;
  };
}

/** Returns true for a NOTICE to a client that does not read; a NOTICE quotes no message id. */
function isWasted(frame: Buffer, { backlog }: Connection): boolean {
  return backlog > UNREAD_BYTES_MAX && frame.subarray(0, NOTICE_START.length).equals(NOTICE_START);
}

/** Returns the size in bytes from which frames are compressed. */
function compressFrom({ io }: Config): number {
  return io.compression === 'off' ? Number.POSITIVE_INFINITY : io.compression_min_bytes;
}
