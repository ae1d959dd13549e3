// Load driver that sends REQ or COUNT and checks the answers.

import type { NostrEvent } from '../../src/protocol/event.ts';
import type { Connection, ConnectionOwner } from '../client/connection.ts';
import { CLOSED, COUNT, EOSE, EVENT, MessageReader, NOTICE } from '../client/messages.ts';
import type { Histogram } from '../figures/histogram.ts';
import { now } from './clock.ts';
import {
  type Driver,
  type DriverContext,
  openAll,
  refusalKind,
  waitWhileComing,
} from './driver.ts';
import type { PreparedRequest, QueryJob } from './job.ts';
import { answerFault, type Filter } from './matcher.ts';
import { Pacer } from './pacer.ts';

/** One answer in this many is parsed and checked event by event. */
const CHECKED_SHARE = 64;
const SWEEP_MILLISECONDS = 1000;
const BACKLOG_MAX = 100_000;

/** Place for one request in flight. */
interface Slot {
  readonly connection: Connection;
  /** Number in the subscription id; a new one for every request. */
  number: number;
  request: PreparedRequest | undefined;
  since: number;
  events: number;
  /** Events of the answer, if it is checked event by event. */
  kept: NostrEvent[] | undefined;
}

/**
 * Driver of a QueryJob: sends REQ and, after its EOSE, CLOSE together with the next one; or COUNT.
 * The number of events of every answer is compared with what the dataset says.
 */
export class QueryDriver implements Driver, ConnectionOwner {
  /** Never resolves: only time ends this driver. */
  readonly finished: Promise<void> = new Promise(() => {});
  connections: Connection[] = [];
  readonly #context: DriverContext;
  readonly #job: QueryJob;
  readonly #reader = new MessageReader();
  readonly #pacer: Pacer | undefined;
  readonly #backlog: number[] = [];
  #slots: Slot[][] = [];
  #free: Slot[] = [];
  #sweeper: NodeJS.Timeout | undefined;
  #asked = 0;
  #outstanding = 0;
  #over = false;

