import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { kindsIn } from '../config/kind-range.ts';
import type { Config } from '../config/options.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import { MessageInbox, MessageOutbox, RecordOutbox } from '../mailbox/outbox.ts';
import { RecordReader } from '../mailbox/records.ts';
import {
  type AcceptedEvent,
  type Behind,
  type Handover,
  readAcceptedEvent,
  type StationName,
} from '../messages.ts';
import { Meter } from '../metrics/meter.ts';
import { eventPrefix } from '../protocol/answers.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Filter } from '../protocol/filter.ts';
import { mayRead, PrivateKinds } from '../protocol/privacy.ts';
import type { TermHasher } from '../storage/terms.ts';
import { type Audience, type Entry, FilterIndex, type Subscription } from './filter-index.ts';
import { MonitorMeter } from './monitor-meter.ts';
import { RecentEvents } from './recent.ts';

/** Bytes of JSON kept for replay, whatever the number of events. */
const REPLAY_BYTES_MAX = 64 * 1024 * 1024;
const UNKNOWN = -1;

/** The subscriptions of a connection by their number, and the query lane they came from. */
interface Live {
  lane: number;
  entries: Map<number, Entry[]>;
  audience: Audience;
}

/**
 * Station monitor, one thread: matches every accepted event with the live subscriptions.
 *
 * In: accepted events from writer in seq order, subscriptions from the query lanes with the seq up to
 * which they were answered. Out: deliveries to io; to a query lane, what it has to replay instead.
 * Bound: `monitor.replay_events_max` events are kept to replay; what a subscription missed before them,
 * its query lane sends out of the log. If it dies, connections with subscriptions are closed with 1012
 * and it starts again.
 */
export class Monitor {
  readonly #index: FilterIndex;
  readonly #recent: RecentEvents;
  readonly #hasher: TermHasher;
  readonly #meter: MonitorMeter;
  readonly #privateKinds: PrivateKinds;
  /** By connection, then by subscription number. */
  readonly #live = new Map<number, Live>();
  readonly #queries = new Map<MessagePort, (batch: ArrayBuffer) => void>();
  #io: RecordOutbox | null = null;
  #writer: MessagePort | null = null;
  /** The newest seq seen; unknown until writer has said where the log stands. */
  #head = UNKNOWN;
  /** Hand-overs that came before that. */
  #early: (() => void)[] = [];

  constructor(config: Config, hasher: TermHasher, meter = Meter.alone('monitor')) {
    this.#meter = new MonitorMeter(meter);
    this.#hasher = hasher;
    this.#privateKinds = new PrivateKinds(kindsIn(config.auth.private_kinds));
    this.#index = new FilterIndex(hasher);
    this.#recent = new RecentEvents(config.monitor.replay_events_max, REPLAY_BYTES_MAX);
  }

