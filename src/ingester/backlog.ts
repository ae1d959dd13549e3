// Queue of an ingester worker for frames that did not fit into a turn of its event loop.

import { Fifo } from '../lib/fifo.ts';
import { messageCost } from '../lib/message-cost.ts';
import { AddressTurns, ConnectionTurns, Turns } from '../lib/turns.ts';
import type { Frame } from '../messages/io-ingester.ts';

/**
 * Cost of a turn of a connection while others wait, in units of `lib/message-cost.ts`: a few small
 * messages, or one large one.
 */
const TURN_COST = 4 * 1024;

/** Frame that waits, with its time of arrival in shared milliseconds (`lib/clock.ts`). */
interface Waiting {
  readonly frame: Frame;
  readonly arrivedAt: number;
}

/** Waiting frames of one connection, in order. */
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
 * Fair queue of frames, by address and connection. The next turn goes to the address, and within it
 * to the connection, with the least cost handled; frames of one connection keep their order.
 * Bounded by the bytes that io lets wait for a worker (`io.queue_bytes_max`).
 */
export class Backlog {
  readonly #turns = new Turns<FrameTurns>((name) => new AddressTurns(name));
  readonly #connections = new Map<number, FrameTurns>();
  /** Number of waiting frames. */
  size = 0;
  readonly #now: () => number;

  /** @param now replaced by tests. */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Number of addresses with waiting frames. */
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

  /** Handles frames until `end` (`performance.now()`), or until none is left. */
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
