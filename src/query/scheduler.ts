// Scheduler of a query worker: shares its time between runs, in slices.

import type { Clock } from '../lib/clock.ts';
import { isReadFailure } from '../store/database/error.ts';
import type { Budget } from '../store/read/scan.ts';
import type { Snapshot } from '../store/read/snapshot.ts';
import type { Run, Step } from './turns.ts';
import { QueryQueue } from './turns.ts';

/** Cost of a turn beside the rows that it reads, as rows of 0.3 µs (`plan.ts`). */
const TURN_ROWS = 100;
/** Number of rows read between two checks of the clock. */
const ROWS_A_LOOK = 400;
/** Part of a slice that a new query has for its first turn: most need less, the others wait. */
const FIRST_TURN = 2 / 5;
/** Bytes that the queries of a worker may hold between their turns. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

interface SchedulerHooks {
  beforeSlice(): void;
  /** Called for a run that gets its first turn. */
  begins(run: Run): void;
  afterSlice(): void;
  /** Called for a run that is done or was cancelled. */
  over(run: Run): void;
  /** Called for a run that ends because the database could not be read. */
  unreadable(run: Run, error: Error): void;
  /**
   * Called for the largest run of the address that holds most, because the runs hold too much
   * memory; it has to be ended and answered.
   */
  tooLarge(run: Run): void;
}

/**
 * Gives the runs of a query worker turns, in slices of time. `Turns` chooses the next run, by
 * address and connection. A run has the rest of the slice, a new one two fifths of a slice; a run
 * that does not finish goes on in a later turn.
 *
 * Between two slices the worker reads its messages, and each slice has a new snapshot.
 */
export class Scheduler {
  readonly queue = new QueryQueue();
  readonly #snapshot: Snapshot;
  readonly #clock: Clock;
  /** Duration of one slice. */
  sliceMilliseconds: number;
  readonly #hooks: SchedulerHooks;
  /** Runs that have begun and hold memory, and the bytes that they hold. */
  readonly #holding = new Set<Run>();
  #held = 0;
  #scheduled = false;

  constructor(snapshot: Snapshot, clock: Clock, sliceMilliseconds: number, hooks: SchedulerHooks) {
    this.#snapshot = snapshot;
    this.#clock = clock;
    this.sliceMilliseconds = sliceMilliseconds;
    this.#hooks = hooks;
  }

  /** Number of runs that wait for a turn. */
  get waiting(): number {
    return this.queue.size;
  }

  add(run: Run): void {
    this.queue.add(run);
    this.#schedule();
  }

  /** Queues a run that was blocked by its client. */
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
        // Before it is queued again: its place in the queue depends on its charges.
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

  /** Returns true if this is the first turn of a run. */
  #begin(run: Run): boolean {
    if (run.hasTurned) return false;
    run.hasTurned = true;
    this.#hooks.begins(run);
    return true;
  }

  /**
   * Begins a snapshot. If the database cannot be read, all queued runs are ended, and the worker
   * goes on.
   */
  #enter(): boolean {
    try {
      this.#snapshot.enter();
      return true;
    } catch (error) {
      if (!isReadFailure(error)) throw error;
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
      // A damaged page must not end the worker: other queries do not need it.
      if (!isReadFailure(error)) throw error;
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

  /** Updates the bytes that a run holds after a turn; while all hold too much, ends `#largest`. */
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

  /** Returns the largest run of the address that holds most. */
  #largest(): Run | undefined {
    let largest: Run | undefined;
    for (const run of this.#holding) {
      const more = run.turns.address.held - (largest?.turns.address.held ?? 0);
      if (more > 0 || (more === 0 && run.held > (largest?.held ?? 0))) largest = run;
    }
    return largest;
  }
}
