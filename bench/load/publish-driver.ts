// Load driver that publishes events and checks their OKs.

import { CANONICAL_ID_START } from '../../src/protocol/canonical.ts';
import type { Connection, ConnectionOwner } from '../client/connection.ts';
import { idKey, MessageReader, NOTICE, OK } from '../client/messages.ts';
import { Dataset } from '../dataset/dataset.ts';
import type { Histogram } from '../figures/histogram.ts';
import { now } from './clock.ts';
import {
  type Driver,
  type DriverContext,
  openAll,
  refusalKind,
  Signal,
  waitWhileComing,
} from './driver.ts';
import {
  EXPECT_ACCEPTED,
  EXPECT_DUPLICATE,
  EXPECT_EITHER,
  EXPECT_REFUSED,
  type PublishJob,
} from './job.ts';
import { Pacer } from './pacer.ts';
import type { Action } from './tally.ts';

const ZERO = 0x30;
const ONE = 0x31;
/** Position of the last digit of the signature from the end of the message: `0"}]`. */
const SIGNATURE_END = 4;
/** Prefixes of refusals of a valid event that are errors, not wrong answers. */
const POLICY = /^(rate-limited|error|pow|blocked|restricted|auth-required|mute)/;

/** Most events that wait because no connection may send; above it the run is cut short. */
const BACKLOG_MAX = 100_000;

const WATCH_MILLISECONDS = 1000;
/** Time without any answer after which a closed loop ends. */
const STALL_MILLISECONDS = 10_000;

interface WorkerState {
  readonly connection: Connection;
  /** Items in flight, by the key of their id. */
  readonly waiting: Map<number, number>;
}

/**
 * Driver of a PublishJob. Closed loop: each connection keeps `inFlight` events in flight and sends
 * the next ones as OKs come. At a rate: events are sent when they are due, over the connections in
 * turn; an event that finds all of them full waits, and its latency counts from when it was due.
 */
export class PublishDriver implements Driver, ConnectionOwner {
  readonly finished: Promise<void>;
  connections: Connection[] = [];
  readonly #context: DriverContext;
  readonly #job: PublishJob;
  readonly #dataset: Dataset;
  readonly #lines: Uint32Array;
  readonly #expected: Uint8Array;
  readonly #sentAt: Float64Array;
  readonly #accepted: Uint8Array;
  readonly #action: Action;
  readonly #reader = new MessageReader();
  readonly #finished = new Signal();
  readonly #pacer: Pacer | undefined;
  /** Items that were due while no connection was free, from `#backlogAt` on. */
  #backlog: number[] = [];
  #backlogAt = 0;
  #workers: WorkerState[] = [];
  #turn = 0;
  #outstanding = 0;
  #hasStarted = false;
  #over = false;
  #watchdog: NodeJS.Timeout | undefined;
  #seen = '';
  #quietTurns = 0;

