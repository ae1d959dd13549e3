// Load driver that holds live subscriptions and checks every delivery.

import { CANONICAL_ID_START } from '../../src/protocol/canonical.ts';
import type { Connection, ConnectionOwner } from '../client/connection.ts';
import { CLOSED, EOSE, EVENT, idKey, MessageReader, NOTICE } from '../client/messages.ts';
import { Dataset } from '../dataset/dataset.ts';
import { Random } from '../dataset/random.ts';
import { Audience } from './audience.ts';
import { now } from './clock.ts';
import {
  type Driver,
  type DriverContext,
  openAll,
  refusalKind,
  type Waited,
  waitUntil,
  waitWhileComing,
} from './driver.ts';
import type { SubscribeJob } from './job.ts';
import type { Action } from './tally.ts';

/** Time that the relay may take to answer all subscriptions before the run, in milliseconds. */
const SETUP_MILLISECONDS = 120_000;
/** Number of REQs in flight on one connection while the run is prepared. */
const SETUP_WINDOW = 10;

/**
 * Driver of a SubscribeJob: holds live subscriptions while other parts publish. The latency of a
 * delivery counts from the moment its event was due. The expected deliveries follow from the
 * dataset, and at the end all are compared: none missing, none twice, none that does not match.
 */
export class SubscribeDriver implements Driver, ConnectionOwner {
  /** Never resolves: it listens until the publishing parts have stopped. */
  readonly finished: Promise<void> = new Promise(() => {});
  connections: Connection[] = [];
  readonly #context: DriverContext;
  readonly #job: SubscribeJob;
  readonly #dataset: Dataset;
  readonly #lines: Uint32Array;
  readonly #sentAt: Float64Array;
  readonly #accepted: Uint8Array;
  readonly #action: Action;
  readonly #reader = new MessageReader();
  readonly #itemOfKey = new Map<number, number>();
  readonly #audience: Audience;
  /** One bit for each subscription and item: 1 when it was delivered. */
  readonly #got: Uint8Array;
  readonly #rowBytes: number;
  /** 1 for each subscription that got its EOSE, until its connection is lost. */
  readonly #live: Uint8Array;
  #liveCount = 0;
  #toOpen: number[] = [];
  /** Time at which the current bytes were read; 0 between reads. */
  #readAt = 0;

