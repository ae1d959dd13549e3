// Station query: one worker thread of several, which answers REQ and COUNT from stored events. The
// worker owns the state of its connections and a read-only database connection.

import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import { RecordReader } from '../channel/records.ts';
import type { Removals } from '../channel/removals.ts';
import type { Config } from '../config/options.ts';
import { present } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { onCalm } from '../lib/idle-collection.ts';
import type { StationName } from '../messages/control.ts';
import {
  type QueryRequest,
  readQueryRequest,
  type SubscriptionEnded,
} from '../messages/ingester-query.ts';
import { type Barrier, readFromIo } from '../messages/io-query.ts';
import type { CatchUpRequest, FromMonitor } from '../messages/query-monitor.ts';
import { readAcceptedHead, readAcceptedTerms } from '../messages/writer-query.ts';
import type { QuotaOwner, ReadBudget } from '../policy/rates/read-budget.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { PrivateKinds } from '../protocol/privacy.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { type Db, tuneReader } from '../store/database/open.ts';
import type { TermHasher } from '../store/index/terms.ts';
import { Snapshot } from '../store/read/snapshot.ts';
import { TailIndex } from '../store/read/tail-index.ts';
import { CatchUpRun } from './catch-up.ts';
import { type Asked, IoOutbox } from './io-outbox.ts';
import { LiveSubscription } from './live-subscription.ts';
import { MonitorOutbox } from './monitor-outbox.ts';
import { QueryCost } from './query-cost.ts';
import { QueryMeter } from './query-meter.ts';
import {
  CountRun,
  type HeldBack,
  HeldBackRun,
  hiddenPart,
  ReqRun,
  type RunContext,
} from './run.ts';
import { Scheduler } from './scheduler.ts';
import { SendWindows, type WindowBounds } from './send-windows.ts';
import type { QueryTurns, Run, RunQuota } from './turns.ts';

const OVERLOADED: Refusal = 'error: too many queries are waiting on this relay; try again later';
const TOO_MANY: Refusal =
  'rate-limited: too many of your queries are waiting on this relay; try again later';
const TOO_LARGE: Refusal =
  'error: this query exceeds the query memory of this relay; use fewer filters or a smaller limit';
const UNREADABLE: Refusal = 'error: this relay could not read its database; try again later';

/** State of one connection. */
interface Client {
  /** Subscriptions by number; null: monitor alone serves it. */
  subscriptions: Map<number, ReqRun | LiveSubscription | null>;
  counts: Set<CountRun>;
  /** Pubkeys that have authenticated on it (NIP-42). */
  readers: readonly string[];
  /**
   * Stored events to be sent to subscriptions after an authentication, as soon as monitor says from
   * which event on it matches with the new key; one entry for each awaited answer of monitor.
   */
  heldBack: Omit<HeldBack, 'upTo'>[][];
  /** Quota owner of its queries; null: they are not charged. */
  quotaOwner: QuotaOwner | null;
  /** Queue of its queries that wait for a turn. */
  turns: QueryTurns;
}

/**
 * Answers REQ and COUNT from stored events, then hands REQs over to monitor. Station query, N
 * threads.
 *
 * In: requests of the ingester workers (a connection always has the same query worker), the terms
 * of accepted events from writer, window updates from io, the subscriptions that monitor could not
 * replay to. Out: frames to io, hand-overs to monitor, ended subscriptions to the ingesters. Bound:
 * `query.queries_max` runs; with more, CLOSED `error:`, and `rate-limited:` for an address that has
 * as many as are still free. It owns a read-only database connection. If it dies, its connections
 * are closed with 1012, and it is started again.
 */
