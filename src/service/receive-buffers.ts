// Bounds of the kernel's receive buffers of the relay's sockets (Linux only). It runs on io's
// thread.

import { openDescriptors } from '../lib/descriptors.ts';
import {
  isListening,
  type Libc,
  localPort,
  receiveBuffer,
  receivedBytes,
  setReceiveBuffer,
} from './libc.ts';

const TICK_MILLISECONDS = 250;
/** Descriptors that are looked at in one turn of the event loop; one costs some 1.5 µs. */
const DESCRIPTORS_A_TURN_MAX = 1_000;
/** Interval of the checks while turns are long, and the least multiple of a check's duration. */
const LOOK_MILLISECONDS = 20;
const LOOK_FACTOR = 10;

const SECOND_MILLISECONDS = 1000;
/** Bytes a second from which on a socket with the smallest buffer still floods. */
const FAST_BYTES_A_SECOND = 64 * 1024;
/** Seconds in a row in which it must receive less before its buffer grows. */
const CALM_SECONDS = 3;

/** Sizes of receive buffers in bytes (SO_RCVBUF). */
export interface ReceiveSizes {
  /** For a new connection. */
  readonly start: number;
  /** For a connection that is read in time. */
  readonly normal: number;
  /** For a connection whose buffer is full while the relay has more to read than it can. */
  readonly flooding: number;
}

/** Socket that floods. */
interface Flooding {
  /** Bytes that it has received since it was opened, at a time (`performance.now()`). */
  readonly received: number;
  readonly at: number;
  readonly calmSeconds: number;
}

/** State of the sockets, provided by their owner. */
interface Sockets {
  /** Port of the listening socket. */
  readonly port: number;
  /** Number of WebSockets opened so far. */
  readonly opened: number;
}

/**
 * Receive buffers of the relay's sockets. uWebSockets.js reads all that a socket has received
 * before the next one has its turn, so the buffers bound how long a flood keeps other clients
 * waiting: a turn of the event loop takes at most what they hold.
 *
 * A new connection has a small buffer, because the first turns of a flood find all of them full.
 * Once it has been read, which takes a second at most, the buffer grows to its normal size, so that
 * a client far away can send fast. In long turns of the event loop the buffers that are filled
 * again as soon as they are read become smallest; they grow again when little was received for some
 * seconds. Measured with fifty addresses that send invalid events as fast as they can: the p99 of
 * an honest client was 164 ms, and is 53 to 83 ms.
 *
 * uWebSockets.js exposes no descriptor of a socket, so the descriptors of the process are walked,
 * in slices, while there are sockets whose buffer has to grow.
 */
export class ReceiveBuffers {
  readonly #libc: Libc;
  readonly #sockets: Sockets;
  readonly #sizes: ReceiveSizes;
  readonly #timer: NodeJS.Timeout;
  /** Descriptors still to be looked at in this round. */
  #round: number[] = [];
  /** Number of sockets with a small buffer, found in this round and in the last whole one. */
  #small = 0;
  #smallBefore = 0;
  #openedBefore = 0;
  /** Sockets with the smallest buffer, by descriptor, at the last look at each. */
  readonly #flooding = new Map<number, Flooding>();
  #nextLookAt = 0;

  constructor(libc: Libc, sockets: Sockets, sizes: ReceiveSizes) {
    this.#libc = libc;
    this.#sockets = sockets;
    this.#sizes = sizes;
    this.#look(Number.POSITIVE_INFINITY, false);
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Called in a turn of the event loop that takes long because of what the sockets receive. */
  longTurn(): void {
    const now = performance.now();
    if (now < this.#nextLookAt) return;
    this.#look(DESCRIPTORS_A_TURN_MAX, true);
    const took = performance.now() - now;
    this.#nextLookAt = now + Math.max(LOOK_MILLISECONDS, LOOK_FACTOR * took);
  }

  #tick(): void {
    const isIdle =
      this.#round.length === 0 &&
      this.#smallBefore === 0 &&
      this.#openedBefore === this.#sockets.opened;
    if (!isIdle) this.#look(DESCRIPTORS_A_TURN_MAX, false);
  }

  #look(count: number, isFlooded: boolean): void {
    if (this.#round.length === 0) {
      this.#openedBefore = this.#sockets.opened;
      this.#small = 0;
      this.#round = openDescriptors();
    }
    for (const fd of this.#round.splice(0, count)) this.#bound(fd, isFlooded);
    if (this.#round.length === 0) this.#smallBefore = this.#small;
  }

  #bound(fd: number, isFlooded: boolean): void {
    const buffer = receiveBuffer(this.#libc, fd);
    if (buffer === null) return;
    const { start, normal, flooding } = this.#sizes;
    const { bytes, used } = buffer;
    const isFilling = used > bytes / 4;
    const wanted = isFlooded ? (isFilling ? flooding : bytes) : this.#calm(fd, bytes, isFilling);
    if (wanted < normal) this.#small++;
    if (wanted === bytes || localPort(this.#libc, fd) !== this.#sockets.port) return;
    if (!isListening(this.#libc, fd)) setReceiveBuffer(this.#libc, fd, wanted);
    else if (bytes !== start) setReceiveBuffer(this.#libc, fd, start);
  }

  /** Returns the size that a buffer may have outside of long turns. */
  #calm(fd: number, bytes: number, isFilling: boolean): number {
    const { normal, flooding } = this.#sizes;
    if (bytes > flooding) return isFilling ? Math.min(bytes, normal) : normal;
    const received = receivedBytes(this.#libc, fd);
    const now = performance.now();
    const before = this.#flooding.get(fd);
    if (before !== undefined && now < before.at + SECOND_MILLISECONDS) return bytes;
    const isFast = before === undefined || received - before.received >= FAST_BYTES_A_SECOND;
    const calmSeconds = isFast ? 0 : before.calmSeconds + 1;
    if (calmSeconds < CALM_SECONDS) {
      this.#flooding.set(fd, { received, at: now, calmSeconds });
      return bytes;
    }
    this.#flooding.delete(fd);
    return normal;
  }
}
