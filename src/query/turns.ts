import { Fifo } from '../lib/fifo.ts';
import { AddressTurns, ConnectionTurns, Turns } from '../lib/turns.ts';
import type { Run } from './run.ts';

/**
 * Queries of one connection that are begun and not over. The next one waits, because what is begun
 * takes memory; the first of them to end makes room.
 */
const BEGUN_MAX = 4;
/** What a turn of a query that has begun is expected to cost: 5 ms at 0.3 µs a row. */
const TURN_ROWS = 16_000;

/** The queries of one address, an IPv6 one by its prefix. */
class QueryAddress extends AddressTurns<QueryTurns> {
  /** Those that count against `query.queries_max`. */
  counted = 0;
  /** Bytes that they hold (`Run.held`). */
  held = 0;
}

/** The queries of one connection that wait for a turn. */
export class QueryTurns extends ConnectionTurns {
  readonly address: QueryAddress;
  /** Not begun, in the order in which they came. */
  readonly fresh = new Fifo<Run>();
  /** Begun; they go on in turn. */
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
    return fresh?.expectedRows ?? TURN_ROWS;
  }

  /** The query whose turn it is; new ones go first, so that a short one does not wait for a long one. */
  next(): Run {
    const fresh = this.begun.size < BEGUN_MAX ? this.fresh.shift() : undefined;
    return fresh ?? this.begun.shift()!;
  }
}

/** The queries of a lane that wait, by address and connection. */
export class QueryQueue {
  readonly #turns = new Turns<QueryTurns, QueryAddress>((name) => new QueryAddress(name));
  /** Queries that wait for a turn. */
  size = 0;

  /** For a new connection from an address; `leave` ends it. */
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

  /** The query whose turn it is; undefined when none waits. `charge` has to follow. */
  take(): Run | undefined {
    const run = this.#turns.take()?.next();
    if (run !== undefined) this.size--;
    return run;
  }

  /** Charges the rows of a turn. */
  charge({ turns }: Run, rows: number): void {
    this.#turns.charge(turns, rows);
  }

  /** Takes all that wait. */
  takeAll(): Run[] {
    const runs: Run[] = [];
    for (let run = this.take(); run !== undefined; run = this.take()) {
      runs.push(run);
      this.charge(run, 0);
    }
    return runs;
  }
}
