import type { Credits } from '../mailbox/credits.ts';

/** What a live subscription takes in all threads beside its filters; measured: 1,150 bytes. */
const SUBSCRIPTION_BYTES = 1024;

/**
 * The memory of open subscriptions, by the bytes of their packed filters and 1,024 for each: at most
 * `limits.subscription_bytes_max` in all ingester lanes, counted in shared memory. One address may hold
 * as much as is still free, so that a few of them never take the last of it: of n greedy addresses each
 * ends with an n+1th.
 */
export class SubscriptionMemory {
  /** In bytes. */
  max: number;
  readonly #own: Credits;
  readonly #all: readonly Credits[];
  /** Bytes by address; those of the connections in this lane. */
  readonly #held = new Map<string, number>();

  /** @param own the cell of this lane, one of `all`. */
  constructor(max: number, own: Credits, all: readonly Credits[]) {
    this.max = max;
    this.#own = own;
    this.#all = all;
    // What a lane held that died is gone.
    own.reset();
  }

  /** The bytes of a subscription with these filters. */
  static costOf(filters: Uint8Array): number {
    return SUBSCRIPTION_BYTES + filters.length;
  }

  /** Whether an address may hold so many bytes more. */
  mayHold(address: string, bytes: number): boolean {
    if (bytes <= 0) return true;
    const free = this.max - this.#all.reduce((sum, { used }) => sum + used, 0);
    return (this.#held.get(address) ?? 0) + bytes <= free;
  }

  hold(address: string, bytes: number): void {
    this.#held.set(address, (this.#held.get(address) ?? 0) + bytes);
    this.#own.add(bytes);
  }

  release(address: string, bytes: number): void {
    const left = (this.#held.get(address) ?? 0) - bytes;
    if (left > 0) this.#held.set(address, left);
    else this.#held.delete(address);
    this.#own.release(bytes);
  }
}
