// Delayed challenges of new connections, owned by the main thread.

import { sharedMilliseconds } from '../lib/clock.ts';
import type { Connection } from './connection.ts';

/**
 * Delay of a challenge after the handshake. A client that attaches its message listener when its
 * socket reports `open` loses frames that it reads together with the response to the upgrade. Of
 * 200 such clients of `ws` on the same busy machine all got it after 2 ms, 190 if it was sent in
 * the next turn.
 */
const DELAY_MILLISECONDS = 2;

interface Pending {
  readonly frame: string;
  readonly dueAt: number;
}

/**
 * Challenges (NIP-42) of new connections: each is sent a moment after the handshake, or before the
 * answer to the first message of its connection, whichever comes first.
 */
export class PendingChallenges {
  readonly #send: (connection: Connection, frame: string) => void;
  readonly #pending = new Map<Connection, Pending>();
  #timer: NodeJS.Timeout | null = null;

  constructor(send: (connection: Connection, frame: string) => void) {
    this.#send = send;
  }

  /** Schedules `frame` for the connection. */
  add(connection: Connection, frame: string): void {
    const dueAt = sharedMilliseconds() + DELAY_MILLISECONDS;
    this.#pending.set(connection, { frame, dueAt });
    this.#timer ??= setTimeout(() => this.#sendDue(), DELAY_MILLISECONDS);
  }

  /** Sends a pending challenge now, because the connection has sent a message. */
  sendNow(connection: Connection): void {
    const pending = this.#pending.get(connection);
    if (pending === undefined) return;
    this.#pending.delete(connection);
    this.#send(connection, pending.frame);
  }

  /** Drops the challenge of a closed connection. */
  drop(connection: Connection): void {
    this.#pending.delete(connection);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #sendDue(): void {
    this.#timer = null;
    const now = sharedMilliseconds();
    // A Map keeps the order of insertion, so the first entry that is not due ends the search.
    for (const [connection, { frame, dueAt }] of this.#pending) {
      if (dueAt > now) {
        this.#timer = setTimeout(() => this.#sendDue(), dueAt - now);
        return;
      }
      this.#pending.delete(connection);
      this.#send(connection, frame);
    }
  }
}
