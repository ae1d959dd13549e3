import type { Rate } from '../../config/rate.ts';

/** Places where the account of a tag can stand. */
const WAYS = 8;
const TAG = 0;

/** Somebody's account: whose it is, and where it stood when it was last looked at. */
export interface Account {
  /** A keyed hash of 48 bits (`TermHasher`); never 0. */
  readonly tag: number;
  row: number;
}

/**
 * Token buckets of very many holders in a fixed piece of shared memory, the same for all threads. A row
 * is an account: the tag of its holder, and one number for each bucket, the time at which the bucket
 * will be full again (the generic cell rate algorithm), in milliseconds of the shared clock.
 *
 * A full bucket says nothing, so a row whose buckets are all full is free for the next holder. When all
 * the rows where a new account could stand are in use, the one that is nearest to rest is forgotten:
 * its holder gets new buckets, and nobody ever pays for somebody else. Which accounts meet is decided by
 * a secret hash, so nobody can choose whom to push out; to push out anyone takes as many active holders
 * as there are rows, which is what the rates of networks are for.
 *
 * Threads read and write without locks. What two of them take from one bucket in the same microsecond
 * may count once; a lost step lets one message more through and does no other harm.
 */
export class Ledger {
  readonly #cells: Float64Array;
  readonly #stride: number;
  readonly #sets: number;

  /** `shared`: from `share` with the same number of buckets. */
  constructor(shared: SharedArrayBuffer, buckets: number) {
    this.#cells = new Float64Array(shared);
    this.#stride = buckets + 1;
    this.#sets = this.#cells.length / this.#stride / WAYS;
  }

  /** Memory for at least so many accounts. */
  static share(accounts: number, buckets: number): SharedArrayBuffer {
    const rows = Math.ceil(accounts / WAYS) * WAYS;
    return new SharedArrayBuffer(rows * (buckets + 1) * 8);
  }

  /** Milliseconds until the bucket has a token again; 0 when it has one now. */
  wait(account: Account, bucket: number, { perSecond, burst }: Rate, now: number): number {
    const row = this.#find(account);
    if (row < 0) return 0;
    const fullAt = this.#cells[row + 1 + bucket]!;
    const wait = fullAt - now - ((burst - 1) * 1000) / perSecond;
    // A little is what floating point makes of nothing.
    return wait > 1e-6 ? wait : 0;
  }

  /** Takes `cost` tokens, also more than there are: what is dear is paid off before the next. */
  charge(account: Account, bucket: number, { perSecond }: Rate, cost: number, now: number): void {
    this.#raise(account, bucket, now, (cost * 1000) / perSecond, now);
  }

  /** Notes that the bucket has nothing until then. */
  block(account: Account, bucket: number, until: number, now: number): void {
    this.#raise(account, bucket, until, 0, now);
  }

  /** Milliseconds until the bucket is full, 0 when it is. */
  debt(account: Account, bucket: number, now: number): number {
    const row = this.#find(account);
    return row < 0 ? 0 : Math.max(0, this.#cells[row + 1 + bucket]! - now);
  }

  #raise(account: Account, bucket: number, floor: number, by: number, now: number): void {
    const found = this.#find(account);
    const row = found >= 0 ? found : this.#claim(account, now);
    const cell = row + 1 + bucket;
    this.#cells[cell] = Math.max(this.#cells[cell]!, floor) + by;
  }

  /** Where the account stands, or -1. */
  #find(account: Account): number {
    const cells = this.#cells;
    if (cells[account.row + TAG] === account.tag) return account.row;
    let row = this.#setOf(account.tag);
    for (let way = 0; way < WAYS; way++, row += this.#stride) {
      if (cells[row + TAG] === account.tag) {
        account.row = row;
        return row;
      }
    }
    return -1;
  }

  #claim(account: Account, now: number): number {
    const cells = this.#cells;
    const stride = this.#stride;
    let chosen = -1;
    let rest = Number.POSITIVE_INFINITY;
    let row = this.#setOf(account.tag);
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
    cells[chosen + TAG] = account.tag;
    account.row = chosen;
    return chosen;
  }

  #setOf(tag: number): number {
    return ((tag >>> 0) % this.#sets) * WAYS * this.#stride;
  }
}
