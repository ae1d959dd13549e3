import type { Clock } from '../lib/clock.ts';
import { isSqliteError, StorageError } from '../storage/error.ts';
import type { Run, Step } from './run.ts';
import type { Budget } from './scan.ts';
import type { Snapshot } from './snapshot.ts';
import { QueryQueue } from './turns.ts';

/** What a turn costs beside the rows that it reads, as rows of 0.3 µs (`plan.ts`). */
const TURN_ROWS = 100;
/** Rows read between two looks at the clock. */
const ROWS_A_LOOK = 400;
/** A new query has this part of a slice for its first turn: most need less, the others wait. */
const FIRST_TURN = 2 / 5;
/** Bytes that the queries of a lane may hold between their turns. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

export interface SchedulerHooks {
  beforeSlice(): void;
  /** A run gets its first turn. */
  begins(run: Run): void;
  afterSlice(): void;
  /** A run is done or was cancelled. */
  over(run: Run): void;
  /** The database could not be read for a run, which is over with that. */
  unreadable(run: Run, error: Error): void;
  /** The runs hold too much memory, this one the most; it is to be ended and answered. */
  tooLarge(run: Run): void;
}

/**
 * Gives the runs of a lane turns, in slices of time: whose run is next is decided by `Turns`, by address
 * and connection. A run has the rest of the slice, a new one two fifths of a slice; what it does not finish
 * goes on in a later turn.
 *
 * Between two slices the lane reads its messages, and the snapshot is a new one.
 */
export class Scheduler {
  readonly queue = new QueryQueue();
  readonly #snapshot: Snapshot;
  readonly #clock: Clock;
  /** How long one slice may take. */
  sliceMilliseconds: number;
  readonly #hooks: SchedulerHooks;
  /** Runs that are begun and hold memory, and how many bytes. */
  readonly #holding = new Set<Run>();
  #held = 0;
  #scheduled = false;

  constructor(snapshot: Snapshot, clock: Clock, sliceMilliseconds: number, hooks: SchedulerHooks) {
    this.#snapshot = snapshot;
    this.#clock = clock;
    this.sliceMilliseconds = sliceMilliseconds;
    this.#hooks = hooks;
  }

  /** Runs that wait for a turn. */
  get waiting(): number {
    return this.queue.size;
  }

  add(run: Run): void {
    this.queue.add(run);
    this.#schedule();
  }

  /** For a run that waited for its client. */
  resume(run: Run): void {
    this.queue.goOn(run);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#slice();
      if (this.waiting > 0) this.#schedule();
    });
  }

  #slice(): void {
    let now = this.#clock.milliseconds();
    const end = now + this.sliceMilliseconds;
    this.#hooks.beforeSlice();
    if (!this.#enter()) return;
    try {
      do {
        const run = this.queue.take();
        if (run === undefined) break;
        const turnEnd = this.#begin(run) ? now + this.sliceMilliseconds * FIRST_TURN : end;
        const { rows } = run;
        const step = this.#runUntil(run, Math.min(turnEnd, end));
        const after = this.#clock.milliseconds();
        run.work += after - now;
        this.#weigh(run, step);
        // Before it waits again: its place in the queue goes by what it has used.
        this.queue.charge(run, run.rows - rows + TURN_ROWS);
        if (step === 'done') this.#hooks.over(run);
        if (step === 'again') this.queue.goOn(run);
        now = after;
      } while (now < end);
    } finally {
      this.#snapshot.leave();
    }
    this.#hooks.afterSlice();
  }

  /** Whether this is the first turn of a run. */
  #begin(run: Run): boolean {
    if (run.hasTurned) return false;
    run.hasTurned = true;
    this.#hooks.begins(run);
    return true;
  }

  /** Begins a snapshot. Where it cannot be read, all that wait for it are told, and the lane goes on. */
  #enter(): boolean {
    try {
      this.#snapshot.enter();
      return true;
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      this.#snapshot.leave();
      for (const run of this.queue.takeAll()) {
        this.#begin(run);
        run.cancelled = true;
        this.#hooks.unreadable(run, error);
        this.#weigh(run, 'done');
        this.#hooks.over(run);
      }
      return false;
    }
  }

  #runUntil(run: Run, end: number): Step {
    try {
      return this.#steps(run, end);
    } catch (error) {
      // A page that is damaged is no reason to take the lane from those who ask for others.
      if (!isStorageFailure(error)) throw error;
      run.cancelled = true;
      this.#hooks.unreadable(run, error);
      return 'done';
    }
  }

  #steps(run: Run, end: number): Step {
    const budget: Budget = { rows: 0 };
    do {
      if (run.cancelled) return 'done';
      budget.rows = ROWS_A_LOOK;
      const step = run.step(budget);
      run.rows += ROWS_A_LOOK - budget.rows;
      if (step !== 'again') return step;
    } while (this.#clock.milliseconds() < end);
    return 'again';
  }

  /** Counts what a run holds after its turn; where all hold too much, the largest is ended. */
  #weigh(run: Run, step: Step): void {
    this.#hold(run, step === 'done' ? 0 : run.weigh());
    while (this.#held > HELD_BYTES_MAX) {
      const largest = this.#largest();
      if (largest === undefined) return;
      this.#hooks.tooLarge(largest);
      largest.drop();
      this.#hold(largest, 0);
    }
  }

  #hold(run: Run, bytes: number): void {
    this.#held += bytes - run.held;
    run.turns.address.held += bytes - run.held;
    run.held = bytes;
    if (bytes > 0) this.#holding.add(run);
    else this.#holding.delete(run);
  }

  /** Of the address whose runs hold most. */
  #largest(): Run | undefined {
    let largest: Run | undefined;
    for (const run of this.#holding) {
      const more = run.turns.address.held - (largest?.turns.address.held ?? 0);
      if (more > 0 || (more === 0 && run.held > largest!.held)) largest = run;
    }
    return largest;
  }
}

function isStorageFailure(error: unknown): error is Error {
  return error instanceof StorageError || isSqliteError(error);
}
