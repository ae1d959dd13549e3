// Token buckets in shared memory, used by all threads without locks.

import type { Rate } from '../../config/rate.ts';

/** Rows in which the buckets of a tag can be (set associativity). */
const WAYS = 8;
const TAG = 0;

/** Quota key: the tag of its holder, and the row where it was last found. */
export interface QuotaKey {
  /** Keyed hash of 48 bits (`TermHasher`); never 0. */
  readonly tag: number;
  row: number;
}

/**
 * Token buckets of many quota keys in a fixed block of shared memory, the same for all threads. A
 * row belongs to one quota key: its tag, and one number for each bucket, the time at which the
 * bucket will be full again (the generic cell rate algorithm), in milliseconds of the shared clock.
 *
 * A full bucket holds no information, so a row with only full buckets is free for the next quota
 * key. When all rows where a new key could be are in use, the one that will be full first is
 * evicted: its holder gets new buckets, and no holder is ever charged for another. A secret hash
 * decides which keys share a set, so a client cannot choose the row to evict; to evict any row
 * takes as many active holders as there are rows, which the rates of networks prevent.
 *
 * Threads read and write without locks. Two charges to one bucket in the same microsecond may count
 * once; a lost charge lets one message more through and does no other harm.
 */
export class TokenBuckets {
  readonly #cells: Float64Array;
  readonly #stride: number;
  readonly #sets: number;

  /** Takes `shared` from `share` with the same number of buckets. */
  constructor(shared: SharedArrayBuffer, buckets: number) {
    this.#cells = new Float64Array(shared);
    this.#stride = buckets + 1;
    this.#sets = this.#cells.length / this.#stride / WAYS;
  }

  /** Allocates memory for at least so many quota keys. */
  static share(quotas: number, buckets: number): SharedArrayBuffer {
    const rows = Math.ceil(quotas / WAYS) * WAYS;
    return new SharedArrayBuffer(rows * (buckets + 1) * 8);
  }

  /** Returns the milliseconds until the bucket has a token again; 0 when it has one now. */
  wait(quota: QuotaKey, bucket: number, { perSecond, burst }: Rate, now: number): number {
    const row = this.#find(quota);
    if (row < 0) return 0;
    const fullAt = this.#cells[row + 1 + bucket]!;
    const wait = fullAt - now - ((burst - 1) * 1000) / perSecond;
    // Floating point turns zero into a tiny remainder.
    return wait > 1e-6 ? wait : 0;
  }

  /** Takes `cost` tokens, even more than there are: the debt is paid off before the next token. */
  charge(quota: QuotaKey, bucket: number, { perSecond }: Rate, cost: number, now: number): void {
    this.#raise(quota, bucket, now, (cost * 1000) / perSecond, now);
  }

  /** Empties the bucket so that it is full no earlier than `until`. */
  block(quota: QuotaKey, bucket: number, until: number, now: number): void {
    this.#raise(quota, bucket, until, 0, now);
  }

  /** Returns the milliseconds until the bucket is full, 0 when it is. */
  debt(quota: QuotaKey, bucket: number, now: number): number {
    const row = this.#find(quota);
    return row < 0 ? 0 : Math.max(0, this.#cells[row + 1 + bucket]! - now);
  }

  #raise(quota: QuotaKey, bucket: number, floor: number, by: number, now: number): void {
    const found = this.#find(quota);
    const row = found >= 0 ? found : this.#claim(quota, now);
    const cell = row + 1 + bucket;
    this.#cells[cell] = Math.max(this.#cells[cell]!, floor) + by;
  }

  /** Returns the row of the quota key, or -1. */
  #find(quota: QuotaKey): number {
    const cells = this.#cells;
    if (cells[quota.row + TAG] === quota.tag) return quota.row;
    let row = this.#setOf(quota.tag);
    for (let way = 0; way < WAYS; way++, row += this.#stride) {
      if (cells[row + TAG] === quota.tag) {
        quota.row = row;
        return row;
      }
    }
    return -1;
  }

  #claim(quota: QuotaKey, now: number): number {
    const cells = this.#cells;
    const stride = this.#stride;
    let chosen = -1;
    let rest = Number.POSITIVE_INFINITY;
    let row = this.#setOf(quota.tag);
    for (let way = 0; way < WAYS; way++, row += stride) {
      let busyUntil = 0;
      for (let at = row + 1; at < row + stride; at++) busyUntil = Math.max(busyUntil, cells[at]!);
      if (busyUntil < rest) {
        chosen = row;
        rest = busyUntil;
      }
      if (busyUntil <= now) break;
    }
    cells.fill(0, chosen, chosen + stride);
    cells[chosen + TAG] = quota.tag;
    quota.row = chosen;
    return chosen;
  }

  #setOf(tag: number): number {
    return ((tag >>> 0) % this.#sets) * WAYS * this.#stride;
  }
}
