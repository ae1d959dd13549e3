// Runs of a query worker as its scheduler sees them, and their queue, fair by address and
// connection.

import { Fifo } from '../lib/fifo.ts';
import { AddressTurns, ConnectionTurns, Turns } from '../lib/turns.ts';
import type { Budget } from '../store/read/scan.ts';
import type { QueryCost } from './query-cost.ts';

/** Result of a step of a run: there is more to do, it is blocked by its client, or it is done. */
export type Step = 'again' | 'wait' | 'done';

/** Resumable work that the scheduler gives slices to. */
export interface Run {
  readonly connId: number;
  /** True if it is to end; set by `QueryQueue.cancel` while it may wait for its first turn. */
  cancelled: boolean;
  /** True while it counts against `query.queries_max`: until its client first blocks it. */
  counted: boolean;
  /** Milliseconds of work spent on it, and rows that it has cost (`Budget`). */
  work: number;
  rows: number;
  /** Rows that its first turn is expected to cost. */
  readonly expectedRows: number;
  /** Cost to be charged; null: it is not charged. */
  readonly queryCost: QueryCost | null;
  /** Queue in which it waits for its turn. */
  readonly turns: QueryTurns;
  /** True if it has had a turn. */
  hasTurned: boolean;
  /** Bytes that it holds between two turns, as last estimated. */
  held: number;
  step(budget: Budget): Step;
  /** Estimates the bytes that it holds now. */
  weigh(): number;
  /** Cancels it and releases the memory that it holds. */
  drop(): void;
}

/** Quota that a run is charged to, and the queue in which it waits. */
export interface RunQuota {
  /** Null: it is not charged. */
  readonly queryCost: QueryCost | null;
  readonly turns: QueryTurns;
}

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
  /** Number of cancelled ones in `fresh`. */
  #cancelled = 0;

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

  /**
   * Takes the next query; new ones go first, so that a short one does not wait for a long one.
   * Undefined if all were cancelled and removed.
   */
  next(): Run | undefined {
    const fresh = this.begun.size < BEGUN_MAX ? this.fresh.shift() : undefined;
    if (fresh?.cancelled === true) this.#cancelled--;
    return fresh ?? this.begun.shift();
  }

  /**
   * Counts a query in `fresh` that was cancelled, and returns the number of removed queries: the
   * cancelled ones are removed once they are most of all, in constant time for each.
   */
  cancelFresh(): number {
    const before = this.fresh.size;
    if (++this.#cancelled <= before / 2) return 0;
    this.fresh.keep((run) => !run.cancelled);
    this.#cancelled = 0;
    return before - this.fresh.size;
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

  /** Cancels a query; one that has not begun is never taken, or taken as a cancelled one. */
  cancel(run: Run): void {
    if (run.cancelled) return;
    run.cancelled = true;
    if (!run.hasTurned) this.size -= run.turns.cancelFresh();
  }

  #added(turns: QueryTurns): void {
    this.size++;
    this.#turns.wait(turns);
  }

  /** Takes the next query; undefined if none waits. `charge` has to follow. */
  take(): Run | undefined {
    for (let turns = this.#turns.take(); turns !== undefined; turns = this.#turns.take()) {
      const run = turns.next();
      if (run !== undefined) {
        this.size--;
        return run;
      }
      this.#turns.charge(turns, 0);
    }
    return undefined;
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
