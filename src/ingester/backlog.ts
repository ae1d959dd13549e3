import { Fifo } from '../lib/fifo.ts';
import { messageCost } from '../lib/message-cost.ts';
import { AddressTurns, ConnectionTurns, Turns } from '../lib/turns.ts';
import type { Frame } from '../messages.ts';

/** The cost of the frames of a turn while others wait (`lib/message-cost.ts`): some small messages, or one large one. */
const TURN_COST = 4 * 1024;

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

  override get expected(): number {
    return messageCost(this.frames.first?.frame.bytes.length ?? 0);
  }
}

/**
 * Frames for which a turn of the event loop had no time left, by address and connection. The connection
 * of which the fewest bytes were handled is served first, in the order of its frames. Bounded by what io
 * lets wait for a lane (`io.queue_bytes_max`).
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

  /** Addresses of which frames wait. */
  get addresses(): number {
    return this.#turns.addresses;
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
      let cost = 0;
      do {
        const waiting = connection.frames.shift();
        if (waiting === undefined) break;
        this.size--;
        cost += messageCost(waiting.frame.bytes.length);
        handle(waiting.frame, waiting.arrivedAt);
        now = this.#now();
      } while (now < end && cost < TURN_COST);
      this.#turns.charge(connection, cost);
      if (connection.isWaiting) continue;
      this.#connections.delete(connection.connId);
      this.#turns.leave(connection.address);
    }
  }
}
