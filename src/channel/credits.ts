// Counters for the bounds of the queues between threads. The counters lie in shared memory: the
// sender of a queue adds, its receiver releases.

/**
 * Fill level of one queue between threads. `postMessage` never refuses, so the queued amount is
 * counted in shared memory: the sender adds before it posts, the receiver releases when it has
 * taken the work up, and a sender that finds the bound reached gives the documented answer to
 * "full".
 */
export class Credits {
  readonly #cells: Int32Array;
  readonly #cell: number;

  constructor(shared: SharedArrayBuffer, cell: number) {
    this.#cells = new Int32Array(shared);
    this.#cell = cell;
  }

  static share(cells: number): SharedArrayBuffer {
    return new SharedArrayBuffer(cells * 4);
  }

  /** Amount that is queued now, in the unit of the queue (events, bytes, queries). */
  get used(): number {
    return Atomics.load(this.#cells, this.#cell);
  }

  add(amount: number): void {
    Atomics.add(this.#cells, this.#cell, amount);
  }

  release(amount: number): void {
    Atomics.sub(this.#cells, this.#cell, amount);
  }

  /** Resets the counter for a restarted worker: what was queued for its predecessor is gone. */
  reset(): void {
    Atomics.store(this.#cells, this.#cell, 0);
  }
}