  constructor(context: DriverContext, job: SubscribeJob) {
    this.#context = context;
    this.#job = job;
    this.#dataset = new Dataset(job.items.dataset);
    this.#lines = new Uint32Array(job.items.lines);
    this.#sentAt = new Float64Array(job.items.sentAt);
    this.#accepted = new Uint8Array(job.items.accepted);
    this.#action = context.tally.action(job.action);
    this.#lines.forEach((line, item) => {
      const start = this.#dataset.start(line);
      this.#itemOfKey.set(idKey(this.#dataset.bytes, start + CANONICAL_ID_START), item);
    });
    const random = new Random(job.seed, context.thread);
    this.#audience = new Audience(this.#dataset, this.#lines, job, random);
    this.#rowBytes = Math.ceil(this.#lines.length / 8);
    this.#got = new Uint8Array(job.subscriptions * this.#rowBytes);
    this.#live = new Uint8Array(job.subscriptions);
  }

  async prepare(): Promise<void> {
    const { subscriptions, connections } = this.#job;
    if (subscriptions === 0) return;
    this.connections = await openAll(this.#context, this, Math.min(connections, subscriptions));
    this.#toOpen = this.connections.map(({ number }) => number);
    for (const connection of this.connections) {
      for (let i = 0; i < SETUP_WINDOW; i++) this.#subscribeNext(connection);
      connection.flush();
    }
    const isReady = () => this.#liveCount >= subscriptions;
    if (!(await waitUntil(isReady, SETUP_MILLISECONDS))) {
      throw new Error(`only ${this.#liveCount} of ${subscriptions} subscriptions got their EOSE`);
    }
    if (this.#job.slow) for (const connection of this.connections) connection.pause();
  }

  start(): void {}

  async stop(): Promise<void> {
    const { control, threads, graceMilliseconds } = this.#context;
    await waitUntil(() => control.published >= threads, graceMilliseconds);
    if (this.#job.slow) for (const connection of this.connections) connection.resume();
    this.#compare(await this.#drained());
  }

  text(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const verb = this.#reader.read(bytes, start, end);
    if (verb === EVENT) {
      this.#delivered(connection, bytes, end);
    } else if (verb === EOSE) {
      const subscription = this.#subscriptionOf(connection, bytes);
      if (subscription < 0 || this.#live[subscription] === 1) return;
      this.#live[subscription] = 1;
      this.#liveCount++;
      this.#subscribeNext(connection);
    } else if (verb === CLOSED || verb === NOTICE) {
      const message = JSON.parse(bytes.toString('utf8', start, end)) as string[];
      const text = message[verb === CLOSED ? 2 : 1] ?? '';
      this.#context.tally.error(`${message[0]} ${refusalKind(text)}`);
    }
  }

  readEnd(connection: Connection): void {
    this.#readAt = 0;
    connection.flush();
  }

  closed(connection: Connection, why: string): void {
    if (this.#job.slow) this.#context.tally.count('slow readers that the relay disconnected', 1);
    else this.#context.tally.error(`connection lost: ${why}`);
    for (let at = connection.number; at < this.#live.length; at += this.connections.length) {
      this.#live[at] = 0;
    }
  }

  /** Sends the next REQ of a connection. Subscription i is on connection i % connections. */
  #subscribeNext(connection: Connection): void {
    const subscription = this.#toOpen[connection.number]!;
    if (subscription >= this.#job.subscriptions) return;
    this.#toOpen[connection.number] = subscription + this.connections.length;
    const id = this.#job.ids === 'same' ? 's0' : `s${subscription}`;
    connection.out.text(`["REQ","${id}",${this.#audience.filter(subscription)}]`);
  }

  #subscriptionOf(connection: Connection, bytes: Buffer): number {
    if (this.#job.ids === 'same') return connection.number;
    const number = this.#reader.number(bytes);
    return number < this.#job.subscriptions ? number : -1;
  }

  #delivered(connection: Connection, bytes: Buffer, end: number): void {
    if (this.#readAt === 0) this.#readAt = now();
    const { tally } = this.#context;
    const subscription = this.#subscriptionOf(connection, bytes);
    const idAt = this.#reader.eventId(bytes, end);
    const item = idAt < 0 ? undefined : this.#itemOfKey.get(idKey(bytes, idAt));
    // Events stored before the run come before EOSE.
    if (subscription < 0 || (this.#live[subscription] === 0 && item === undefined)) return;
    if (item === undefined || this.#sentAt[item] === 0) {
      const text = bytes.toString('utf8', idAt, Math.min(idAt + 64, end));
      tally.wrong('a delivery of an event that was not published', text);
      return;
    }
    const at = subscription * this.#rowBytes + (item >> 3);
    const bit = 1 << (item & 7);
    if ((this.#got[at]! & bit) !== 0) {
      tally.wrong('a duplicate delivery', this.#dataset.id(this.#lines[item]!));
      return;
    }
    this.#got[at]! |= bit;
    this.#action.record(this.#sentAt[item]!, this.#readAt);
  }

  #has(subscription: number, item: number): boolean {
    return (this.#got[subscription * this.#rowBytes + (item >> 3)]! & (1 << (item & 7))) !== 0;
  }

  async #drained(): Promise<Waited> {
    let expected = 0;
    for (let item = 0; item < this.#lines.length; item++) {
      if (this.#accepted[item] === 1) expected += this.#audience.of(item).size;
    }
    this.#context.tally.count('deliveries expected', expected);
    const received = () => this.#action.done;
    const isDone = () => received() >= expected;
    return waitWhileComing(isDone, received, this.#context);
  }

  /** Compares the deliveries of each accepted event with the expected ones. */
  #compare(waited: Waited): void {
    const { tally } = this.#context;
    for (let item = 0; item < this.#lines.length; item++) {
      if (this.#accepted[item] !== 1) continue;
      const audience = this.#audience.of(item);
      for (let subscription = 0; subscription < this.#live.length; subscription++) {
        const has = this.#has(subscription, item);
        if (has === audience.has(subscription)) continue;
        const what = `${this.#dataset.id(this.#lines[item]!)} to ${this.#audience.filter(subscription)}`;
        if (has) tally.wrong('a delivery that does not match its filter', what);
        else if (this.#live[subscription] !== 1) continue;
        else if (waited === 'over') tally.error('a delivery missing at the timeout');
        else tally.wrong('a delivery is missing', what);
      }
    }
  }
}
