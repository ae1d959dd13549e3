// First-in, first-out queue with constant time for both ends.

/** Taken items that are removed together at least; they must also be at least half of all. */
const FORGET_ITEMS = 256;

/**
 * First-in, first-out queue with constant time for push and shift (`Array.shift` moves all items of
 * a long array). Its memory is at most twice that of the waiting items, plus 256 entries.
 */
export class Fifo<Item> {
  readonly #items: (Item | undefined)[] = [];
  #next = 0;

  get size(): number {
    return this.#items.length - this.#next;
  }

  /** Item that is taken next; undefined if the queue is empty. */
  get first(): Item | undefined {
    return this.#items[this.#next];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Removes and returns the first item; undefined if the queue is empty. */
  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#next];
    // Cleared so that the queue does not keep the item alive.
    this.#items[this.#next++] = undefined;
    if (this.size === 0 || (this.#next >= FORGET_ITEMS && this.#next >= this.size)) {
      this.#items.splice(0, this.#next);
      this.#next = 0;
    }
    return item;
  }

  /** Removes the items for which `keeps` returns false. Takes time for all of them. */
  keep(keeps: (item: Item) => boolean): void {
    const kept = (this.#items.slice(this.#next) as Item[]).filter(keeps);
    this.#items.length = 0;
    this.#next = 0;
    for (const item of kept) this.#items.push(item);
  }
}
