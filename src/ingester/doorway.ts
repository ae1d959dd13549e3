/**
 * What a connection sends while somebody still decides whether it may be here. Bounded by bytes for
 * the whole lane.
 */
export class Doorway {
  readonly #bytesMax: number;
  readonly #waiting = new Map<number, Buffer[]>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** From now on what this connection sends waits. */
  enter(connId: number): void {
    this.#waiting.set(connId, []);
  }

  has(connId: number): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(connId);
  }

  /** Keeps a copy of a message, or answers false: there is no room. */
  keep(connId: number, bytes: Buffer): boolean {
    if (this.#bytes + bytes.length > this.#bytesMax) return false;
    this.#bytes += bytes.length;
    this.#waiting.get(connId)!.push(Buffer.from(bytes));
    return true;
  }

  /** Everything that was kept, in its order; the connection has left the doorway. Null: it had already. */
  leave(connId: number): Buffer[] | null {
    const messages = this.#waiting.get(connId);
    if (messages === undefined) return null;
    this.#waiting.delete(connId);
    for (const { length } of messages) this.#bytes -= length;
    return messages;
  }
}
