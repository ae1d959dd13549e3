// Bounded memory of event ids.

/** Ids of a generation; an id is remembered for one to two generations. */
const GENERATION = 100_000;

/** Set of the event ids that were added last: 100,000 to 200,000. */
export class RecentIds {
  #newer = new Set<string>();
  #older = new Set<string>();

  add(id: string): void {
    if (this.#newer.size >= GENERATION) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(id);
  }

  has(id: string): boolean {
    return this.#newer.has(id) || this.#older.has(id);
  }
}
