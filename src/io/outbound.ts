// Queues of frames for sockets, owned by the main thread.

import type { Backlogs } from './backlogs.ts';
import type { Connection } from './connection.ts';
import type { IoMeter } from './io-meter.ts';
import type { Frame, LiveFrame } from './live-frame.ts';

/** Backlog up to which a socket is written before those with more. */
const SMALL_BYTES = 16 * 1024;
/** Time for which larger backlogs are written in one turn; the others follow in the next one. */
const LARGE_MILLISECONDS = 5;

/**
 * Batches the frames of one turn by socket and writes each socket once, because the write is the
 * main cost of a delivery. Small answers do not wait for large ones. Bound: `io.outbound_bytes_max`
 * unsent bytes a socket; a client beyond it is cut off.
 */
export class Outbound {
  #bytesMax: number;
  #compressFrom: number;
  readonly #meter: IoMeter;
  readonly #backlogs: Backlogs;
  readonly #left: (connection: Connection) => void;
  readonly #tooSlow: (connection: Connection) => void;
  #dirty: Connection[] = [];
  #scheduled = false;

  /**
   * @param left called when a socket has nothing unsent and its `confirmDue` is set.
   * @param tooSlow called when a socket has too many unsent bytes.
   */
  constructor(
    bytesMax: number,
    compressFrom: number,
    meter: IoMeter,
    backlogs: Backlogs,
    left: (connection: Connection) => void,
    tooSlow: (connection: Connection) => void,
  ) {
    this.#bytesMax = bytesMax;
    this.#compressFrom = compressFrom;
    this.#meter = meter;
    this.#backlogs = backlogs;
    this.#left = left;
    this.#tooSlow = tooSlow;
  }

  /** Changes the bounds of the constructor. */
  limit(bytesMax: number, compressFrom: number): void {
    this.#bytesMax = bytesMax;
    this.#compressFrom = compressFrom;
  }

  /** True if no frame waits for the next flush. */
  get isEmpty(): boolean {
    return this.#dirty.length === 0;
  }

  queue(connection: Connection, frame: Buffer): void {
    this.#add(connection, frame);
    this.#meter.sent(frame);
  }

  queueLive(connection: Connection, frame: LiveFrame): void {
    this.#add(connection, frame);
    this.#meter.delivered(frame.length);
  }

  /** Has the next flush call `left` if it is due, although no frame is queued. */
  check(connection: Connection): void {
    this.#dirty.push(connection);
    this.#schedule();
  }

  #add(connection: Connection, frame: Frame): void {
    if (connection.pending.push(frame) === 1) {
      this.#dirty.push(connection);
      this.#schedule();
    }
    connection.pendingBytes += frame.length;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flushTurn());
  }

  /** Writes small backlogs, and large ones for a bounded time. */
  #flushTurn(): void {
    this.#scheduled = false;
    const large: Connection[] = [];
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) {
      if (connection.closed) continue;
      if (connection.pendingBytes > SMALL_BYTES) large.push(connection);
      else this.#write(connection);
    }
    const end = performance.now() + LARGE_MILLISECONDS;
    let written = 0;
    for (const connection of large) {
      if (written > 0 && performance.now() >= end) break;
      written++;
      if (!connection.closed) this.#write(connection);
    }
    if (written === large.length) return;
    this.#dirty = [...large.slice(written), ...this.#dirty];
    this.#schedule();
  }

  /** Writes everything that is queued. */
  flush(): void {
    this.#scheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) {
      if (!connection.closed) this.#write(connection);
    }
  }

  #write(connection: Connection): void {
    const { socket, pending } = connection;
    if (socket.getBufferedAmount() + connection.pendingBytes > this.#bytesMax) {
      this.#tooSlow(connection);
      return;
    }
    connection.pending = [];
    connection.sentBytes += connection.pendingBytes;
    connection.pendingBytes = 0;
    const [first] = pending;
    if (pending.length === 1 && first !== undefined) this.#send(connection, first);
    else if (pending.length > 1) {
      socket.cork(() => {
        for (const frame of pending) this.#send(connection, frame);
      });
    }
    if (this.#backlogs.count(connection) && connection.confirmDue) this.#left(connection);
  }

  #send({ socket }: Connection, frame: Frame): void {
    const bytes = Buffer.isBuffer(frame) ? frame : frame.bytes;
    socket.send(bytes, false, bytes.length >= this.#compressFrom);
  }
}
