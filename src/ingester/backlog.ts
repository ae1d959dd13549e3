import { Fifo } from '../lib/fifo.ts';
import { AddressTurns, ConnectionTurns, Turns } from '../lib/turns.ts';
import type { Frame } from '../messages.ts';

/** How long a connection has its turn while others wait, in milliseconds. */
const TURN_MILLISECONDS = 1;

/** A frame that waits, and when it arrived, in shared milliseconds (`lib/clock.ts`). */
interface Waiting {
  readonly frame: Frame;
  readonly arrivedAt: number;
}

/** The frames of one connection that wait, in order. */
class FrameTurns extends ConnectionTurns {
  readonly connId: number;
  readonly address: AddressTurns<FrameTurns>;
  readonly frames = new Fifo<Waiting>();

  constructor(connId: number, address: AddressTurns<FrameTurns>) {
    super();
    this.connId = connId;
    this.address = address;
  }

  override get isWaiting(): boolean {
    return this.frames.size > 0;
  }
}

/**
 * Frames for which a turn of the event loop had no time left, by address and connection. Who sent little
 * is served first, in the order of its frames; the others take turns. Bounded by what io lets wait for a
 * lane (`io.queue_bytes_max`).
 */
export class Backlog {
  readonly #turns = new Turns<FrameTurns>((name) => new AddressTurns(name));
  readonly #connections = new Map<number, FrameTurns>();
  /** Frames that wait. */
  size = 0;
  readonly #now: () => number;

  /** @param now for tests. */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** @param name the address of the connection, an IPv6 one by its prefix. */
  add(name: string, frame: Frame, arrivedAt: number): void {
    let connection = this.#connections.get(frame.connId);
    if (connection === undefined) {
      connection = new FrameTurns(frame.connId, this.#turns.enter(name));
      this.#connections.set(frame.connId, connection);
    }
    connection.frames.push({ frame, arrivedAt });
    this.size++;
    this.#turns.wait(connection);
  }

  /** Handles frames until a time (`performance.now()`), or none is left. */
  work(end: number, handle: (frame: Frame, arrivedAt: number) => void): void {
    let now = this.#now();
    while (now < end) {
      const connection = this.#turns.take();
      if (connection === undefined) return;
      const turnEnd = Math.min(now + TURN_MILLISECONDS, end);
      const begin = now;
      for (;;) {
        const waiting = connection.frames.shift();
        if (waiting === undefined) break;
        this.size--;
        handle(waiting.frame, waiting.arrivedAt);
        now = this.#now();
        if (now >= turnEnd) break;
      }
      this.#turns.charge(connection, now - begin);
      if (connection.isWaiting) continue;
      this.#connections.delete(connection.connId);
      this.#turns.leave(connection.address);
    }
  }
}
