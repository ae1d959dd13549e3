// Queue of the runs of a query worker, fair by address and connection.

import { Fifo } from '../lib/fifo.ts';
import { AddressTurns, ConnectionTurns, Turns } from '../lib/turns.ts';
import type { Run } from './run.ts';

/**
 * Number of begun queries of one connection in the queue from which on no new one is begun, because
 * begun queries take memory. Queries that are blocked by the client are not in the queue.
 */
const BEGUN_MAX = 4;
/** Expected cost of a turn of a query that has begun: 5 ms at 0.3 µs a row. */
const BEGUN_TURN_ROWS = 16_000;

/** Queries of one address, an IPv6 one by its prefix. */
class QueryAddress extends AddressTurns<QueryTurns> {
  /** Number of its runs that count against `query.queries_max`. */
  counted = 0;
  /** Bytes that its runs hold (`Run.held`). */
  held = 0;
}

/** Queries of one connection that wait for a turn. */
export class QueryTurns extends ConnectionTurns {
  readonly address: QueryAddress;
  /** Queries not begun, in the order of their arrival. */
  readonly fresh = new Fifo<Run>();
  /** Begun queries, which take turns. */
  readonly begun = new Fifo<Run>();

  constructor(address: QueryAddress) {
    super();
    this.address = address;
  }

  override get isWaiting(): boolean {
    return this.fresh.size + this.begun.size > 0;
  }

  override get expected(): number {
    const fresh = this.begun.size < BEGUN_MAX ? this.fresh.first : undefined;
    return fresh?.expectedRows ?? BEGUN_TURN_ROWS;
  }

  /** Takes the next query; new ones go first, so that a short one does not wait for a long one. */
  next(): Run {
    const fresh = this.begun.size < BEGUN_MAX ? this.fresh.shift() : undefined;
    return fresh ?? this.begun.shift()!;
  }
}

/** Queue of the waiting queries of a worker, by address and connection. */
export class QueryQueue {
  readonly #turns = new Turns<QueryTurns, QueryAddress>((name) => new QueryAddress(name));
  /** Number of queries that wait for a turn. */
  size = 0;

  /** Returns the queue of a new connection from an address; `leave` ends it. */
  connect(name: string): QueryTurns {
    return new QueryTurns(this.#turns.enter(name));
  }

  leave({ address }: QueryTurns): void {
    this.#turns.leave(address);
  }

  /** Adds a query that has not begun. */
  add(run: Run): void {
    run.turns.fresh.push(run);
    this.#added(run.turns);
  }

  /** Adds a query that goes on. */
  goOn(run: Run): void {
    run.turns.begun.push(run);
    this.#added(run.turns);
  }

  #added(turns: QueryTurns): void {
    this.size++;
    this.#turns.wait(turns);
  }

  /** Takes the next query; undefined if none waits. `charge` has to follow. */
  take(): Run | undefined {
    const run = this.#turns.take()?.next();
    if (run !== undefined) this.size--;
    return run;
  }

  /** Charges the rows of a turn. */
  charge({ turns }: Run, rows: number): void {
    this.#turns.charge(turns, rows);
  }

  /** Takes all waiting queries. */
  takeAll(): Run[] {
    const runs: Run[] = [];
    for (let run = this.take(); run !== undefined; run = this.take()) {
      runs.push(run);
      this.charge(run, 0);
    }
    return runs;
  }
}
