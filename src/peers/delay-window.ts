// Window of a sender that works in the background: as many events as the receiver answers in time.

import type { Window } from './publisher.ts';

/** Time to an answer that is wanted: what waits before a client's message, and a commit. */
const TARGET_MILLISECONDS = 12;
const EVENTS_MIN = 8;
const EVENTS_MAX = 1_000;
const EVENTS_START = 32;
const LARGER = 1.25;
const SMALLER = 0.8;

/**
 * Window that grows while answers come within `TARGET_MILLISECONDS`, and shrinks while they do not,
 * so that clients of the same relay wait little longer, whatever the machine does in that time (the
 * idea of LEDBAT, RFC 6817).
 */
export class DelayWindow implements Window {
  events = EVENTS_START;
  readonly bytes: number;
  #answers = 0;
  #milliseconds = 0;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** Takes the time to an answer; the window changes once for as many answers as it has events. */
  took(milliseconds: number): void {
    this.#answers++;
    this.#milliseconds += milliseconds;
    if (this.#answers < this.events) return;
    const isInTime = this.#milliseconds / this.#answers <= TARGET_MILLISECONDS;
    const events = Math.round(this.events * (isInTime ? LARGER : SMALLER));
    this.events = Math.min(Math.max(events, EVENTS_MIN), EVENTS_MAX);
    this.#answers = 0;
    this.#milliseconds = 0;
  }
}
