// Memory accounting of open subscriptions: shared counters of all ingester workers, and the bytes
// by address of this one.

import type { Credits } from '../channel/credits.ts';
import { PackedLayout } from '../channel/packed-filters.ts';
import { RecordReader } from '../channel/records.ts';
import { mayHold } from '../lib/greedy-share.ts';

/** Bytes that a live subscription uses in all threads beside its filters; measured: 1,150 bytes. */
const SUBSCRIPTION_BYTES = 1024;

/** Copies of its packed filters: in monitor, and in a query worker if private events may match. */
const COPIES = 2;

/**
 * Bytes that monitor uses to find a filter by one of its values (`monitor/term-lists.ts`). Measured
 * in a heap snapshot of 893 filters with 2,000 values each: 64 kB.
 */
const VALUE_BYTES = 40;

/** Bytes that an address may hold while nothing is free, so that small ones are served. */
const LITTLE_BYTES = 64 * 1024;

/**
 * Accounting of the memory of open subscriptions, by twice the bytes of their packed filters, 40
 * for each of their values, and 1,024: at most `limits.subscription_bytes_max` in all ingester
 * workers, counted in shared memory. An address may hold as much as is still free, so that a few
 * addresses never take all of it: each of n greedy addresses ends up with a share of 1/(n+1). An
 * address that holds 64 KiB at most is served beyond the bound, up to 1.25 times.
 */
export class SubscriptionMemory {
  /** Bound in bytes. */
  max: number;
  readonly #own: Credits;
  readonly #all: readonly Credits[];
  /** Bytes by address, for the connections of this worker. */
  readonly #held = new Map<string, number>();

  /** @param own the counter of this worker, an element of `all`. */
  constructor(max: number, own: Credits, all: readonly Credits[]) {
    this.max = max;
    this.#own = own;
    this.#all = all;
    // A predecessor that crashed may have left its bytes in the counter.
    own.reset();
  }

  /** Returns the bytes of a subscription with these filters. */
  static costOf(filters: Uint8Array): number {
    return SUBSCRIPTION_BYTES + COPIES * filters.length + VALUE_BYTES * valuesIn(filters);
  }

  /** Returns true if an address may hold `bytes` more. */
  mayHold(address: string, bytes: number): boolean {
    if (bytes <= 0) return true;
    const used = this.#all.reduce((sum, { used: one }) => sum + one, 0);
    const held = this.#held.get(address) ?? 0;
    return mayHold({ max: this.max, used, held }, bytes, LITTLE_BYTES);
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

/** Returns the number of ids, authors, kinds and tag values in packed filters. */
function valuesIn(filters: Uint8Array): number {
  const from = new RecordReader(filters);
  let values = 0;
  for (let left = from.u32(); left > 0; left--) {
    const { ids, authors, kinds, tags } = new PackedLayout(from);
    for (const list of [ids, authors, kinds, ...tags]) values += list?.count ?? 0;
  }
  return values;
}
