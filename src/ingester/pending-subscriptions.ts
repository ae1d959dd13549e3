// REQs over `limits.subscriptions_max` that wait for an open subscription of their connection to
// end. Owned by one ingester worker.

import { element } from '../lib/assert.ts';

/** Longest wait of a REQ. A client that sends a burst closes its first ones within that time. */
const WAIT_MILLISECONDS = 2_000;

/** Waiting REQ with its callbacks. */
interface PendingSubscription {
  readonly subId: string;
  /** Cost of its message until it is answered (`lib/message-cost.ts`). */
  readonly cost: number;
  /** Opens the subscription; returns false if the bound is still reached. */
  readonly open: () => boolean;
  readonly refuse: () => void;
}

interface Pending extends PendingSubscription {
  readonly dueAt: number;
}

/**
 * Waiting REQs of an ingester worker, by connection, in the order of arrival. Their number is
 * bounded by the unanswered messages that a connection may have (`limits.in_flight_bytes_max`).
 */
export class PendingSubscriptions {
  readonly #pending = new Map<number, Pending[]>();
  #timer: NodeJS.Timeout | null = null;

  /**
   * Queues a REQ. `open` is called when a subscription of the connection has ended, or `refuse`
   * when none ended in time. Neither is called after `cancel` or `drop`.
   */
  add(connId: number, subscription: PendingSubscription): void {
    const pending = { ...subscription, dueAt: performance.now() + WAIT_MILLISECONDS };
    const all = this.#pending.get(connId);
    if (all === undefined) this.#pending.set(connId, [pending]);
    else all.push(pending);
    this.#timer ??= this.#refuseIn(WAIT_MILLISECONDS);
  }

  /**
   * Opens the REQ that has waited longest, after a subscription of the connection has ended. The
   * REQ is out of the queue while it is opened, because a rejection cancels the REQ that waits
   * under its id.
   */
  next(connId: number): void {
    const all = this.#pending.get(connId);
    const pending = all?.shift();
    if (all === undefined || pending === undefined) return;
    if (!pending.open()) all.unshift(pending);
    else if (all.length === 0) this.#pending.delete(connId);
  }

  /** Removes the REQ that waits under this id; returns its cost, or 0 if there is none. */
  cancel(connId: number, subId: string): number {
    const all = this.#pending.get(connId);
    const pending = all?.find((one) => one.subId === subId);
    if (all === undefined || pending === undefined) return 0;
    all.splice(all.indexOf(pending), 1);
    if (all.length === 0) this.#pending.delete(connId);
    return pending.cost;
  }

  /** Drops the REQs of a closed connection. */
  drop(connId: number): void {
    this.#pending.delete(connId);
  }

  #refuseDue(): void {
    this.#timer = null;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [connId, all] of this.#pending) {
      for (let [first] = all; first !== undefined && first.dueAt <= now; [first] = all) {
        all.shift();
        first.refuse();
      }
      if (all.length === 0) this.#pending.delete(connId);
      else next = Math.min(next, element(all[0]).dueAt);
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = this.#refuseIn(next - now);
  }

  #refuseIn(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#refuseDue(), milliseconds).unref();
  }
}
