/** So many taken items are forgotten together, when they are at least half of all. */
const FORGET_ITEMS = 256;

/**
 * A queue: first in, first out, in constant time each (`Array.shift` moves all items of a long array).
 * Its memory is at most twice that of the items which wait, and 256 places.
 */
export class Fifo<Item> {
  readonly #items: (Item | undefined)[] = [];
  #next = 0;

  get size(): number {
    return this.#items.length - this.#next;
  }

  /** The item that is taken next, or undefined if there is none. */
  get first(): Item | undefined {
    return this.#items[this.#next];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Takes the first item, or undefined if there is none. */
  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#next];
    // Not held by the queue any more.
    this.#items[this.#next++] = undefined;
    if (this.size === 0 || (this.#next >= FORGET_ITEMS && this.#next >= this.size)) {
      this.#items.splice(0, this.#next);
      this.#next = 0;
    }
    return item;
  }
}
