// Station monitor: the thread that matches new events with the live subscriptions, and owns their
// state.

import { Arena } from '../channel/arena.ts';
import type { Channel } from '../channel/channel.ts';
import { MessageOutbox, RecordOutbox } from '../channel/outbox.ts';
import { RecordReader } from '../channel/records.ts';
import type { Config } from '../config/options.ts';
import { present } from '../lib/assert.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import type { StationName } from '../messages/control.ts';
import { readFromIo } from '../messages/io-query.ts';
import { writeDelivery, writeHold, writeMonitorMark } from '../messages/monitor-io.ts';
import {
  type FromMonitor,
  type Handover,
  headWord,
  READING_EVENTS,
  readHandover,
} from '../messages/query-monitor.ts';
import { type AcceptedEvent, readAcceptedEvent } from '../messages/writer-monitor.ts';
import { Meter } from '../metrics/meter.ts';
import { eventPrefix } from '../protocol/answers.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { mayRead, PrivateKinds } from '../protocol/privacy.ts';
import { jsonBytesOf, jsonOf, type StoredBody } from '../store/body/body.ts';
import type { TermHasher } from '../store/index/terms.ts';
import { EventView } from './event-view.ts';
import { FilterIndex } from './filter-index.ts';
import type { LiveFilter } from './live-filter.ts';
import { MonitorMeter } from './monitor-meter.ts';
import { ReplayBuffer } from './replay-buffer.ts';
import type { Audience, Subscription } from './subscription.ts';

/** Bytes of bodies and terms kept for replay, whatever the number of events. */
const REPLAY_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of the arena for batches of hand-overs; no batch is kept after it was read. */
const HANDOVER_BYTES = 64 * 1024;
/** Number of subscription ids in one delivery at most, about 80 kB of them. */
const GROUPS_MAX = 1_000;
/** Number of terms indexed in one turn: about a millisecond. */
const SLICE_TERMS = 2_000;
const UNKNOWN = -1;

/** Subscriptions of a connection by number, and the query worker that they came from. */
interface Live {
  worker: number;
  subscriptions: Map<number, LiveFilter[] | Unread>;
  audience: Audience;
}

/**
 * Subscription that has not seen an event yet. Most end before one comes, so the filters are only
 * read then; until then they stay packed.
 */
interface Unread {
  subscription: Subscription;
  filters: string;
}

/**
 * Matches every accepted event with the live subscriptions. Station monitor, one thread.
 *
 * In: accepted events from writer in seq order; subscriptions from the query workers, with the seq
 * up to which they were answered. Out: deliveries to io; to a query worker, the subscriptions that
 * it has to replay instead. Bound: `monitor.replay_events_max` events are kept for replay; older
 * ones that a subscription missed are sent by its query worker out of the log. If the thread dies,
 * connections with subscriptions are closed with 1012, and it is started again.
 */
export class Monitor {
  readonly #index: FilterIndex;
  readonly #recent: ReplayBuffer;
  readonly #hasher: TermHasher;
  readonly #meter: MonitorMeter;
  #privateKinds: PrivateKinds;
  /** Live subscriptions by connection, then by subscription number. */
  readonly #live = new Map<number, Live>();
  readonly #queries = new Set<Channel>();
  readonly #unread = new Set<Unread>();
  /** True while the next slice of indexing is scheduled. */
  #indexing = false;
  #io: RecordOutbox | null = null;
  #writer: Channel | null = null;
  /** Newest seq seen; unknown until writer has sent the head of the log. */
  #head = UNKNOWN;
  /** Hand-overs that arrived before the head was known. */
  #early: (() => void)[] = [];

  constructor(config: Config, hasher: TermHasher, meter = Meter.alone('monitor')) {
    this.#meter = new MonitorMeter(meter);
    this.#hasher = hasher;
    this.#privateKinds = new PrivateKinds(kindsIn(config.auth.private_kinds));
    this.#index = new FilterIndex(hasher);
    this.#recent = new ReplayBuffer(config.monitor.replay_events_max, REPLAY_BYTES_MAX);
  }

