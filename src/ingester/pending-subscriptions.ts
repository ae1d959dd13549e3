/** REQs over `limits.subscriptions_max` that wait for an open subscription of their connection to end. */

/** How long a REQ may wait. A client that asks in a burst closes its first ones within that time. */
const WAIT_MILLISECONDS = 2_000;

/** A REQ that waits, and what becomes of it. */
export interface PendingSubscription {
  readonly subId: string;
  /** What its message costs until it is answered (`lib/message-cost.ts`). */
  readonly cost: number;
  /** Opens the subscription; false when there is no place for it yet. */
  readonly open: () => boolean;
  readonly refuse: () => void;
}

interface Pending extends PendingSubscription {
  readonly dueAt: number;
}

/**
 * The pending REQs of a lane, by connection, in the order they came. Their number is bounded by what a
 * connection may leave unanswered (`limits.in_flight_bytes_max`).
 */
export class PendingSubscriptions {
  readonly #pending = new Map<number, Pending[]>();
  #timer: NodeJS.Timeout | null = null;

  /**
   * Has `open` called when a subscription of the connection has ended, or `refuse` when none did in time.
   * Neither is called after `cancel` or `drop`.
   */
  add(connId: number, subscription: PendingSubscription): void {
    const pending = { ...subscription, dueAt: performance.now() + WAIT_MILLISECONDS };
    const all = this.#pending.get(connId);
    if (all === undefined) this.#pending.set(connId, [pending]);
    else all.push(pending);
    this.#timer ??= this.#refuseIn(WAIT_MILLISECONDS);
  }

  /**
   * A subscription of the connection has ended: the REQ that has waited longest takes its place. It is out
   * of the queue while it is opened, for a refusal cancels what waits under its id.
   */
  next(connId: number): void {
    const all = this.#pending.get(connId);
    const pending = all?.shift();
    if (pending === undefined) return;
    if (!pending.open()) all!.unshift(pending);
    else if (all!.length === 0) this.#pending.delete(connId);
  }

  /** Takes back the REQ that waits under this id; returns its cost, 0 when there is none. */
  cancel(connId: number, subId: string): number {
    const all = this.#pending.get(connId);
    const at = all?.findIndex((pending) => pending.subId === subId) ?? -1;
    if (at < 0) return 0;
    const [pending] = all!.splice(at, 1);
    if (all!.length === 0) this.#pending.delete(connId);
    return pending!.cost;
  }

  /** The connection has ended. */
  drop(connId: number): void {
    this.#pending.delete(connId);
  }

  #refuseDue(): void {
    this.#timer = null;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [connId, all] of this.#pending) {
      while (all.length > 0 && all[0]!.dueAt <= now) all.shift()!.refuse();
      if (all.length === 0) this.#pending.delete(connId);
      else next = Math.min(next, all[0]!.dueAt);
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = this.#refuseIn(next - now);
  }

  #refuseIn(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#refuseDue(), milliseconds).unref();
  }
}
