// Load driver that opens connections.

import { Connection, type ConnectionOwner } from '../client/connection.ts';
import { CLOSED, EOSE, EVENT, MessageReader, NOTICE } from '../client/messages.ts';
import type { Histogram } from '../figures/histogram.ts';
import { now } from './clock.ts';
import {
  type Driver,
  type DriverContext,
  refusalKind,
  Signal,
  sleep,
  waitUntil,
} from './driver.ts';
import type { ConnectJob } from './job.ts';
import { Pacer } from './pacer.ts';

/**
 * Driver of a ConnectJob. Without a rate it opens all connections, `concurrency` handshakes at a
 * time, with a subscription on each if the job says so, and holds them. With a rate it opens each
 * connection when it is due, sends its REQ, and closes it.
 */
export class ConnectDriver implements Driver, ConnectionOwner {
  readonly finished: Promise<void>;
  readonly connections: Connection[] = [];
  readonly #context: DriverContext;
  readonly #job: ConnectJob;
  readonly #reader = new MessageReader();
  readonly #finished = new Signal();
  readonly #pacer: Pacer | undefined;
  /** Resolvers of the promises that wait for the EOSE of a connection. */
  readonly #answered = new Map<Connection, () => void>();
  #begun = 0;
  #opening = 0;
  #over = false;

  constructor(context: DriverContext, job: ConnectJob) {
    this.#context = context;
    this.#job = job;
    this.finished = this.#finished.promise;
    if (job.rate > 0) {
      const due = (dueAt: number) => {
        if (this.#isOver()) return false;
        void this.#visit(dueAt);
        return true;
      };
      this.#pacer = new Pacer(job.rate, due, () => {});
    }
  }

  get lag(): Histogram | undefined {
    return this.#pacer?.lag;
  }

  async prepare(): Promise<void> {}

  start(): void {
    if (this.#pacer === undefined) void this.#storm();
    else this.#pacer.start(this.#context.control.goAt);
  }

  async stop(): Promise<void> {
    this.#over = true;
    this.#pacer?.stop();
    await waitUntil(() => this.#opening === 0, this.#context.graceMilliseconds);
    const held = this.connections.filter(({ isOpen }) => isOpen).length;
    this.#context.tally.count('connections still open at the end', held);
  }

  text(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const verb = this.#reader.read(bytes, start, end);
    if (verb === EOSE) {
      this.#settle(connection);
    } else if (verb === CLOSED || verb === NOTICE) {
      const message = JSON.parse(bytes.toString('utf8', start, end)) as string[];
      this.#context.tally.error(`${message[0]} ${refusalKind(message.at(-1) ?? '')}`);
      this.#settle(connection);
    } else if (verb === EVENT) {
      this.#context.tally.count('stored events received', 1);
    }
  }

  closed(connection: Connection, why: string): void {
    this.#context.tally.error(`connection lost: ${why}`);
    this.#settle(connection);
  }

  async #storm(): Promise<void> {
    const { connections, concurrency, holdSeconds } = this.#job;
    const worker = async () => {
      while (this.#begun < connections && !this.#isOver()) await this.#open(now());
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, connections) }, worker));
    const until = now() + holdSeconds * 1000;
    while (now() < until && !this.#isOver()) await sleep(20);
    this.#finished.set();
  }

  async #visit(dueAt: number): Promise<void> {
    const connection = await this.#open(dueAt);
    await connection?.close();
  }

  /** Opens one connection. Handshake, and REQ to EOSE, are counted as two actions. */
  async #open(since: number): Promise<Connection | undefined> {
    const { control, tally, target } = this.#context;
    const { action, filter } = this.#job;
    const number = this.#begun++;
    this.#opening++;
    try {
      const connection = await Connection.open(target, this, { number });
      this.connections.push(connection);
      tally.action(action).record(since, now());
      if (filter !== undefined) {
        const asked = now();
        const answered = new Promise<void>((resolve) => this.#answered.set(connection, resolve));
        connection.send(`["REQ","s${number}",${filter}]`);
        await answered;
        if (connection.isOpen) tally.action(`${action}: REQ to EOSE`).record(asked, now());
      }
      return connection;
    } catch (error) {
      if (!control.isStopped) tally.error(`cannot connect: ${(error as Error).message}`);
      return undefined;
    } finally {
      this.#opening--;
    }
  }

  #settle(connection: Connection): void {
    this.#answered.get(connection)?.();
    this.#answered.delete(connection);
  }

  #isOver(): boolean {
    return this.#over || this.#context.control.isOver(now());
  }
}
