// Counter of removed events, in memory that all threads share: written by the writer, read by the
// query workers.

/**
 * Number of events removed from the log since the relay started. The writer counts before it
 * commits, so a reader that reads the count after it has opened its read snapshot knows of every
 * removal that this snapshot may show.
 */
export class Removals {
  readonly #cell: Int32Array;

  constructor(shared: SharedArrayBuffer, cell = 0) {
    this.#cell = new Int32Array(shared, cell * 4, 1);
  }

  /** Count modulo 2^32: to be compared, not to be added up. */
  get count(): number {
    return Atomics.load(this.#cell, 0) >>> 0;
  }

  add(events: number): void {
    Atomics.add(this.#cell, 0, events);
  }
}
