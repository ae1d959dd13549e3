// Time limit for connections that have not completed the WebSocket handshake, by socket statistics
// of the kernel (Linux only). It runs on io's thread.

import { readdir } from 'node:fs/promises';
import { type Libc, localPort, tcpInfo } from './libc.ts';

const SHUT_RDWR = 2;
/** Offsets of the fields read from the kernel's `struct tcp_info` (linux/tcp.h). */
const STATE_AT = 0;
const LAST_DATA_SENT_AT = 44;
const BYTES_SENT_AT = 200;
const INFO_BYTES_MIN = BYTES_SENT_AT + 8;
const ESTABLISHED = 1;
const CLOSE_WAIT = 8;

const TICK_MILLISECONDS = 250;
/**
 * Number of ticks in which all descriptors are checked, and largest number of descriptors (some 1.5
 * µs each) in one tick.
 */
const TICKS_A_ROUND = 4;
const DESCRIPTORS_A_TICK_MAX = 4_000;

/** State of pending connections, provided by the owner of the sockets. */
interface PendingSockets {
  /** Port of the listening socket. */
  readonly port: number;
  /** Number of sockets that were accepted and neither upgraded nor closed yet. */
  readonly pending: number;
  /** True if the answer to a whole HTTP request is still being made. */
  readonly isAnswering: boolean;
}

/**
 * Sweeper that closes connections which have got no answer so many seconds after they were made:
 * the client has sent no request, or only part of one. uWebSockets.js exposes no identity of a
 * socket before the upgrade, so the kernel is asked: a socket on the listening port on which no
 * byte was ever sent (every WebSocket has had its 101) has existed for as long as the kernel says
 * that nothing was sent. Such a socket is shut down, and uWebSockets.js, finding its end, closes
 * it.
 *
 * With TLS that finds clients that have not sent a whole ClientHello. After it the relay's side of
 * the TLS handshake has been sent, and neither the kernel's numbers (a resumed session makes them
 * smaller than any threshold) nor uWebSockets.js (the socket that `filter` is called with cannot be
 * recognised in the request that comes later, and has no port) distinguish such a socket from an
 * idle WebSocket. Those are closed 8 to 12 seconds after they were made, by the timeout of
 * uWebSockets.js for a request, which a client cannot prolong by sending bytes slowly.
 *
 * The kernel's numbers do not tell a socket without a request from one whose request is being
 * answered. While there is one of these (a call of an admin), nothing is closed here, and silent
 * sockets last as long as with TLS.
 *
 * It runs on io's thread, which alone opens and closes these sockets, so between the query and the
 * shutdown a descriptor cannot become another socket. It costs nothing while no handshake is
 * pending.
 */
export class HandshakeSweeper {
  seconds: number;
  /** Number of sockets that were shut down. */
  closed = 0;
  readonly #libc: Libc;
  readonly #pendingSockets: PendingSockets;
  readonly #timer: NodeJS.Timeout;
  /** Descriptors still to be checked in this round. */
  #round: number[] = [];
  #aTick = 0;
  #listing = false;
  #isStopped = false;

  /** @param seconds time limit; 0: nothing is closed. */
  constructor(libc: Libc, pendingSockets: PendingSockets, seconds: number) {
    this.#libc = libc;
    this.#pendingSockets = pendingSockets;
    this.seconds = seconds;
    // The check runs after the sockets were read: a thread that had no turn for some seconds then
    // finds requests that came in time.
    this.#timer = setInterval(() => setImmediate(() => this.#tick()), TICK_MILLISECONDS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#isStopped = true;
    this.#round = [];
  }

  #tick(): void {
    const { pending, isAnswering } = this.#pendingSockets;
    if (this.#isStopped || this.seconds === 0 || pending <= 0 || isAnswering) {
      this.#round = [];
      return;
    }
    for (const fd of this.#round.splice(0, this.#aTick)) {
      if (this.#isOverdue(fd)) {
        this.#libc.shutdown(fd, SHUT_RDWR);
        this.closed++;
      }
    }
    if (this.#round.length === 0 && !this.#listing) void this.#list();
  }

  /**
   * Begins a round with all descriptors that are open now; their type is queried only when they are
   * checked.
   */
  async #list(): Promise<void> {
    this.#listing = true;
    try {
      this.#round = (await readdir('/proc/self/fd')).map(Number);
      const share = Math.ceil(this.#round.length / TICKS_A_ROUND);
      this.#aTick = Math.min(share, DESCRIPTORS_A_TICK_MAX);
    } catch {
      // No descriptor is free for the directory; io frees some, and the next tick tries again.
    } finally {
      this.#listing = false;
    }
  }

  #isOverdue(fd: number): boolean {
    const info = tcpInfo(this.#libc, fd, INFO_BYTES_MIN);
    if (info === null) return false;
    const state = info[STATE_AT];
    return (
      (state === ESTABLISHED || state === CLOSE_WAIT) &&
      info.readBigUInt64LE(BYTES_SENT_AT) === 0n &&
      info.readUInt32LE(LAST_DATA_SENT_AT) >= this.seconds * 1000 &&
      localPort(this.#libc, fd) === this.#pendingSockets.port
    );
  }
}
