// Rates of the events that go one way between the own relay and another one.

import type { Rate } from '../config/rate.ts';

/** Share of a burst from which on a budget that was used up is of use again. */
const USEFUL_SHARE = 1 / 24;

interface Bucket {
  readonly rate: Rate;
  tokens: number;
}

/**
 * Rates of events and of their bytes, each a token bucket that begins full. Events are taken whole:
 * the tokens may go below zero, and the sender waits until they do not.
 */
export class Throttle {
  readonly #events: Bucket | null;
  readonly #bytes: Bucket | null;
  readonly #now: () => number;
  #at: number;

  /** @param now clock in milliseconds, replaced by tests. */
  constructor(events: Rate | null, bytes: Rate | null, now = () => performance.now()) {
    this.#events = events === null ? null : { rate: events, tokens: events.burst };
    this.#bytes = bytes === null ? null : { rate: bytes, tokens: bytes.burst };
    this.#now = now;
    this.#at = now();
  }

  /** Takes an event of so many bytes. */
  take(bytes: number): void {
    this.#refill();
    if (this.#events !== null) this.#events.tokens--;
    if (this.#bytes !== null) this.#bytes.tokens -= bytes;
  }

  /** Returns the time until the next event may go, in ms. */
  get waitMilliseconds(): number {
    return this.#until(() => 0);
  }

  /** Returns the time until a budget that was used up is worth a new connection, in ms. */
  get usefulMilliseconds(): number {
    return this.#until(({ burst }) => burst * USEFUL_SHARE);
  }

  #until(wanted: (rate: Rate) => number): number {
    this.#refill();
    const waits = [this.#events, this.#bytes].map((bucket) => {
      if (bucket === null) return 0;
      const lacking = wanted(bucket.rate) - bucket.tokens;
      return lacking <= 0 ? 0 : (lacking / bucket.rate.perSecond) * 1000;
    });
    return Math.max(...waits);
  }

  #refill(): void {
    const now = this.#now();
    for (const bucket of [this.#events, this.#bytes]) {
      if (bucket === null) continue;
      const { perSecond, burst } = bucket.rate;
      bucket.tokens = Math.min(bucket.tokens + ((now - this.#at) / 1000) * perSecond, burst);
    }
    this.#at = now;
  }
}
