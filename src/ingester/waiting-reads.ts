// REQs, COUNTs and NEG-OPENs of one ingester worker that wait for an asynchronous policy.

import type { InOrderQueue, Slot } from './in-order-queue.ts';

/** Slot of a message that waits for its policy result. */
interface WaitingRead extends Slot {
  /** True if its client has closed it, or it was rejected, meanwhile. */
  readonly isCancelled: boolean;
}

interface Waiting {
  readonly subId: string;
  isCancelled: boolean;
}

/**
 * Messages of one namespace of ids that wait for a policy result, by connection. The queue is that
 * of all namespaces: it has the order and the bounds.
 */
export class WaitingReads {
  readonly #queue: InOrderQueue;
  readonly #waiting = new Map<number, Set<Waiting>>();

  constructor(queue: InOrderQueue) {
    this.#queue = queue;
  }

  admits(bytes: number): boolean {
    return this.#queue.admits(bytes);
  }

  has(connId: number): boolean {
    return this.#queue.has(connId);
  }

  take(connId: number, subId: string, bytes: number): WaitingRead {
    const place = this.#queue.take(connId, bytes);
    const waiting: Waiting = { subId, isCancelled: false };
    const ofConnection = this.#waiting.get(connId);
    if (ofConnection === undefined) this.#waiting.set(connId, new Set([waiting]));
    else ofConnection.add(waiting);
    return {
      get isCancelled() {
        return waiting.isCancelled;
      },
      settle: (act) => {
        place.settle(() => {
          const all = this.#waiting.get(connId);
          all?.delete(waiting);
          if (all?.size === 0) this.#waiting.delete(connId);
          act();
        });
      },
    };
  }

  /** Cancels the messages that wait under this id: their slots are only resolved. */
  cancel(connId: number, subId: unknown): void {
    for (const waiting of this.#waiting.get(connId) ?? []) {
      if (waiting.subId === subId) waiting.isCancelled = true;
    }
  }

  /** Drops the messages of a closed connection. */
  drop(connId: number): void {
    this.#waiting.delete(connId);
    this.#queue.drop(connId);
  }
}
