// In-order queue for messages that wait for an asynchronous policy. Owned by one ingester worker.

import { element } from '../lib/assert.ts';

/** Slot in the queue of a connection, held until `settle` is called. */
export interface Slot {
  /** Resolves the slot, once: `act` runs after all earlier slots of the connection are resolved. */
  settle(act: () => void): void;
}

interface Waiting {
  bytes: number;
  act: (() => void) | null;
}

/**
 * In-order queue by connection: the actions of one connection run in the order of its messages,
 * even if their policy results come out of order; connections do not wait for each other. Bounded
 * by number and by bytes; the caller rejects messages beyond the bounds.
 */
export class InOrderQueue {
  readonly #max: number;
  readonly #bytesMax: number;
  readonly #lines = new Map<number, Waiting[]>();
  #size = 0;
  #bytes = 0;

  constructor(max: number, bytesMax: number) {
    this.#max = max;
    this.#bytesMax = bytesMax;
  }

  /** Number of waiting messages. */
  get size(): number {
    return this.#size;
  }

  /** Returns true if a message of `bytes` fits into the bounds. */
  admits(bytes: number): boolean {
    return this.#size < this.#max && this.#bytes + bytes <= this.#bytesMax;
  }

  /** Returns true if a message of this connection waits, so that later ones must wait too. */
  has(connId: number): boolean {
    return this.#size > 0 && this.#lines.has(connId);
  }

  /** Takes the next slot of a connection; the caller must have asked `admits`. */
  take(connId: number, bytes: number): Slot {
    const waiting: Waiting = { bytes, act: null };
    const line = this.#lines.get(connId);
    if (line === undefined) this.#lines.set(connId, [waiting]);
    else line.push(waiting);
    this.#size++;
    this.#bytes += bytes;
    return {
      settle: (act) => {
        waiting.act = act;
        this.#advance(connId);
      },
    };
  }

  /** Drops the waiting messages of a connection: none of their actions run. */
  drop(connId: number): void {
    for (const { bytes } of this.#lines.get(connId) ?? []) this.#leave(bytes);
    this.#lines.delete(connId);
  }

  #advance(connId: number): void {
    const line = this.#lines.get(connId);
    if (line === undefined) return;
    let done = 0;
    while (done < line.length && element(line[done]).act !== null) done++;
    if (done === 0) return;
    // Removed first, because the actions may use the queue.
    const ready = line.splice(0, done);
    if (line.length === 0) this.#lines.delete(connId);
    for (const { bytes } of ready) this.#leave(bytes);
    for (const { act } of ready) act?.();
  }

  #leave(bytes: number): void {
    this.#size--;
    this.#bytes -= bytes;
  }
}
