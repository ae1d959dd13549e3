// Pauses between the attempts to reach a relay.

const FIRST_MILLISECONDS = 1_000;
const MILLISECONDS_MAX = 300_000;
/** Duration of a connection after which its end does not count as a failure. */
const GOOD_MILLISECONDS = 60_000;

/**
 * Pauses between attempts: a second, doubled after each failure up to five minutes, each times a
 * random factor of 0.5 to 1.5, so that the clients of a relay that was restarted do not all come
 * back at once.
 */
export class BackOff {
  readonly #random: () => number;
  #next = FIRST_MILLISECONDS;

  /** @param random replaced by tests. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Returns the pause after a connection that lasted so many milliseconds (0: none was made). */
  after(connectedMilliseconds: number): number {
    if (connectedMilliseconds >= GOOD_MILLISECONDS) this.#next = FIRST_MILLISECONDS;
    const pause = this.#next;
    this.#next = Math.min(pause * 2, MILLISECONDS_MAX);
    return pause * (0.5 + this.#random());
  }
}
