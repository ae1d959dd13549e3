// Bounded set of recently seen ids.

/** Newest ids of a stream, up to a bound, some 110 bytes each; the oldest are dropped first. */
export class RecentIds {
  readonly #max: number;
  readonly #ids = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Adds an id. Returns true if it was not known. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    for (const oldest of this.#ids) {
      if (this.#ids.size > this.#max) this.#ids.delete(oldest);
      break;
    }
    return true;
  }
}