export class Query {
  #queriesMax: number;
  readonly #tailIndex: TailIndex;
  readonly #windows: SendWindows;
  readonly #scheduler: Scheduler;
  readonly #clients = new Map<number, Client>();
  readonly #db: Db;
  #config: Config;
  readonly #snapshot: Snapshot;
  readonly #hasher: TermHasher;
  readonly #meter: QueryMeter;
  readonly #reads: ReadBudget | null;
  readonly #ingesters = new Map<number, MessageOutbox<SubscriptionEnded>>();
  #runContext: RunContext | null = null;
  #ioOutbox: IoOutbox | null = null;
  /** Channel from writer. Its batches are read before each slice, and need not wake this thread. */
  #writer: Channel | null = null;
  #monitor: MonitorOutbox | null = null;
  #running = 0;

  constructor(
    config: Config,
    db: Db,
    hasher: TermHasher,
    removals: Removals,
    clock: Clock,
    reads: ReadBudget | null = null,
    meter = QueryMeter.alone(),
  ) {
    this.#meter = meter;
    this.#reads = reads;
    this.#config = config;
    this.#db = db;
    this.#hasher = hasher;
    this.#queriesMax = config.query.queries_max;
    this.#tailIndex = new TailIndex(config.query.timeline_events);
    this.#windows = new SendWindows(windowBounds(config));
    this.#snapshot = new Snapshot(db, hasher, this.#tailIndex, () => clock.seconds(), {
      removals,
      cacheBytes: config.query.cache_bytes,
    });
    this.#snapshot.load();
    onCalm(() => this.#snapshot.release());
    this.#scheduler = new Scheduler(this.#snapshot, clock, config.query.slice_milliseconds, {
      begins: (run) => this.#meter.begins(run),
      beforeSlice: () => void this.#writer?.drain(),
      afterSlice: () => {
        // Hand-overs first: events that a client publishes after its EOSE must find monitor ready.
        this.#monitor?.flush();
        this.#ioOutbox?.flush();
        this.#meter.sliceEnds(this.#scheduler.waiting, this.#running, this.#tailIndex.size);
      },
      over: (run) => this.#over(run),
      unreadable: (run, error) => this.#unreadable(run, error),
      tooLarge: (run) => this.#tooLarge(run),
    });
  }

  attach(station: StationName, worker: number, channel: Channel): void {
    if (station === 'io') this.#attachIo(channel);
    else if (station === 'writer') {
      this.#writer = channel;
      channel.receive((batch) => this.#follow(new RecordReader(batch)));
    } else if (station === 'monitor') {
      this.#monitor = new MonitorOutbox(channel);
      const inbox = new MessageInbox<FromMonitor>();
      channel.receive((batch) => {
        for (const message of inbox.read(batch)) {
          if (message.t === 'behind') this.#behind(message);
          else this.#readersApplied(message.connId, message.upTo);
        }
      });
    } else if (station === 'ingester') {
      if (this.#ingesters.has(worker)) this.#forgetWorker(worker);
      this.#ingesters.set(worker, new MessageOutbox<SubscriptionEnded>(channel));
      channel.receive((batch) => {
        const reader = new RecordReader(batch);
        while (reader.more) this.#request(readQueryRequest(reader));
      });
    }
  }

  reconfigure(config: Config): void {
    this.#config = config;
    this.#reads?.reconfigure(config);
    this.#queriesMax = config.query.queries_max;
    this.#windows.limit(windowBounds(config));
    this.#meter.slowMilliseconds = config.metrics.slow_query_milliseconds;
    this.#scheduler.sliceMilliseconds = config.query.slice_milliseconds;
    tuneReader(this.#db, config.storage);
    if (this.#runContext === null) return;
    this.#runContext.limitDefault = config.limits.limit_default;
    this.#runContext.limitMax = config.limits.limit_max;
    this.#runContext.eoseHints = config.query.eose_hints;
    this.#runContext.privateKinds = new PrivateKinds(kindsIn(config.auth.private_kinds));
  }

  stop(): void {
    this.#db.close();
  }

  /**
   * Disconnects the clients of an ingester worker that died and was restarted. io closes them, and
   * the end of a connection that closed meanwhile, or was not passed on, is never reported.
   */
  #forgetWorker(worker: number): void {
    for (const connId of [...this.#clients.keys()]) {
      if (connId % this.#ingesters.size === worker) this.#disconnect(connId);
    }
  }

  /** Sending end to io, which is attached before any request arrives; the next two likewise. */
  get #io(): IoOutbox {
    return present(this.#ioOutbox, 'channel to io');
  }

  get #toMonitor(): MonitorOutbox {
    return present(this.#monitor, 'channel to monitor');
  }

  get #context(): RunContext {
    return present(this.#runContext, 'context of the runs, made with the channel to io');
  }

  #attachIo(channel: Channel): void {
    this.#ioOutbox = new IoOutbox(channel, this.#windows);
    channel.receive((batch) => {
      const reader = new RecordReader(batch);
      while (reader.more) {
        const message = readFromIo(reader);
        if (message.t === 'barrier') this.#barrier(message);
        else this.#confirmed(message.connId);
      }
    });
    this.#runContext = {
      snapshot: this.#snapshot,
      hasher: this.#hasher,
      ioOutbox: this.#ioOutbox,
      limitDefault: this.#config.limits.limit_default,
      limitMax: this.#config.limits.limit_max,
      eoseHints: this.#config.query.eose_hints,
      privateKinds: new PrivateKinds(kindsIn(this.#config.auth.private_kinds)),
      canSend: (run) => this.#canSend(run),
      handOver: (run, seq) => this.#handOver(run, seq),
      refuse: (run, why) => this.#refuse(run, why),
    };
  }

  #confirmed(connId: number): void {
    this.#windows.confirmed(connId);
    this.#io.askConfirmation(connId);
  }

  /** Reads a batch of writer: the accepted events, and the progress of the index. */
  #follow(reader: RecordReader): void {
    const { indexedSeq, removals, removed } = readAcceptedHead(reader);
    this.#snapshot.forget(removed, removals);
    // Before the events are added: those that the index holds by now go into the recent columns
    // only.
    this.#tailIndex.advance(indexedSeq);
    while (reader.more) this.#tailIndex.add(readAcceptedTerms(reader));
  }

  /**
   * Answers a barrier. After its mark no event of the vanished key is sent. No slice is running, so
   * all later reads use a snapshot without its events; cached ones were evicted by the messages of
   * writer, and those sent before precede the mark.
   */
  #barrier({ n, key }: Barrier): void {
    this.#writer?.drain();
    if (key.removed) {
      for (const { counts } of this.#clients.values()) {
        for (const run of counts) run.countAgain(key);
      }
    }
    this.#io.mark(n);
  }

  #request(request: QueryRequest): void {
    switch (request.t) {
      case 'req':
        this.#req(request);
        break;
      case 'count':
        this.#count(request);
        break;
      case 'close':
        this.#close(request.connId, request.subNo);
        break;
      case 'refuse':
        this.#close(request.connId, request.subNo);
        if (request.first !== '') this.#io.say(request.connId, 0, request.first);
        this.#io.closed(request, request.why);
        break;
      case 'client':
        this.#introduced(request);
        break;
      case 'auth':
        this.#auth(request.connId, request.readers);
        if (request.answer !== '') this.#io.say(request.connId, request.cost, request.answer);
        break;
      case 'say':
        this.#io.say(request.connId, 0, request.frame);
        break;
      case 'leave':
        this.#io.closeForPolicy(request.connId, request.why);
        break;
      case 'disconnect':
        this.#disconnect(request.connId);
        break;
    }
  }

  /**
   * Sets the readers of a connection; monitor matches later events with them. Live subscriptions
   * are sent the stored events that were hidden from them once monitor has said up to which event;
   * REQs that are still running are, at their end.
   */
  #auth(connId: number, readers: string[]): void {
    const client = this.#client(connId);
    client.readers = readers;
    if (client.quotaOwner !== null)
      client.quotaOwner.keys = present(this.#reads, 'read budget of a client that pays').keysOf(
        readers,
      );
    if (client.subscriptions.size === 0) return;
    const heldBack: Omit<HeldBack, 'upTo'>[] = [];
    for (const [subNo, subscription] of client.subscriptions) {
      if (!(subscription instanceof LiveSubscription)) continue;
      const found = this.#heldBack(client, connId, subNo, subscription);
      if (found !== null) heldBack.push(found);
    }
    if (heldBack.length > 0) client.heldBack.push(heldBack);
    this.#toMonitor.send({ t: 'auth', connId, readers, held: heldBack.map(({ subNo }) => subNo) });
    this.#toMonitor.flush();
  }

  /**
   * Returns the stored events that were hidden from a subscription until now; null if the current
   * readers see no more of them.
   */
  #heldBack(
    { readers }: Client,
    connId: number,
    subNo: number,
    subscription: LiveSubscription,
  ): Omit<HeldBack, 'upTo'> | null {
    const { subId, readers: before } = subscription;
    if (subscription.filters === null) return null;
    if (readers.every((reader) => before.includes(reader))) return null;
    subscription.readers = [...new Set([...before, ...readers])];
    const filters = hiddenPart(subscription.filters, this.#context.privateKinds, before);
    return filters === null ? null : { connId, subNo, subId, filters, readers, before };
  }

  #readersApplied(connId: number, upTo: number): void {
    const client = this.#clients.get(connId);
    if (client === undefined) return;
    for (const heldBack of client.heldBack.shift() ?? []) {
      this.#sendHeldBack(client, { ...heldBack, upTo });
    }
  }

  #sendHeldBack(client: Client, heldBack: HeldBack): void {
    const subscription = client.subscriptions.get(heldBack.subNo);
    // Closed meanwhile.
    if (!(subscription instanceof LiveSubscription)) return;
    const run = new HeldBackRun(this.#context, heldBack, this.#quota(client));
    subscription.runs.add(run);
    this.#scheduler.add(run);
  }

  #introduced({ connId, name, address, network }: QueryRequest & { t: 'client' }): void {
    const client = this.#client(connId);
    if (client.turns.address.name !== name) {
      this.#scheduler.queue.leave(client.turns);
      client.turns = this.#scheduler.queue.connect(name);
    }
    if (this.#reads === null) return;
    client.quotaOwner = address === 0 ? null : this.#reads.quotaOwner(address, network);
    if (client.quotaOwner !== null) client.quotaOwner.keys = this.#reads.keysOf(client.readers);
  }

  /** Returns the quota and the queue of a new query of this client. */
  #quota({ quotaOwner, turns }: Client): RunQuota & { queryCost: QueryCost | null } {
    return {
      queryCost:
        quotaOwner === null
          ? null
          : new QueryCost(present(this.#reads, 'read budget of a client that pays'), quotaOwner),
      turns,
    };
  }

  /**
   * Returns the reason for which one more query of this client is refused, or null. An address may
   * have as many as are still free, so that a few addresses never take the last ones.
   */
  #refusalIfFull({ turns }: Client): Refusal | null {
    const free = this.#queriesMax - this.#running;
    if (free <= 0) return OVERLOADED;
    return turns.address.counted < free ? null : TOO_MANY;
  }

  #req(request: QueryRequest & { t: 'req' }): void {
    const { connId, subNo, replaces } = request;
    if (replaces !== 0) this.#close(connId, replaces);
    this.#io.open(connId, subNo);
    const client = this.#client(connId);
    const quota = this.#quota(client);
    const { queryCost } = quota;
    const refusal =
      this.#refusalIfFull(client) ?? (queryCost?.isRefused(0) === true ? queryCost.refusal : null);
    if (refusal !== null) {
      this.#refuseNew(request, refusal);
      return;
    }
    const run = new ReqRun(this.#context, request, client.readers, quota);
    client.subscriptions.set(subNo, run);
    this.#start(run);
  }

  /** Ends a subscription whose client has no budget left for its stored events. */
  #refuse(run: ReqRun | HeldBackRun, why: Refusal): void {
    if (run instanceof ReqRun) this.#meter.overloaded('REQ', run.connId, why, run.packed);
    this.#end(run, why);
  }

  /** Refuses a REQ that was not begun. */
  #refuseNew(request: QueryRequest & { t: 'req' }, why: Refusal): void {
    this.#meter.overloaded('REQ', request.connId, why, request.filters);
    this.#closed(request, why);
  }

  /** Ends a subscription for which a run could not go on. */
  #end(run: ReqRun | CatchUpRun | HeldBackRun, why: Refusal): void {
    const { connId, subNo } = run;
    this.#take(connId, subNo);
    this.#closed(run, why);
    this.#toMonitor.send({ t: 'close', connId, subNo });
  }

  /** Sends CLOSED to the client, and tells its ingester, which frees the subscription. */
  #closed(asked: Asked, why: Refusal): void {
    const { connId, subNo, subId } = asked;
    this.#io.closed(asked, why);
    this.#ingesters.get(connId % this.#ingesters.size)?.send({ connId, subId, subNo });
  }

  /** Removes a subscription and cancels its runs; returns undefined if there is none. */
  #take(connId: number, subNo: number): ReqRun | LiveSubscription | null | undefined {
    const subscriptions = this.#clients.get(connId)?.subscriptions;
    const subscription = subscriptions?.get(subNo);
    if (subscription === undefined) return undefined;
    subscriptions?.delete(subNo);
    for (const run of runsOf(subscription)) {
      this.#cancel(run);
      this.#windows.wake(connId, run);
    }
    return subscription;
  }

  #count(request: QueryRequest & { t: 'count' }): void {
    const { connId } = request;
    const client = this.#client(connId);
    const refusal = this.#refusalIfFull(client);
    if (refusal !== null) {
      this.#meter.overloaded('COUNT', connId, refusal, request.filters);
      this.#io.countRefused(request, refusal);
      return;
    }
    const run = new CountRun(this.#context, request, client.readers, this.#quota(client));
    client.counts.add(run);
    this.#start(run);
  }

  #start(run: Run): void {
    this.#running++;
    run.turns.address.counted++;
    this.#scheduler.add(run);
  }

  /** Cancels a run. It no longer counts, so that new queries have its place at once. */
  #cancel(run: Run): void {
    this.#uncount(run);
    this.#scheduler.queue.cancel(run);
  }

  /** Ends the counting of a run against `query.queries_max`. */
  #uncount(run: Run): void {
    if (!run.counted) return;
    run.counted = false;
    this.#running--;
    run.turns.address.counted--;
  }

  /**
   * Returns true if the send window of the run's client has space; otherwise the run is blocked. A
   * blocked run is bounded by the client's subscriptions. It never counts again, because all runs
   * blocked for a client resume at once, and the first takes the space that there is.
   */
  #canSend(run: Run): boolean {
    const free = this.#windows.canSend(run.connId, run, () => this.#scheduler.resume(run));
    if (!free) this.#uncount(run);
    return free;
  }

  #over(run: Run): void {
    this.#uncount(run);
    run.queryCost?.settle(run.rows);
    this.#meter.over(run);
    const client = this.#clients.get(run.connId);
    if (run instanceof CountRun) client?.counts.delete(run);
    else if (run instanceof CatchUpRun || run instanceof HeldBackRun) {
      const subscription = client?.subscriptions.get(run.subNo);
      if (!(subscription instanceof LiveSubscription)) return;
      subscription.runs.delete(run);
      if (subscription.filters === null && subscription.runs.size === 0) {
        client?.subscriptions.set(run.subNo, null);
      }
    }
  }

  #unreadable(run: Run, error: Error): void {
    this.#meter.unreadable(error);
    this.#breakOff(run, UNREADABLE);
  }

  #tooLarge(run: Run): void {
    this.#meter.tooLarge();
    this.#breakOff(run, TOO_LARGE);
  }

  /** Ends a query that cannot go on, and its subscription if it is live. */
  #breakOff(run: Run, why: Refusal): void {
    if (run instanceof CountRun) this.#io.countRefused(run, why);
    else if (run instanceof ReqRun || run instanceof CatchUpRun || run instanceof HeldBackRun) {
      this.#end(run, why);
    }
  }

  #handOver(run: ReqRun, seq: number): void {
    const { connId, subNo, subId, packed } = run;
    const client = this.#client(connId);
    const { readers } = client;
    this.#toMonitor.send({ t: 'live', connId, subNo, subId, seq, filters: packed, readers });
    if (!run.mayHide) {
      client.subscriptions.set(subNo, null);
      return;
    }
    const subscription = new LiveSubscription(subId, packed, run.readers);
    client.subscriptions.set(subNo, subscription);
    // A key has authenticated while the stored events were read.
    const heldBack = this.#heldBack(client, connId, subNo, subscription);
    if (heldBack === null) return;
    this.#io.hold(connId, subNo);
    this.#sendHeldBack(client, { ...heldBack, upTo: seq });
  }

  #behind(behind: CatchUpRequest): void {
    const { connId, subNo, subId } = behind;
    const subscriptions = this.#clients.get(connId)?.subscriptions;
    let subscription = subscriptions?.get(subNo);
    // Closed while the hand-over was in flight.
    if (subscription === undefined || subscription instanceof ReqRun) return;
    if (subscription === null) {
      subscription = new LiveSubscription(subId, null, behind.readers);
      subscriptions?.set(subNo, subscription);
    }
    const run = new CatchUpRun(this.#context, behind, this.#quota(this.#client(connId)));
    subscription.runs.add(run);
    this.#start(run);
  }

  #client(connId: number): Client {
    let client = this.#clients.get(connId);
    if (client === undefined) {
      client = {
        subscriptions: new Map(),
        counts: new Set(),
        readers: [],
        heldBack: [],
        quotaOwner: null,
        turns: this.#scheduler.queue.connect(''),
      };
      this.#clients.set(connId, client);
    }
    return client;
  }

  #close(connId: number, subNo: number): void {
    const subscription = this.#take(connId, subNo);
    if (subscription === undefined) return;
    // A REQ without its EOSE still counts as in flight.
    this.#io.gone(connId, subNo, subscription instanceof ReqRun ? subscription.cost : 0);
    this.#toMonitor.send({ t: 'close', connId, subNo });
  }

  #disconnect(connId: number): void {
    const client = this.#clients.get(connId);
    if (client !== undefined) {
      for (const subscription of client.subscriptions.values()) {
        for (const run of runsOf(subscription)) this.#cancel(run);
      }
      for (const run of client.counts) this.#cancel(run);
      this.#scheduler.queue.leave(client.turns);
      this.#clients.delete(connId);
      this.#toMonitor.send({ t: 'disconnect', connId });
    }
    this.#windows.forget(connId);
  }
}

/** Returns the runs that send stored events to a subscription. */
function runsOf(subscription: ReqRun | LiveSubscription | null): Iterable<Run> {
  if (subscription === null) return [];
  return subscription instanceof ReqRun ? [subscription] : subscription.runs;
}

/** Bytes of stored events in flight to one client, at most. */
const CLIENT_BYTES_MAX = 1024 * 1024;

/** Returns the bounds of bytes in flight: at most a quarter of what io buffers. */
function windowBounds({ io }: Config): WindowBounds {
  return {
    clientBytes: Math.min(CLIENT_BYTES_MAX, Math.floor(io.outbound_bytes_max / 4)),
    totalBytes: Math.floor(io.outbound_total_bytes_max / 4),
  };
}