  constructor(context: DriverContext, job: PublishJob) {
    this.#context = context;
    this.#job = job;
    this.finished = this.#finished.promise;
    this.#dataset = new Dataset(job.items.dataset);
    this.#lines = new Uint32Array(job.items.lines);
    this.#expected = new Uint8Array(job.items.expected);
    this.#sentAt = new Float64Array(job.items.sentAt);
    this.#accepted = new Uint8Array(job.items.accepted);
    this.#action = context.tally.action(job.action);
    if (job.rate > 0) {
      this.#pacer = new Pacer(
        job.rate,
        (dueAt) => this.#schedule(dueAt),
        () => this.#drainBacklog(),
      );
    }
  }

  get lag(): Histogram | undefined {
    return this.#pacer?.lag;
  }

  async prepare(): Promise<void> {
    this.connections = await openAll(this.#context, this, this.#job.connections);
    this.#workers = this.connections.map((connection) => ({ connection, waiting: new Map() }));
  }

  start(): void {
    const { goAt } = this.#context.control;
    this.#hasStarted = true;
    if (this.#workers.length === 0) {
      this.#finish();
    } else if (this.#pacer !== undefined) {
      // The threads take turns instead of sending at the same moments.
      const { thread, threads } = this.#context;
      this.#pacer.start(goAt + (1000 / this.#job.rate) * (1 + thread / threads));
    } else {
      for (const worker of this.#workers) this.#fill(worker);
      this.#watchdog = setInterval(() => this.#watch(), WATCH_MILLISECONDS);
    }
  }

  async stop(): Promise<void> {
    const { tally } = this.#context;
    this.#over = true;
    this.#pacer?.stop();
    clearInterval(this.#watchdog);
    tally.error('due but never sent', this.#backlog.length - this.#backlogAt);
    const isDone = () => this.#outstanding === 0;
    const waited = await waitWhileComing(isDone, () => this.#outstanding, this.#context);
    for (const { waiting } of this.#workers) {
      const [item] = waiting.values();
      if (item === undefined) continue;
      const example = `for ${this.#dataset.id(this.#lines[item]!)}`;
      if (waited === 'quiet') tally.wrong('no OK', example, waiting.size);
      else tally.error('no OK before the timeout', waiting.size);
    }
  }

  text(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const verb = this.#reader.read(bytes, start, end);
    if (verb === OK) {
      this.#answered(this.#workers[connection.number]!, bytes, start, end);
    } else if (verb === NOTICE) {
      const text = bytes.toString('utf8', this.#reader.idStart, this.#reader.idEnd);
      this.#context.tally.error(`NOTICE ${refusalKind(text)}`);
    }
  }

  readEnd(connection: Connection): void {
    const worker = this.#workers[connection.number];
    // A relay may send a message before the start, such as the challenge of NIP-42.
    if (!this.#hasStarted || worker === undefined || !connection.isOpen) return;
    if (this.#pacer === undefined) this.#fill(worker);
    else if (this.#backlogAt < this.#backlog.length) this.#drainBacklog();
  }

  closed(connection: Connection, why: string): void {
    const worker = this.#workers[connection.number];
    this.#context.tally.error(`connection lost: ${why}`, Math.max(worker?.waiting.size ?? 0, 1));
    this.#outstanding -= worker?.waiting.size ?? 0;
    worker?.waiting.clear();
    if (this.#workers.every((other) => !other.connection.isOpen)) this.#finish();
  }

  /** Takes the next item; -1 if there is none or the time is over. */
  #take(moment: number): number {
    const { control } = this.#context;
    if (this.#over || control.isOver(moment)) return -1;
    const item = control.take(this.#job.cursor);
    if (item >= this.#lines.length) {
      this.#over = true;
      return -1;
    }
    if (item === this.#job.warmupItems) control.measureNow();
    return item;
  }

  #fill(worker: WorkerState): void {
    const moment = now();
    while (worker.waiting.size < this.#job.inFlight) {
      const item = this.#take(moment);
      if (item < 0) {
        this.#checkFinished();
        break;
      }
      this.#send(worker, item, moment);
    }
    worker.connection.flush();
  }

  #schedule(dueAt: number): boolean {
    const item = this.#take(dueAt);
    if (item < 0) {
      this.#checkFinished();
      return false;
    }
    this.#sentAt[item] = dueAt;
    this.#backlog.push(item);
    if (this.#backlog.length - this.#backlogAt <= BACKLOG_MAX) return true;
    this.#context.tally.error('the relay fell too far behind; the run was cut short');
    this.#context.control.stop();
    return false;
  }

  /** Sends due items over connections with room, an equal share each. */
  #drainBacklog(): void {
    const share = Math.ceil((this.#backlog.length - this.#backlogAt) / this.#workers.length);
    for (let i = 0; i < this.#workers.length && this.#backlogAt < this.#backlog.length; i++) {
      const worker = this.#workers[this.#turn++ % this.#workers.length]!;
      if (!worker.connection.isOpen) continue;
      for (let sent = 0; sent < share && this.#backlogAt < this.#backlog.length; sent++) {
        if (worker.waiting.size >= this.#job.inFlight) break;
        const item = this.#backlog[this.#backlogAt++]!;
        this.#send(worker, item, this.#sentAt[item]!);
      }
      worker.connection.flush();
    }
    if (this.#backlogAt === this.#backlog.length) {
      this.#backlog = [];
      this.#backlogAt = 0;
    }
  }

  #send({ connection, waiting }: WorkerState, item: number, sentAt: number): void {
    const line = this.#lines[item]!;
    const { bytes } = this.#dataset;
    const start = this.#dataset.start(line);
    const end = this.#dataset.end(line);
    const key = idKey(bytes, start + CANONICAL_ID_START);
    if (waiting.has(key)) {
      // The relay answers by id, so two copies on one connection could not be told apart.
      this.#context.tally.count('duplicates not sent, because the first was not answered yet', 1);
      return;
    }
    connection.out.textAround('["EVENT",', bytes, start, end, ']');
    if (this.#expected[item] === EXPECT_REFUSED) {
      const digit = bytes[end - SIGNATURE_END + 1]!;
      connection.out.change(SIGNATURE_END, digit ^ (digit === ZERO ? ONE : ZERO));
    }
    this.#sentAt[item] = sentAt;
    waiting.set(key, item);
    this.#outstanding++;
  }

  #answered(worker: WorkerState, bytes: Buffer, start: number, end: number): void {
    const { tally } = this.#context;
    const reader = this.#reader;
    const key = idKey(bytes, reader.idStart);
    const item = worker.waiting.get(key);
    if (item === undefined) {
      tally.wrong('an unexpected OK', bytes.toString('utf8', start, end));
      return;
    }
    worker.waiting.delete(key);
    this.#outstanding--;
    const accepted = reader.accepted(bytes);
    const expected = this.#expected[item]!;
    const isPlain = accepted
      ? expected === EXPECT_ACCEPTED && !isDuplicate(bytes, reader.idEnd, end)
      : expected === EXPECT_REFUSED;
    if (isPlain || this.#isRight(expected, accepted, bytes, start, end)) {
      this.#action.record(this.#sentAt[item]!, now());
    }
    if (accepted) this.#accepted[item] = 1;
    if (this.#over) this.#checkFinished();
  }

  /** Checks the answers that are not the usual ones, and counts those that are wrong. */
  #isRight(
    expected: number,
    accepted: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean {
    const { tally } = this.#context;
    if (expected === EXPECT_EITHER || (expected === EXPECT_DUPLICATE && accepted)) return true;
    const message = bytes.toString('utf8', start, end);
    const reason = reasonOf(message);
    if (expected === EXPECT_REFUSED) {
      tally.wrong('an invalid signature was accepted', message);
    } else if (accepted) {
      const advice = 'the relay has this event already; take another --seed or an empty relay';
      tally.wrong('a fresh event was answered as a duplicate', `${message} (${advice})`);
    } else if (POLICY.test(reason)) {
      tally.error(`OK false ${refusalKind(reason)}`);
    } else {
      tally.wrong('a valid event was refused', message);
    }
    return false;
  }

  /** Ends a closed loop without answers, which would else wait for its time to end. */
  #watch(): void {
    const { control } = this.#context;
    const seen = `${control.live().done} ${this.#outstanding}`;
    this.#quietTurns = seen === this.#seen ? this.#quietTurns + 1 : 0;
    this.#seen = seen;
    if (this.#quietTurns * WATCH_MILLISECONDS >= STALL_MILLISECONDS) this.#finish();
  }

  #checkFinished(): void {
    if (this.#over && this.#outstanding === 0) this.#finish();
  }

  #finish(): void {
    this.#finished.set();
  }
}

const DUPLICATE = Buffer.from('"duplicate');

/** Returns true if the text of an OK begins with `duplicate`. */
function isDuplicate(bytes: Buffer, from: number, end: number): boolean {
  // `",true,"duplicate:"]` has 20 bytes; a shorter rest cannot hold the prefix of NIP-01.
  if (end - from < 20) return false;
  const at = bytes.indexOf(DUPLICATE, from);
  return at >= 0 && at < end;
}

function reasonOf(message: string): string {
  try {
    return String((JSON.parse(message) as unknown[])[3] ?? '');
  } catch {
    return message;
  }
}
