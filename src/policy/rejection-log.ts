// Rate-limited sender of one thread that reports its rejection records to the admin worker.

import type { RejectionBatch, RejectionRecord } from '../messages/rejections.ts';
import { isLowerHex } from '../protocol/canonical.ts';

/** Longest time until a count of omitted records is sent. */
const LEFT_OUT_MILLISECONDS = 1_000;

/**
 * Rate-limited sender of the rejection records of one thread. It sends at most
 * `moderation.decisions_per_second_max` records a second to the admin worker and only counts the
 * rest, so that a flood of rejections costs one addition each.
 */
export class RejectionReporter {
  readonly #perSecond: number;
  readonly #now: () => number;
  #send: ((batch: RejectionBatch) => void) | null = null;
  #second = 0;
  #noted = 0;
  #omitted = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param perSecond records a second; 0: none. */
  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Sets the receiver of the records; without one they are dropped. */
  to(send: (batch: RejectionBatch) => void): void {
    this.#send = send;
  }

  /**
   * Records the outcome of `event`, which may be any value that a client sent. An event without an
   * id is not recorded, because it cannot be looked up later.
   */
  note(
    event: unknown,
    action: RejectionRecord['action'],
    rule: string,
    text: string,
    by = '',
  ): void {
    if (this.#perSecond === 0 || this.#send === null) return;
    const at = this.#now();
    if (at !== this.#second) {
      this.#second = at;
      this.#noted = 0;
    }
    if (this.#noted >= this.#perSecond) {
      this.#leave();
      return;
    }
    const { id, pubkey } = (event ?? {}) as { id?: unknown; pubkey?: unknown };
    if (!isHex(id)) return;
    this.#noted++;
    const rejection = { id, pubkey: isHex(pubkey) ? pubkey : '', at, action, rule, by, text };
    this.#send({ t: 'rejections', records: [rejection], omitted: this.#omitted });
    this.#omitted = 0;
  }

  #leave(): void {
    if (++this.#omitted > 1 || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#omitted > 0) this.#send?.({ t: 'rejections', records: [], omitted: this.#omitted });
      this.#omitted = 0;
    }, LEFT_OUT_MILLISECONDS);
    this.#timer.unref();
  }
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && isLowerHex(value, 64);
}
