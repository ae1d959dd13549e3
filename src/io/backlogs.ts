// Accounting of unsent bytes of all connections, owned by the main thread.

import { sharedMilliseconds } from '../lib/clock.ts';
import type { Connection } from './connection.ts';

const LOOK_MILLISECONDS = 1_000;

/** Share of the bound to which the backlogs are reduced when they have exceeded it. */
const RELIEF = 0.9;

/**
 * Accounting of the bytes that wait for clients: frames of this turn, bytes that the sockets have
 * not taken, and held live events. Bounds: `io.outbound_total_bytes_max` for all together, beyond
 * which the largest backlogs are cut off first and of equal ones the oldest; and `io.drain_seconds`
 * in which a socket takes nothing.
 */
export class Backlogs {
  #bytesMax: number;
  #drainSeconds: number;
  readonly #cutOff: (connection: Connection) => void;
  readonly #waiting = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /** @param drainSeconds 0: no limit. */
  constructor(bytesMax: number, drainSeconds: number, cutOff: (connection: Connection) => void) {
    this.#bytesMax = bytesMax;
    this.#drainSeconds = drainSeconds;
    this.#cutOff = cutOff;
    this.#timer = setInterval(() => this.#cutOffIdle(), LOOK_MILLISECONDS);
    this.#timer.unref();
  }

  limit(bytesMax: number, drainSeconds: number): void {
    this.#bytesMax = bytesMax;
    this.#drainSeconds = drainSeconds;
  }

  /** Bytes that wait for all clients. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Updates the backlog of a connection, after a frame was queued for it or taken by it. Returns
   * true if it is open and its socket has taken everything.
   */
  count(connection: Connection): boolean {
    const { socket, pendingBytes, heldBytes, closed } = connection;
    const unsent = closed ? 0 : socket.getBufferedAmount();
    this.#set(connection, closed ? 0 : unsent + pendingBytes + heldBytes);
    return unsent === 0 && !connection.closed;
  }

  #set(connection: Connection, backlog: number): void {
    const before = connection.backlog;
    if (backlog === before) return;
    this.#bytes += backlog - before;
    connection.backlog = backlog;
    if (before === 0 || backlog < before) connection.drainedAt = sharedMilliseconds();
    if (backlog === 0) this.#waiting.delete(connection);
    else if (before === 0) this.#waiting.add(connection);
    if (this.#bytes > this.#bytesMax) this.#relieve();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #relieve(): void {
    const bySize = [...this.#waiting].sort(
      (a, b) => b.backlog - a.backlog || a.drainedAt - b.drainedAt,
    );
    for (const connection of bySize) {
      if (this.#bytes <= this.#bytesMax * RELIEF) return;
      this.#bytes -= connection.backlog;
      connection.backlog = 0;
      this.#waiting.delete(connection);
      this.#cutOff(connection);
    }
  }

  #cutOffIdle(): void {
    if (this.#drainSeconds === 0) return;
    const since = sharedMilliseconds() - this.#drainSeconds * 1_000;
    for (const connection of this.#waiting) {
      this.count(connection);
      if (connection.backlog > 0 && connection.drainedAt < since) this.#cutOff(connection);
    }
  }
}
