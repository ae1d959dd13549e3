// Send windows of the clients of a query worker: the bounds of stored events in flight, to each
// client and to all together.

/** Bytes in flight that every client may have, whatever the others have. */
const CLIENT_BYTES_MIN = 64 * 1024;

/** Unconfirmed bytes to one client from which on io is asked for a confirmation. */
const CONFIRM_BYTES = CLIENT_BYTES_MIN / 2;

/** Bounds of bytes in flight. */
export interface WindowBounds {
  /** To one client. */
  readonly clientBytes: number;
  /** To all clients together; above it each still gets `CLIENT_BYTES_MIN`. */
  readonly totalBytes: number;
}

interface Window {
  /** Bytes sent and not confirmed yet. */
  bytes: number;
  /** Bytes sent since io was asked; null: not asked. */
  sinceAsked: number | null;
  /** Blocked queries, each with its callback to resume. */
  blocked: Map<object, () => void>;
}

/**
 * Send window for every client. A query is blocked while the window of its client is full, until io
 * confirms that the bytes before were sent to the socket, so that a client that does not read costs
 * one bounded amount of memory however many queries it sends. The size of a window is what is still
 * free of the common bound, so that many such clients together cost a bounded amount as well.
 */
export class SendWindows {
  #bounds: WindowBounds;
  /** Bytes in flight in windows with a confirmation asked; the rest is small, and often gone. */
  #bytes = 0;
  readonly #windows = new Map<number, Window>();

  constructor(bounds: WindowBounds) {
    this.#bounds = bounds;
  }

  /** Changes the bounds of the constructor. */
  limit(bounds: WindowBounds): void {
    this.#bounds = bounds;
  }

  /**
   * Returns true if a query may send; otherwise `resume` is called when it may, or by `wake`. A
   * blocked query always has a confirmation of its own client to wait for.
   */
  canSend(connId: number, query: object, resume: () => void): boolean {
    const window = this.#windows.get(connId);
    if (window === undefined || window.bytes < this.#size()) return true;
    // A confirmation that was not asked for never comes.
    if (window.sinceAsked === null) return true;
    window.blocked.set(query, resume);
    return false;
  }

  #size(): number {
    const { clientBytes, totalBytes } = this.#bounds;
    return Math.min(clientBytes, Math.max(CLIENT_BYTES_MIN, totalBytes - this.#bytes));
  }

  /** Resumes a cancelled query at once if it is blocked, so that it ends. */
  wake(connId: number, query: object): void {
    const blocked = this.#windows.get(connId)?.blocked;
    const resume = blocked?.get(query);
    blocked?.delete(query);
    resume?.();
  }

  sent(connId: number, bytes: number): void {
    let window = this.#windows.get(connId);
    if (window === undefined) {
      window = { bytes: 0, sinceAsked: null, blocked: new Map() };
      this.#windows.set(connId, window);
    }
    window.bytes += bytes;
    if (window.sinceAsked === null) return;
    window.sinceAsked += bytes;
    this.#bytes += bytes;
  }

  /** Returns true if the next record has to ask for a confirmation, which then counts as asked. */
  confirm(connId: number): boolean {
    const window = this.#windows.get(connId);
    if (window === undefined || window.sinceAsked !== null) return false;
    if (window.bytes < Math.min(CONFIRM_BYTES, this.#bounds.clientBytes / 2)) return false;
    window.sinceAsked = 0;
    this.#bytes += window.bytes;
    return true;
  }

  /**
   * Called when io confirms: all bytes up to the record that asked were sent to the socket. If a
   * query of the client is to be resumed, its next event asks for the next confirmation; otherwise
   * the caller has to ask (`confirm`), or the rest would count in no bound.
   */
  confirmed(connId: number): void {
    const window = this.#windows.get(connId);
    if (window === undefined || window.sinceAsked === null) return;
    const { blocked } = window;
    this.#bytes -= window.bytes;
    window.bytes = window.sinceAsked;
    window.sinceAsked = null;
    if (window.bytes === 0 && blocked.size === 0) this.#windows.delete(connId);
    window.blocked = new Map();
    for (const resume of blocked.values()) resume();
  }

  /** Removes the window of a closed connection, and resumes its queries, which are cancelled. */
  forget(connId: number): void {
    const window = this.#windows.get(connId);
    if (window === undefined) return;
    if (window.sinceAsked !== null) this.#bytes -= window.bytes;
    this.#windows.delete(connId);
    for (const resume of window.blocked.values()) resume();
  }
}