  attach(station: StationName, lane: number, port: MessagePort): void {
    if (station === 'io') this.#io = new RecordOutbox(port);
    else if (station === 'writer') {
      this.#writer = port;
      port.on('message', (batch: ArrayBuffer) => this.#accept(new RecordReader(batch)));
    } else if (station === 'query') {
      const behind = new MessageOutbox<Behind>(port);
      const inbox = new MessageInbox<Handover>();
      const read = (batch: ArrayBuffer) => {
        for (const handover of inbox.read(batch)) this.#handover(handover, lane, behind);
      };
      this.#queries.set(port, read);
      port.on('message', read);
      port.on('close', () => {
        this.#queries.delete(port);
        this.#forgetLane(lane);
      });
    }
  }

  reconfigure(config: Config): void {
    this.#recent.limit(config.monitor.replay_events_max);
  }

  /** Delivers what writer has sent; it has stopped before. */
  stop(): void {
    if (this.#writer) drain(this.#writer, (batch) => this.#accept(new RecordReader(batch)));
  }

  #accept(reader: RecordReader): void {
    // Hand-overs that were sent before these events were must not come after them.
    for (const [port, read] of this.#queries) drain(port, read);
    const begunAt = sharedMilliseconds();
    const head = reader.f64();
    if (this.#head === UNKNOWN) {
      this.#head = head;
      for (const handOver of this.#early.splice(0)) handOver();
    }
    while (reader.more) {
      const event = readAcceptedEvent(reader);
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
  }

  #deliver(event: AcceptedEvent): void {
    const targets = new Map<string, number[]>();
    const secret = this.#secretOf(event);
    this.#index.match(
      event.terms,
      event.seq,
      () => JSON.parse(event.json.toString()) as NostrEvent,
      ({ subId, connId, subNo, audience }) => {
        if (secret !== null && !mayRead(event.kind, secret, audience.readers)) return;
        const list = targets.get(subId);
        if (list) list.push(connId, subNo);
        else targets.set(subId, [connId, subNo]);
      },
    );
    for (const [subId, list] of targets) this.#send(subId, event.json, list);
  }

  /** The text of an event that not everybody may read; null for all others. */
  #secretOf({ kind, json }: AcceptedEvent): string | null {
    return this.#privateKinds.has(kind) ? json.toString() : null;
  }

  /** One frame for all subscriptions that share an id. */
  #send(subId: string, json: Buffer, targets: readonly number[]): void {
    if (!this.#io) return;
    const { records } = this.#io;
    const prefix = Buffer.from(eventPrefix(subId));
    records.u32(prefix.length + json.length + 1);
    records.raw(prefix);
    records.raw(json);
    records.u8(0x5d);
    this.#meter.delivered(targets.length / 2);
    records.u32(targets.length / 2);
    for (const number of targets) records.u32(number);
    this.#io.touch();
  }

  #handover(handover: Handover, lane: number, behind: MessageOutbox<Behind>): void {
    if (this.#head === UNKNOWN) {
      this.#early.push(() => this.#handover(handover, lane, behind));
      return;
    }
    switch (handover.t) {
      case 'live':
        this.#begin(handover, lane, behind);
        break;
      case 'auth': {
        const live = this.#live.get(handover.connId);
        if (live !== undefined) live.audience.readers = handover.readers;
        break;
      }
      case 'close':
        this.#end(handover.connId, handover.subNo);
        break;
      case 'disconnect':
        this.#forget(handover.connId);
        break;
    }
  }

  #begin(handover: Handover & { t: 'live' }, lane: number, behind: MessageOutbox<Behind>): void {
    const { connId, subNo, subId, seq, filters, readers } = handover;
    let live = this.#live.get(connId);
    if (live === undefined) {
      live = { lane, entries: new Map(), audience: { readers } };
      this.#live.set(connId, live);
    }
    const { audience } = live;
    audience.readers = readers;
    const missed = this.#recent.after(seq, this.#head);
    const subscription = { connId, subNo, subId, afterSeq: seq, matchedTurn: 0, audience };
    if (missed === null) {
      // Live from here on all the same: nobody else would bring it the ephemeral events.
      subscription.afterSeq = this.#head;
      this.#meter.behind();
      behind.send({ connId, subNo, subId, seq, upTo: this.#head, filters, readers });
    } else if (missed.length > 0) {
      this.#replay(subscription, filters, missed);
    }
    live.entries.set(subNo, this.#index.add(subscription, filters));
    this.#meter.subscribed(1);
  }

  #replay(subscription: Subscription, filters: readonly Filter[], missed: AcceptedEvent[]): void {
    const index = new FilterIndex(this.#hasher);
    index.add(subscription, filters);
    for (const event of missed) {
      const { terms, seq, json, kind } = event;
      const secret = this.#secretOf(event);
      index.match(
        terms,
        seq,
        () => JSON.parse(json.toString()) as NostrEvent,
        ({ subId, connId, subNo, audience }) => {
          if (secret !== null && !mayRead(kind, secret, audience.readers)) return;
          this.#send(subId, json, [connId, subNo]);
        },
      );
    }
    // The turns of that index are not the turns of the other.
    subscription.matchedTurn = 0;
  }

  #end(connId: number, subNo: number): void {
    const live = this.#live.get(connId);
    const entries = live?.entries.get(subNo);
    if (live === undefined || entries === undefined) return;
    this.#index.remove(entries);
    live.entries.delete(subNo);
    this.#meter.subscribed(-1);
    if (live.entries.size === 0) this.#live.delete(connId);
  }

  #forget(connId: number): void {
    const live = this.#live.get(connId);
    if (live === undefined) return;
    for (const entries of live.entries.values()) this.#index.remove(entries);
    this.#meter.subscribed(-live.entries.size);
    this.#live.delete(connId);
  }

  /** A query lane died, and with it what it knew of its connections: io closes them. */
  #forgetLane(lane: number): void {
    for (const [connId, live] of this.#live) if (live.lane === lane) this.#forget(connId);
  }
}

/** Reads at once what waits at a port. */
function drain(port: MessagePort, read: (batch: ArrayBuffer) => void): void {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) return;
    read(received.message as ArrayBuffer);
  }
}
