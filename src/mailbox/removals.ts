/**
 * How many events were ever removed from the log since the relay started, in memory that all threads
 * share. The writer counts before the commit; so whoever reads the count after it has opened its read
 * snapshot knows of every removal that this snapshot may show.
 */
export class Removals {
  readonly #cell: Int32Array;

  constructor(shared: SharedArrayBuffer, cell = 0) {
    this.#cell = new Int32Array(shared, cell * 4, 1);
  }

  /** Modulo 2^32: to be compared, not to be added up. */
  get count(): number {
    return Atomics.load(this.#cell, 0) >>> 0;
  }

  add(events: number): void {
    Atomics.add(this.#cell, 0, events);
  }
}