  constructor(context: DriverContext, job: QueryJob) {
    this.#context = context;
    this.#job = job;
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
    this.#slots = this.connections.map((connection) =>
      Array.from({ length: this.#job.inFlight }, (_, number) => ({
        connection,
        number,
        request: undefined,
        since: 0,
        events: 0,
        kept: undefined,
      })),
    );
    this.#free = this.#slots.flat();
  }

  start(): void {
    const { control, thread, threads } = this.#context;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MILLISECONDS);
    if (this.#slots.length === 0) return;
    if (this.#pacer !== undefined) {
      this.#pacer.start(control.goAt + (1000 / this.#job.rate) * (1 + thread / threads));
      return;
    }
    for (const slots of this.#slots) {
      const moment = now();
      for (const slot of slots) this.#ask(slot, moment);
      slots[0]!.connection.flush();
    }
  }

  async stop(): Promise<void> {
    const { tally } = this.#context;
    this.#over = true;
    this.#pacer?.stop();
    tally.error('due but never sent', this.#backlog.length);
    const isDone = () => this.#outstanding === 0;
    await waitWhileComing(isDone, () => this.#outstanding, this.#context);
    clearInterval(this.#sweeper);
    for (const { request } of this.#slots.flat()) {
      if (request !== undefined) tally.wrong('no answer', clip(request.filters));
    }
  }

  text(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const reader = this.#reader;
    const verb = reader.read(bytes, start, end);
    if (verb === NOTICE) {
      const text = bytes.toString('utf8', reader.idStart, reader.idEnd);
      this.#context.tally.error(`NOTICE ${refusalKind(text)}`);
      return;
    }
    if (verb !== EVENT && verb !== EOSE && verb !== COUNT && verb !== CLOSED) return;
    const number = reader.number(bytes);
    const slots = this.#slots[connection.number]!;
    const slot = slots[number % this.#job.inFlight];
    // Messages for an older number were in flight when its subscription was closed.
    if (slot === undefined || slot.number !== number || slot.request === undefined) return;
    if (verb === EVENT) {
      slot.events++;
      if (slot.kept !== undefined) {
        slot.kept.push(
          (JSON.parse(bytes.toString('utf8', start, end)) as [string, string, NostrEvent])[2],
        );
      }
    } else if (verb === CLOSED) {
      this.#refused(slot, bytes.toString('utf8', start, end));
    } else if (verb === COUNT) {
      this.#counted(slot, bytes.toString('utf8', start, end));
    } else {
      this.#completed(slot);
    }
  }

  readEnd(connection: Connection): void {
    connection.flush();
    if (this.#backlog.length > 0) this.#drainBacklog();
  }

  closed(connection: Connection, why: string): void {
    const slots = this.#slots[connection.number]!;
    const cut = slots.filter(({ request }) => request !== undefined).length;
    this.#context.tally.error(`connection lost: ${why}`, Math.max(cut, 1));
    this.#outstanding -= cut;
    for (const slot of slots) slot.request = undefined;
    this.#free = this.#free.filter((slot) => slot.connection !== connection);
  }

  #ask(slot: Slot, since: number): void {
    const { requests, verb, inFlight } = this.#job;
    const request = requests[this.#asked % requests.length]!;
    slot.kept = verb === 'REQ' && this.#asked % CHECKED_SHARE === 0 ? [] : undefined;
    this.#asked++;
    slot.number += inFlight;
    slot.request = request;
    slot.since = since;
    slot.events = 0;
    this.#outstanding++;
    slot.connection.out.text(`["${verb}","q${slot.number}",${request.filters}]`);
  }

  #completed(slot: Slot): void {
    const { tally } = this.#context;
    const { request, events, since, kept, number, connection } = slot;
    const moment = now();
    const { min, max, filters, action } = request!;
    if (events < min || events > max) {
      const wanted = min === max ? min : `${min} to ${max}`;
      tally.wrong(
        'a wrong number of events',
        `${events} instead of ${wanted} for ${clip(filters)}`,
      );
    } else {
      tally.action(action).record(since, moment, events);
    }
    if (kept !== undefined) this.#check(filters, kept);
    connection.out.text(`["CLOSE","q${number}"]`);
    this.#release(slot, moment);
  }

  #counted(slot: Slot, message: string): void {
    const { tally } = this.#context;
    const { min, max, filters, action } = slot.request!;
    const moment = now();
    const answer = (JSON.parse(message) as unknown[])[2] as Record<string, unknown> | undefined;
    const count = answer?.count;
    const isRough = answer?.approximate === true || answer?.limited === true;
    if (isRough) tally.count('counts marked as approximate', 1);
    if (typeof count !== 'number' || (!isRough && (count < min || count > max))) {
      tally.wrong('a wrong count', `${message} instead of ${min} for ${clip(filters)}`);
    } else {
      tally.action(action).record(slot.since, moment, 1);
    }
    this.#release(slot, moment);
  }

  #refused(slot: Slot, message: string): void {
    const reason = String((JSON.parse(message) as unknown[])[2] ?? '');
    this.#context.tally.error(`CLOSED ${refusalKind(reason)}`);
    this.#release(slot, now());
  }

  /** Frees a slot and, in a closed loop, fills it again; `readEnd` sends the messages. */
  #release(slot: Slot, moment: number): void {
    slot.request = undefined;
    this.#outstanding--;
    if (this.#over || this.#context.control.isOver(moment)) return;
    if (this.#pacer === undefined) this.#ask(slot, moment);
    else this.#free.push(slot);
  }

  #check(filters: string, events: readonly NostrEvent[]): void {
    const { tally } = this.#context;
    const filter = JSON.parse(filters) as Filter;
    tally.count('answers checked event by event', 1);
    const fault = answerFault(filter, events);
    if (fault !== undefined) tally.wrong('a wrong answer', `${fault}: ${clip(filters)}`);
  }

  #schedule(dueAt: number): boolean {
    const { control, tally } = this.#context;
    if (this.#over || control.isOver(dueAt)) return false;
    this.#backlog.push(dueAt);
    if (this.#backlog.length <= BACKLOG_MAX) return true;
    tally.error('the relay fell too far behind; the run was cut short');
    control.stop();
    return false;
  }

  #drainBacklog(): void {
    while (this.#backlog.length > 0) {
      const slot = this.#free.pop();
      if (slot === undefined) break;
      this.#ask(slot, this.#backlog.shift()!);
      slot.connection.flush();
    }
  }

  /** Gives up on requests that have waited for `timeoutMilliseconds`. */
  #sweep(): void {
    const moment = now();
    for (const slots of this.#slots) {
      for (const slot of slots) {
        if (slot.request === undefined) continue;
        if (moment - slot.since < this.#job.timeoutMilliseconds) continue;
        this.#context.tally.wrong('no answer in time', clip(slot.request.filters));
        slot.connection.out.text(`["CLOSE","q${slot.number}"]`);
        this.#release(slot, moment);
        slot.connection.flush();
      }
    }
  }
}

function clip(filters: string): string {
  return filters.length > 160 ? `${filters.slice(0, 160)}…` : filters;
}
