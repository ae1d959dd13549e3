// Memory that the main thread and the load threads of one run share; see Control.

import { now } from './clock.ts';

const READY = 0;
const STOP = 1;
const PUBLISHED = 2;
const MEASURING = 3;
const FINISHED = 4;
const CURSORS = 5;
const CURSORS_MAX = 8;
const LIVE = CURSORS + CURSORS_MAX;
const LIVE_CELLS = 2;

const GO_AT = 0;
const MEASURE_FROM = 1;
const END_AT = 2;
const MOMENTS = 3;

/**
 * Shared state of one run: start, end, cursors from which threads take items, and counters for the
 * progress bar. Times are those of clock.ts. Cells are changed with Atomics; the times are written
 * by the main thread, except for `measureNow`.
 */
export class Control {
  readonly shared: SharedArrayBuffer;
  readonly threads: number;
  readonly #moments: Float64Array;
  readonly #cells: Int32Array;

  constructor(threads: number, shared?: SharedArrayBuffer) {
    const cells = LIVE + threads * LIVE_CELLS;
    this.shared = shared ?? new SharedArrayBuffer(MOMENTS * 8 + cells * 4);
    this.threads = threads;
    this.#moments = new Float64Array(this.shared, 0, MOMENTS);
    this.#cells = new Int32Array(this.shared, MOMENTS * 8, cells);
    if (shared === undefined) this.#moments.fill(Number.POSITIVE_INFINITY);
  }

  /** Number of threads that have opened their connections and wait for the start. */
  get ready(): number {
    return Atomics.load(this.#cells, READY);
  }

  markReady(): void {
    Atomics.add(this.#cells, READY, 1);
  }

  /** Number of threads that publish nothing more and have their answers. */
  get published(): number {
    return Atomics.load(this.#cells, PUBLISHED);
  }

  markPublished(): void {
    Atomics.add(this.#cells, PUBLISHED, 1);
  }

  /** Number of threads that have all outstanding answers, or have stopped waiting for them. */
  get finished(): number {
    return Atomics.load(this.#cells, FINISHED);
  }

  markFinished(): void {
    Atomics.add(this.#cells, FINISHED, 1);
  }

  /**
   * Starts the run: threads begin at `goAt`, count in the figures from `measureFrom` on (from
   * `measureNow` on, if that is Infinity) and start no more work from `endAt` on.
   */
  go(goAt: number, measureFrom: number, endAt: number): void {
    this.#moments[MEASURE_FROM] = measureFrom;
    this.#moments[END_AT] = endAt;
    this.#moments[GO_AT] = goAt;
  }

  get goAt(): number {
    return this.#moments[GO_AT]!;
  }

  get measureFrom(): number {
    return this.#moments[MEASURE_FROM]!;
  }

  /** Ends a warm-up that is counted in items; the first thread to call it sets the time. */
  measureNow(): void {
    if (this.measureFrom < Number.POSITIVE_INFINITY) return;
    if (Atomics.exchange(this.#cells, MEASURING, 1) === 0) this.#moments[MEASURE_FROM] = now();
  }

  get endAt(): number {
    return this.#moments[END_AT]!;
  }

  /** Returns true if no new work may begin at `moment`. */
  isOver(moment: number): boolean {
    return moment >= this.#moments[END_AT]! || Atomics.load(this.#cells, STOP) === 1;
  }

  stop(): void {
    Atomics.store(this.#cells, STOP, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#cells, STOP) === 1;
  }

  /** Returns the next number of a sequence that all threads draw from, 0 first. */
  take(cursor: number): number {
    return Atomics.add(this.#cells, CURSORS + cursor, 1);
  }

  /** Stores the progress of a thread, for the progress bar. */
  tell(thread: number, done: number, failed: number): void {
    Atomics.store(this.#cells, LIVE + thread * LIVE_CELLS, done);
    Atomics.store(this.#cells, LIVE + thread * LIVE_CELLS + 1, failed);
  }

  /** Returns the progress of all threads together. */
  live(): { done: number; failed: number } {
    let done = 0;
    let failed = 0;
    for (let at = LIVE; at < this.#cells.length; at += LIVE_CELLS) {
      done += Atomics.load(this.#cells, at);
      failed += Atomics.load(this.#cells, at + 1);
    }
    return { done, failed };
  }
}
