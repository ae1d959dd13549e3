import { sharedMilliseconds } from '../lib/clock.ts';
import type { Connection } from './connection.ts';

/**
 * How long a challenge waits after the handshake. A client that attaches its message listener when its
 * socket reports `open` loses what it reads together with the answer to the upgrade. Of 200 such clients
 * of `ws` on the same busy machine all got it after 2 ms, 190 when it left in the next turn.
 */
const DELAY_MILLISECONDS = 2;

interface Pending {
  readonly frame: string;
  readonly dueAt: number;
}

/**
 * Challenges (NIP-42) of connections that have just opened: each is sent a moment after the handshake, or
 * before the answer to the first message of its connection, whichever comes first.
 */
export class PendingChallenges {
  readonly #send: (connection: Connection, frame: string) => void;
  readonly #pending = new Map<Connection, Pending>();
  #timer: NodeJS.Timeout | null = null;

  constructor(send: (connection: Connection, frame: string) => void) {
    this.#send = send;
  }

  /** Has `frame` sent to the connection in a moment. */
  add(connection: Connection, frame: string): void {
    const dueAt = sharedMilliseconds() + DELAY_MILLISECONDS;
    this.#pending.set(connection, { frame, dueAt });
    this.#timer ??= setTimeout(() => this.#sendDue(), DELAY_MILLISECONDS);
  }

  /** The connection has sent a message: a challenge that it has not been sent yet leaves now. */
  sendNow(connection: Connection): void {
    const pending = this.#pending.get(connection);
    if (pending === undefined) return;
    this.#pending.delete(connection);
    this.#send(connection, pending.frame);
  }

  /** The connection has ended. */
  drop(connection: Connection): void {
    this.#pending.delete(connection);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #sendDue(): void {
    this.#timer = null;
    const now = sharedMilliseconds();
    // A Map keeps the order of insertion, so the first one that is not due ends the search.
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
