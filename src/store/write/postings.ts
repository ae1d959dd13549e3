// Writer of the on-disk index. Owned by the writer thread, or by a command with the database.

import { element } from '../../lib/assert.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import { TERM_ALL } from '../index/terms.ts';
import type { EventLog, TailEvent } from './event-log.ts';
import { postingOrder } from './radix-sort.ts';

/** Removed events swept with one batch; more wait for the next. */
const SWEEP_MAX = 1_000;
/** Events in memory at once while the index is rebuilt. */
const REBUILD_EVENTS = 100_000;

/** Events that are being moved into the index. */
interface Batch {
  readonly events: readonly TailEvent[];
  /** Entries, one a posting: the term, and the position of its event in `events`. */
  readonly terms: Float64Array;
  readonly owners: Uint32Array;
  /** Entries sorted by term and time. */
  readonly order: Uint32Array;
  /** Number of entries written. */
  at: number;
}

/**
 * Index of the log. Postings are written in large batches sorted by term, because the cost of a
 * commit is the random pages it dirties: measured for 100,000 events, postings in every commit of
 * 200 cost 66–72 µs CPU and 32–45 kB written an event, every 2,000 events 35 µs and 14 kB, every
 * 10,000 events 28–32 µs and 4–8 kB.
 */
export class Postings {
  readonly #log: EventLog;
  #batch: Batch | null = null;
  /** True at the start: a previous process may have left events to sweep. */
  #sweepPending = true;
  readonly #statements;

  constructor(db: Db, log: EventLog) {
    this.#log = log;
    this.#statements = {
      insert: db.prepare(sql.insertPostings(1)),
      insertMany: db.prepare(sql.insertPostings(sql.POSTING_ROWS)),
      delete: db.prepare(sql.DELETE_POSTING),
      deleteAll: db.prepare(sql.DELETE_POSTINGS),
      sweptAll: db.prepare(sql.DELETE_SWEEPS),
      toSweep: db.prepare(sql.SELECT_SWEEP),
      swept: db.prepare(sql.DELETE_SWEEP),
      setMeta: db.prepare(sql.UPSERT_META),
    };
  }

  /** True if there is anything to index or to sweep. */
  get pending(): boolean {
    return this.#sweepPending || this.#log.unswept > 0 || this.#log.indexedSeq !== this.#log.head;
  }

  /** True if a batch is being written into the index. */
  get underWay(): boolean {
    return this.#batch !== null;
  }

  /** Moves the whole tail into the index and sweeps removed events; inside a transaction. */
  index(): void {
    while (this.step(Number.POSITIVE_INFINITY)) {}
    if (this.#log.indexedSeq !== this.#log.head) this.step(Number.POSITIVE_INFINITY);
  }

  /**
   * Writes the next `rows` postings of a batch, so that commits in between need not wait for all of
   * it; inside a transaction. A batch is the tail as it was when the batch began, and counts as
   * indexed when it is written to the end: until then queries find it in their tail index and skip
   * its postings.
   *
   * @returns true if there is more of the batch.
   */
  step(rows: number): boolean {
    if (this.#batch === null) {
      this.#sweep();
      if (this.#log.indexedSeq === this.#log.head) return false;
      this.#batch = sorted([...this.#log.tail.values()]);
      this.#log.indexingUpTo = this.#log.head;
    }
    const batch = this.#batch;
    const end = Math.min(batch.at + rows, batch.order.length);
    this.#insert(batch, end);
    batch.at = end;
    if (end < batch.order.length) return true;
    this.#batch = null;
    this.#log.tailIndexed();
    this.#statements.setMeta.run('indexed_seq', this.#log.indexedSeq);
    return false;
  }

  /** Drops the current batch after a rollback; it will be written again. */
  reset(): void {
    this.#batch = null;
  }

  /** Rebuilds the whole index from the log, a slice at a time; inside a transaction. */
  rebuild(progress: (seq: number) => void): void {
    this.#statements.deleteAll.run();
    this.#statements.sweptAll.run();
    for (const slice of this.#log.slices(REBUILD_EVENTS)) {
      const batch = sorted(slice);
      this.#insert(batch, batch.order.length);
      progress(element(slice.at(-1)).seq);
    }
    this.#batch = null;
    this.#log.indexingUpTo = this.#log.head;
    this.#log.tailIndexed();
    this.#statements.setMeta.run('indexed_seq', this.#log.indexedSeq);
    this.#statements.setMeta.run('seq_floor', this.#log.head);
  }

  #insert(batch: Batch, end: number): void {
    const many = new Array<number>(sql.POSTING_ROWS * 4);
    const one = new Array<number>(4);
    let { at } = batch;
    for (; end - at >= sql.POSTING_ROWS; at += sql.POSTING_ROWS) {
      readRows(batch, at, many);
      this.#statements.insertMany.run(many);
    }
    for (; at < end; at++) {
      readRows(batch, at, one);
      this.#statements.insert.run(one);
    }
  }

  #sweep(): void {
    const removed = this.#statements.toSweep.all(SWEEP_MAX) as {
      seq: number;
      created_at: number;
      terms: Buffer;
    }[];
    this.#sweepPending = removed.length === SWEEP_MAX;
    this.#log.unswept = 0;
    for (const { seq, created_at: createdAt, terms } of removed) {
      for (let at = 0; at < terms.length; at += 8) {
        this.#statements.delete.run(terms.readDoubleLE(at), createdAt, seq);
      }
      this.#statements.delete.run(TERM_ALL, createdAt, seq);
      this.#statements.swept.run(seq);
    }
  }
}

/** Returns the postings of the events in the order of the index. */
function sorted(events: readonly TailEvent[]): Batch {
  let count = 0;
  for (const event of events) count += event.terms.length + 1;
  const terms = new Float64Array(count);
  const times = new Float64Array(count);
  const owners = new Uint32Array(count);
  let n = 0;
  for (const [owner, event] of events.entries()) {
    const end = n + event.terms.length + 1;
    terms.set(event.terms, n);
    terms[end - 1] = TERM_ALL;
    times.fill(event.createdAt, n, end);
    owners.fill(owner, n, end);
    n = end;
  }
  return { events, terms, owners, order: postingOrder(terms, times), at: 0 };
}

/**
 * Fills `values` with rows of a batch, from position `from` of its order on: term, time, seq, kind.
 */
function readRows({ events, terms, owners, order }: Batch, from: number, values: number[]): void {
  for (let row = 0, next = from; row < values.length; row += 4, next++) {
    const i = element(order[next]);
    const event = element(events[element(owners[i])]);
    values[row] = element(terms[i]);
    values[row + 1] = event.createdAt;
    values[row + 2] = event.seq;
    values[row + 3] = event.kind;
  }
}
