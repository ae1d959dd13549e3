// Memory accounting of negentropy sessions. Owned by the sync worker.

import { mayHold } from '../lib/greedy-share.ts';
import type { Session, SyncAddress } from './session.ts';

/** Bytes of an item in a set: 41, measured (`negentropy/id-set.ts`). */
const ITEM_BYTES = 41;
/** Bytes of a session beside its items. */
const SESSION_BYTES = 2048;

/** Bytes of all messages that wait for their turn: some hundred large ones. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

/** Bytes that an address may hold while nothing is free, so that small sessions are served. */
const LITTLE_BYTES = 256 * 1024;

/**
 * Accounting of the memory of all sessions, `negentropy.memory_bytes_max` at most, and of the
 * messages that wait, 8 MiB. An address may hold as much as is still free of each, so that a few
 * addresses never take all of it.
 */
export class SyncMemory {
  max: number;
  #used = 0;
  #waiting = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used;
  }

  /** Counts a session of so many items; returns false if its address may not hold as much. */
  hold(address: SyncAddress, session: Session, items: number): boolean {
    const more = SESSION_BYTES + items * ITEM_BYTES - session.bytes;
    const holding = { max: this.max, used: this.#used, held: address.bytes };
    if (more > 0 && !mayHold(holding, more, LITTLE_BYTES)) return false;
    this.#count(address, session, more);
    return true;
  }

  /** Counts a message that waits; returns false if its address may have no more. */
  wait(address: SyncAddress, { length }: Uint8Array): boolean {
    const waiting = { max: WAITING_BYTES_MAX, used: this.#waiting, held: address.waitingBytes };
    if (!mayHold(waiting, length)) return false;
    this.#countWaiting(address, length);
    return true;
  }

  /** Releases a message after its answer. */
  answered(address: SyncAddress, { length }: Uint8Array): void {
    this.#countWaiting(address, -length);
  }

  #countWaiting(address: SyncAddress, bytes: number): void {
    address.waitingBytes += bytes;
    this.#waiting += bytes;
  }

  release(address: SyncAddress, session: Session): void {
    this.#count(address, session, -session.bytes);
  }

  #count(address: SyncAddress, session: Session, more: number): void {
    session.bytes += more;
    address.bytes += more;
    this.#used += more;
  }
}
