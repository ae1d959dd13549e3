/** One place in the line of a connection, taken until `settle` is called. */
export interface Place {
  /** What is to be done once everything before it has been done. Called once. */
  settle(act: () => void): void;
}

interface Waiting {
  bytes: number;
  act: (() => void) | null;
}

/**
 * Where a lane keeps what waits for a verdict that takes its time. What one connection sent is done in
 * the order in which it came; connections do not wait for each other. The room is bounded, by number
 * and by bytes: whoever finds it full refuses.
 */
export class WaitingRoom {
  readonly #max: number;
  readonly #bytesMax: number;
  readonly #lines = new Map<number, Waiting[]>();
  #size = 0;
  #bytes = 0;

  constructor(max: number, bytesMax: number) {
    this.#max = max;
    this.#bytesMax = bytesMax;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Whether something of so many bytes has room. */
  admits(bytes: number): boolean {
    return this.#size < this.#max && this.#bytes + bytes <= this.#bytesMax;
  }

  /** Whether something of this connection waits, so that what comes after it has to wait too. */
  has(connId: number): boolean {
    return this.#size > 0 && this.#lines.has(connId);
  }

  /** The next place in the line of a connection; the caller has asked `admits`. */
  take(connId: number, bytes: number): Place {
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

  /** Gives up what a connection has waiting: nothing of it is done, whatever the verdicts are. */
  drop(connId: number): void {
    for (const { bytes } of this.#lines.get(connId) ?? []) this.#leave(bytes);
    this.#lines.delete(connId);
  }

  #advance(connId: number): void {
    const line = this.#lines.get(connId);
    if (line === undefined) return;
    let done = 0;
    while (done < line.length && line[done]!.act !== null) done++;
    if (done === 0) return;
    // Out of the line first: what is done may look at the room.
    const ready = line.splice(0, done);
    if (line.length === 0) this.#lines.delete(connId);
    for (const { bytes } of ready) this.#leave(bytes);
    for (const { act } of ready) act!();
  }

  #leave(bytes: number): void {
    this.#size--;
    this.#bytes -= bytes;
  }
}
