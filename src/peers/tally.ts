// Tally of the events that went one way between two relays.

import { formatCount } from '../lib/format.ts';
import type { PublishResult } from './relay-connection.ts';

/** Number of reasons of refusals that are told apart. */
const REASONS_MAX = 100;

/** Tally of the events that were offered to a relay. */
export class TransferTally {
  /** Number of events that were stored. */
  stored = 0;
  /** Number of events that the relay had already. */
  known = 0;
  refused = 0;
  /** Number of events that the sender named and did not send. */
  missing = 0;
  /** Number of events that were not asked for; they are dropped. */
  unasked = 0;
  bytes = 0;
  readonly #reasons = new Map<string, number>();

  /** Counts the bytes of an event that is sent; it may be passed on as a callback. */
  readonly sent = (bytes: number): void => {
    this.bytes += bytes;
  };

  /** Counts the answer to an event. */
  take({ ok, message }: PublishResult): void {
    if (ok && message.startsWith('duplicate:')) this.known++;
    else if (ok) this.stored++;
    else {
      this.refused++;
      this.#reason(message, 1);
    }
  }

  /** Adds another tally. */
  add(other: TransferTally): void {
    this.stored += other.stored;
    this.known += other.known;
    this.refused += other.refused;
    this.missing += other.missing;
    this.unasked += other.unasked;
    this.bytes += other.bytes;
    for (const [reason, count] of other.#reasons) this.#reason(reason, count);
  }

  #reason(message: string, count: number): void {
    const isKnown = this.#reasons.has(message) || this.#reasons.size < REASONS_MAX;
    const reason = isKnown ? message : 'other reasons';
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + count);
  }

  get answered(): number {
    return this.stored + this.known + this.refused;
  }

  /** Reasons of refusals with their counts, the most frequent first. */
  get reasons(): [reason: string, count: number][] {
    return [...this.#reasons].sort(([, a], [, b]) => b - a);
  }

  /** Returns the counts as one phrase, and the reasons of refusals, the most frequent first. */
  lines(): string[] {
    const parts = [
      `${formatCount(this.stored)} stored`,
      `${formatCount(this.known)} there already`,
    ];
    if (this.refused > 0) parts.push(`${formatCount(this.refused)} refused`);
    if (this.missing > 0) parts.push(`${formatCount(this.missing)} not sent`);
    if (this.unasked > 0)
      parts.push(`${formatCount(this.unasked)} dropped that were not asked for`);
    return [
      parts.join(', '),
      ...this.reasons.map(([reason, count]) => `  ${formatCount(count)} × ${reason}`),
    ];
  }
}
