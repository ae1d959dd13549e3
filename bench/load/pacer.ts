// Scheduler of calls at a fixed rate.

import { Histogram } from '../figures/histogram.ts';
import { now } from './clock.ts';

/** Time that timers may be late; a call that is due sooner is waited for with setImmediate. */
const TIMER_SLACK_MILLISECONDS = 1.5;
/** Shortest gap to be waited for with setImmediate, which keeps the loop busy. */
const GAP_MILLISECONDS_MIN = 4;

/**
 * Scheduler that calls back at a fixed rate, whatever the relay does, with the time at which the
 * call was due. A latency counted from that time includes the wait that a slow relay causes to
 * later requests, which a client that waits for answers would leave out (coordinated omission).
 */
export class Pacer {
  /** Delays of the calls because this thread had no time, in microseconds. */
  readonly lag = new Histogram();
  readonly #gap: number;
  readonly #due: (dueAt: number) => boolean;
  readonly #after: () => void;
  #next = 0;
  #running = false;

  /**
   * @param perSecond calls a second; more than zero.
   * @param due does the work that was due at this moment; false ends the pacer.
   * @param after called after all due work, to send it.
   */
  constructor(perSecond: number, due: (dueAt: number) => boolean, after: () => void) {
    this.#gap = 1000 / perSecond;
    this.#due = due;
    this.#after = after;
  }

  start(first: number): void {
    this.#next = first;
    this.#running = true;
    this.#wait();
  }

  stop(): void {
    this.#running = false;
  }

  readonly #tick = (): void => {
    if (!this.#running) return;
    const moment = now();
    if (this.#next <= moment) {
      while (this.#running && this.#next <= moment) {
        this.lag.record((moment - this.#next) * 1000);
        if (!this.#due(this.#next)) this.#running = false;
        this.#next += this.#gap;
      }
      this.#after();
    }
    if (this.#running) this.#wait();
  };

  #wait(): void {
    const left = this.#next - now();
    if (this.#gap < GAP_MILLISECONDS_MIN) setTimeout(this.#tick, 1);
    else if (left > TIMER_SLACK_MILLISECONDS)
      setTimeout(this.#tick, left - TIMER_SLACK_MILLISECONDS);
    else setImmediate(this.#tick);
  }
}
