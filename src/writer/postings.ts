import type { Db } from '../storage/open.ts';
import * as sql from '../storage/sql.ts';
import { TERM_ALL } from '../storage/terms.ts';
import type { Log, TailEvent } from './log.ts';
import { postingOrder } from './radix-sort.ts';

/** Removed events swept with one batch; more wait for the next. */
const SWEEP_MAX = 1_000;
/** Events in memory at once while the index is made anew. */
const REBUILD_EVENTS = 100_000;

/** Events on their way into the index. */
interface Batch {
  readonly events: readonly TailEvent[];
  /** A term of an event and which event it is, one entry a posting. */
  readonly terms: Float64Array;
  readonly owners: Uint32Array;
  /** The entries sorted by term and time. */
  readonly order: Uint32Array;
  /** How many are written. */
  at: number;
}

/**
 * The index behind the log. Postings are written in large batches sorted by term, because what a
 * commit costs is the random pages it dirties: measured for 100,000 events, postings in every commit
 * of 200 cost 66–72 µs CPU and 32–45 kB written an event, every 2,000 events 35 µs and 14 kB, every
 * 10,000 events 28–32 µs and 4–8 kB.
 */
export class Postings {
  readonly #log: Log;
  #batch: Batch | null = null;
  /** At the start nobody knows what a predecessor left. */
  #sweepPending = true;
  readonly #statements;

  constructor(db: Db, log: Log) {
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

  /** Whether there is anything to index or to sweep. */
  get pending(): boolean {
    return this.#sweepPending || this.#log.unswept > 0 || this.#log.indexedSeq !== this.#log.head;
  }

  /** Whether a batch is on its way into the index. */
  get underWay(): boolean {
    return this.#batch !== null;
  }

  /** Moves the whole tail into the index and sweeps what was removed; inside a transaction. */
  index(): void {
    while (this.step(Number.POSITIVE_INFINITY)) {}
    if (this.#log.indexedSeq !== this.#log.head) this.step(Number.POSITIVE_INFINITY);
  }

  /**
   * Writes the next `rows` postings of a batch, so that commits in between need not wait for all of it;
   * inside a transaction. A batch is what the tail was when it began, and counts as indexed when it is
   * written to the end: until then queries find it in their windows and pass over its postings.
   *
   * @returns whether there is more of the batch.
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

  /** After a rollback: what was written of a batch will be written again. */
  reset(): void {
    this.#batch = null;
  }

  /** Makes the whole index anew from the log, a slice at a time; inside a transaction. */
  rebuild(progress: (seq: number) => void): void {
    this.#statements.deleteAll.run();
    this.#statements.sweptAll.run();
    for (const slice of this.#log.slices(REBUILD_EVENTS)) {
      const batch = sorted(slice);
      this.#insert(batch, batch.order.length);
      progress(slice.at(-1)!.seq);
    }
    this.#batch = null;
    this.#log.indexingUpTo = this.#log.head;
    this.#log.tailIndexed();
    this.#statements.setMeta.run('indexed_seq', this.#log.indexedSeq);
    this.#statements.setMeta.run('seq_floor', this.#log.head);
  }

  #insert({ events, terms, owners, order, at }: Batch, end: number): void {
    const values = new Array<number>(sql.POSTING_ROWS * 4);
    let filled = 0;
    for (let next = at; next < end; next++) {
      const i = order[next]!;
      const event = events[owners[i]!]!;
      values[filled++] = terms[i]!;
      values[filled++] = event.createdAt;
      values[filled++] = event.seq;
      values[filled++] = event.kind;
      if (filled === values.length) {
        this.#statements.insertMany.run(values);
        filled = 0;
      }
    }
    for (let i = 0; i < filled; i += 4) this.#statements.insert.run(values.slice(i, i + 4));
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

/** The postings of the events in the order of the index. */
function sorted(events: readonly TailEvent[]): Batch {
  let count = 0;
  for (const event of events) count += event.terms.length + 1;
  const terms = new Float64Array(count);
  const times = new Float64Array(count);
  const owners = new Uint32Array(count);
  let n = 0;
  for (let owner = 0; owner < events.length; owner++) {
    const event = events[owner]!;
    for (let i = 0; i <= event.terms.length; i++) {
      terms[n] = i < event.terms.length ? event.terms[i]! : TERM_ALL;
      times[n] = event.createdAt;
      owners[n++] = owner;
    }
  }
  return { events, terms, owners, order: postingOrder(terms, times), at: 0 };
}
