import type { Clock } from '../lib/clock.ts';
import { isSqliteError, StorageError } from '../storage/error.ts';
import type { Run, Step } from './run.ts';
import type { Budget } from './scan.ts';
import type { Snapshot } from './snapshot.ts';

/** Rows read between two looks at the clock. */
const ROWS_A_LOOK = 400;

export interface SchedulerHooks {
  beforeSlice(): void;
  /** A run gets its first slice. */
  begins(run: Run): void;
  afterSlice(): void;
  /** A run is done or was cancelled. */
  over(run: Run): void;
  /** The database could not be read for a run, which is over with that. */
  unreadable(run: Run, error: Error): void;
}

/**
 * Gives the runs of a lane slices of time. New runs go first, in the order they came; a run that needs
 * more than one slice goes on in turn with the others that do, so that a long scan delays nobody.
 *
 * Between two slices the lane reads its messages, and the snapshot is a new one.
 */
export class Scheduler {
  readonly #snapshot: Snapshot;
  readonly #clock: Clock;
  /** How long one slice may take. */
  sliceMilliseconds: number;
  readonly #hooks: SchedulerHooks;
  #fresh: Run[] = [];
  #long: Run[] = [];
  #scheduled = false;

  constructor(snapshot: Snapshot, clock: Clock, sliceMilliseconds: number, hooks: SchedulerHooks) {
    this.#snapshot = snapshot;
    this.#clock = clock;
    this.sliceMilliseconds = sliceMilliseconds;
    this.#hooks = hooks;
  }

  /** Runs that wait for a slice. */
  get waiting(): number {
    return this.#fresh.length + this.#long.length;
  }

  add(run: Run): void {
    this.#fresh.push(run);
    this.#schedule();
  }

  /** For a run that waited for its client. */
  resume(run: Run): void {
    this.#long.push(run);
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
        const isFresh = this.#fresh.length > 0;
        const run = isFresh ? this.#fresh.shift() : this.#long.shift();
        if (run === undefined) break;
        if (isFresh) this.#hooks.begins(run);
        const step = this.#runUntil(run, end);
        const after = this.#clock.milliseconds();
        run.work += after - now;
        now = after;
        if (step === 'done') this.#hooks.over(run);
        if (step === 'again') this.#long.push(run);
      } while (now < end);
    } finally {
      this.#snapshot.leave();
    }
    this.#hooks.afterSlice();
  }

  /** Begins a snapshot. Where it cannot be read, all that wait for it are told, and the lane goes on. */
  #enter(): boolean {
    try {
      this.#snapshot.enter();
      return true;
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      this.#snapshot.leave();
      for (const run of this.#fresh) this.#hooks.begins(run);
      for (const run of [...this.#fresh.splice(0), ...this.#long.splice(0)]) {
        run.cancelled = true;
        this.#hooks.unreadable(run, error);
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
}

function isStorageFailure(error: unknown): error is Error {
  return error instanceof StorageError || isSqliteError(error);
}