  attach(station: StationName, worker: number, channel: Channel): void {
    if (station === 'io') {
      this.#io = new RecordOutbox(channel);
      channel.receive((batch) => this.#barriers(new RecordReader(batch)));
    } else if (station === 'writer') {
      this.#writer = channel;
      channel.receive((batch) => this.#accept(new RecordReader(batch)));
    } else if (station === 'query') {
      const query = new MessageOutbox<FromMonitor>(channel);
      this.#queries.add(channel);
      channel.progress = this.#head === UNKNOWN ? READING_EVENTS : headWord(this.#head);
      const arena = new Arena(HANDOVER_BYTES, () => true);
      const read = (batch: Uint8Array) => {
        const reader = new RecordReader(batch);
        while (reader.more) this.#handover(readHandover(reader), worker, query);
      };
      channel.receive(read, arena.take);
      channel.onClose(() => {
        this.#queries.delete(channel);
        this.#forgetWorker(worker);
      });
    }
  }

  reconfigure(config: Config): void {
    this.#recent.limit(config.monitor.replay_events_max);
    this.#privateKinds = new PrivateKinds(kindsIn(config.auth.private_kinds));
  }

  /** Delivers the last events of writer, which has stopped before. */
  stop(): void {
    this.#writer?.drain();
  }

  #accept(reader: RecordReader): void {
    // Hand-overs sent before these events must be read before them. A query worker that sends one
    // from now on sees the progress word and wakes this thread.
    for (const channel of this.#queries) channel.progress = READING_EVENTS;
    for (const channel of this.#queries) channel.drain();
    const begunAt = sharedMilliseconds();
    const head = reader.f64();
    if (this.#head === UNKNOWN) {
      this.#head = head;
      for (const handOver of this.#early.splice(0)) handOver();
    }
    if (reader.more) this.#readAll();
    while (reader.more) {
      const event = readAcceptedEvent(reader);
      if (typeof event === 'number') {
        this.#recent.forget(event);
        continue;
      }
      if (event.seq !== 0) {
        if (event.seq <= this.#head) continue;
        this.#head = event.seq;
        this.#recent.add(event);
      }
      this.#deliver(event);
      this.#meter.matched(event.arrivedAt);
    }
    this.#meter.batchEnds(begunAt);
    this.#io?.flush();
    for (const channel of this.#queries) channel.progress = headWord(this.#head);
  }

  /** Answers barriers. After its mark no event of the vanished key is delivered or replayed. */
  #barriers(reader: RecordReader): void {
    const io = present(this.#io, 'channel to io');
    this.#writer?.drain();
    while (reader.more) {
      const message = readFromIo(reader);
      if (message.t !== 'barrier') continue;
      this.#recent.forgetKey(message.key);
      writeMonitorMark(io.records, message.n);
    }
    io.flush();
  }

  /** Reads the filters of all unread subscriptions, and indexes some of them. */
  #readAll(): void {
    for (const { subscription, filters } of this.#unread) {
      const read = this.#index.add(subscription, filters);
      const { connId, subNo } = subscription;
      const live = present(this.#live.get(connId), 'connection of an unread subscription');
      live.subscriptions.set(subNo, read);
    }
    this.#unread.clear();
    this.#indexSlice();
  }

  /** Indexes filters, one slice a turn, so that other work of the thread is not delayed. */
  #indexSlice(): void {
    this.#index.index(SLICE_TERMS);
    if (this.#index.unindexed === 0 || this.#indexing) return;
    this.#indexing = true;
    setImmediate(() => {
      this.#indexing = false;
      this.#indexSlice();
    });
  }

  #deliver(event: AcceptedEvent): void {
    const groups = new Map<string, number[]>();
    const isFor = this.#readersOf(event);
    this.#index.match(
      event.terms,
      event.seq,
      new EventView(event),
      ({ prefix, connId, subNo, audience }) => {
        if (!isFor(audience.readers)) return;
        const targets = groups.get(prefix);
        if (targets) targets.push(connId, subNo);
        else groups.set(prefix, [connId, subNo]);
      },
    );
    if (groups.size > 0) this.#send(event.body, groups);
  }

  /** Returns a check if readers may read an event; its JSON is made by the first check. */
  #readersOf({ kind, body }: AcceptedEvent): (readers: readonly string[]) => boolean {
    if (!this.#privateKinds.has(kind)) return always;
    let json: string | null = null;
    return (readers) => {
      json ??= jsonOf(body);
      return mayRead(kind, json, readers);
    };
  }

  #send(body: StoredBody, groups: ReadonlyMap<string, readonly number[]>): void {
    if (!this.#io) return;
    const json = jsonBytesOf(body);
    for (const part of partsOf(groups)) {
      this.#meter.delivered(writeDelivery(this.#io.records, json, part));
      this.#io.touch();
    }
  }

  #handover(handover: Handover, worker: number, query: MessageOutbox<FromMonitor>): void {
    if (this.#head === UNKNOWN) {
      const kept =
        handover.t === 'live' ? { ...handover, filters: Buffer.from(handover.filters) } : handover;
      this.#early.push(() => this.#handover(kept, worker, query));
      return;
    }
    switch (handover.t) {
      case 'live':
        this.#begin(handover, worker, query);
        break;
      case 'auth':
        this.#authenticated(handover, query);
        break;
      case 'close':
        this.#end(handover.connId, handover.subNo);
        break;
      case 'disconnect':
        this.#forget(handover.connId);
        break;
    }
  }

  /**
   * Matches later events with these readers, and has io hold live events of the subscriptions in
   * `held` until their stored events were sent.
   */
  #authenticated(
    { connId, readers, held }: Handover & { t: 'auth' },
    query: MessageOutbox<FromMonitor>,
  ): void {
    const live = this.#live.get(connId);
    if (live !== undefined) live.audience.readers = readers;
    if (held.length === 0) return;
    if (this.#io !== null) {
      writeHold(this.#io.records, connId, held);
      this.#io.touch();
    }
    query.send({ t: 'readers', connId, upTo: this.#head });
  }

  #begin(
    handover: Handover & { t: 'live' },
    worker: number,
    query: MessageOutbox<FromMonitor>,
  ): void {
    const { connId, subNo, subId, seq, filters, readers } = handover;
    let live = this.#live.get(connId);
    if (live === undefined) {
      live = { worker, subscriptions: new Map(), audience: { readers } };
      this.#live.set(connId, live);
    }
    const { audience } = live;
    audience.readers = readers;
    const missed = this.#recent.after(seq, this.#head);
    const prefix = eventPrefix(subId);
    const subscription = { connId, subNo, prefix, afterSeq: seq, matchedTurn: 0, audience };
    if (missed === null) {
      // Live from the head on nevertheless: ephemeral events come from monitor alone.
      subscription.afterSeq = this.#head;
      this.#meter.behind();
      query.send({
        t: 'behind',
        connId,
        subNo,
        subId,
        seq,
        upTo: this.#head,
        filters: Buffer.from(filters),
        readers,
      });
    }
    const unread = { subscription, filters: Buffer.from(filters).toString('latin1') };
    if (missed !== null && missed.length > 0) this.#replay(unread, missed);
    this.#unread.add(unread);
    live.subscriptions.set(subNo, unread);
  }

  #replay({ subscription, filters }: Unread, missed: readonly AcceptedEvent[]): void {
    const index = new FilterIndex(this.#hasher);
    index.add(subscription, filters);
    for (const event of missed) {
      const { terms, seq, body } = event;
      const isFor = this.#readersOf(event);
      index.match(terms, seq, new EventView(event), ({ prefix, connId, subNo, audience }) => {
        if (isFor(audience.readers)) this.#send(body, new Map([[prefix, [connId, subNo]]]));
      });
    }
    // The turns of the temporary index are not those of `#index`.
    subscription.matchedTurn = 0;
  }

  #end(connId: number, subNo: number): void {
    const live = this.#live.get(connId);
    const subscription = live?.subscriptions.get(subNo);
    if (live === undefined || subscription === undefined) return;
    this.#remove(subscription);
    live.subscriptions.delete(subNo);
    if (live.subscriptions.size === 0) this.#live.delete(connId);
  }

  #forget(connId: number): void {
    const live = this.#live.get(connId);
    if (live === undefined) return;
    for (const subscription of live.subscriptions.values()) this.#remove(subscription);
    this.#live.delete(connId);
  }

  #remove(subscription: LiveFilter[] | Unread): void {
    if (Array.isArray(subscription)) this.#index.remove(subscription);
    else this.#unread.delete(subscription);
  }

  /** Removes the connections of a query worker that died with their state; io closes them. */
  #forgetWorker(worker: number): void {
    for (const [connId, live] of this.#live) if (live.worker === worker) this.#forget(connId);
  }
}

const always = () => true;

/** Splits the groups of a delivery into parts that fit into the ring of a channel. */
function* partsOf<T>(groups: ReadonlyMap<string, T>): Iterable<ReadonlyMap<string, T>> {
  if (groups.size <= GROUPS_MAX) {
    yield groups;
    return;
  }
  const list = [...groups];
  for (let at = 0; at < list.length; at += GROUPS_MAX) {
    yield new Map(list.slice(at, at + GROUPS_MAX));
  }
}
