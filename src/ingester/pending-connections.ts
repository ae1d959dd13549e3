// Messages of connections that wait for the policy result on the connection itself. Owned by one
// ingester worker.

import { present } from '../lib/assert.ts';

/**
 * Buffer of the messages of pending connections, those that a policy has not accepted yet. Bounded
 * by bytes for the whole worker.
 */
export class PendingConnections {
  readonly #bytesMax: number;
  readonly #waiting = new Map<number, Buffer[]>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Marks the connection as pending: its messages are buffered from now on. */
  enter(connId: number): void {
    this.#waiting.set(connId, []);
  }

  has(connId: number): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(connId);
  }

  /** Buffers a copy of a message; returns false if the bound would be exceeded. */
  keep(connId: number, bytes: Buffer): boolean {
    const messages = present(this.#waiting.get(connId), 'pending connection');
    if (this.#bytes + bytes.length > this.#bytesMax) return false;
    this.#bytes += bytes.length;
    messages.push(Buffer.from(bytes));
    return true;
  }

  /** Ends the pending state and returns the messages in order; null if there was no such state. */
  leave(connId: number): Buffer[] | null {
    const messages = this.#waiting.get(connId);
    if (messages === undefined) return null;
    this.#waiting.delete(connId);
    for (const { length } of messages) this.#bytes -= length;
    return messages;
  }
}
