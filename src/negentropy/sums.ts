// Sums of event ids modulo 2^256, and the fingerprints that the negentropy protocol makes of them.

import { hash } from 'node:crypto';
import { varintBytes } from './varint.ts';

/** Words of 32 bits in an id, least significant first: ids are summed as little-endian integers. */
export const ID_WORDS = 8;
export const FINGERPRINT_BYTES = 16;

const TWO_32 = 2 ** 32;
/** Number of words that a sum of doubles can take without a loss: 2^53 / 2^32. */
const ADDITIONS_MAX = 2 ** 21;

/**
 * Sum of ids. The words are added as doubles without carry, which takes 5 ns an id, and carried
 * over before they could lose a bit.
 */
export class IdSum {
  /** Number of ids in the sum. */
  count = 0;
  readonly #words = new Float64Array(ID_WORDS);
  #additions = 0;

  clear(): void {
    this.#words.fill(0);
    this.count = 0;
    this.#additions = 0;
  }

  /** Adds an id that begins at a word of `ids`. */
  addId(ids: Uint32Array, at: number): void {
    this.#addWords(ids, at);
    this.count++;
  }

  /** Adds the sum of `count` ids, as `words` returns it and `changeSum` changes it. */
  addSum(sum: Uint32Array, count: number): void {
    this.#addWords(sum, 0);
    this.count += count;
  }

  #addWords(from: Uint32Array, at: number): void {
    const words = this.#words;
    for (let n = 0; n < ID_WORDS; n++) words[n] = (words[n] ?? 0) + (from[at + n] ?? 0);
    if (++this.#additions === ADDITIONS_MAX) this.#carry();
  }

  #carry(): void {
    const words = this.#words;
    let carry = 0;
    for (let n = 0; n < ID_WORDS; n++) {
      const word = (words[n] ?? 0) + carry;
      carry = Math.floor(word / TWO_32);
      words[n] = word - carry * TWO_32;
    }
    this.#additions = 1;
  }

  /** Returns the sum modulo 2^256 as words. */
  words(): Uint32Array {
    this.#carry();
    return Uint32Array.from(this.#words);
  }

  /**
   * Returns the fingerprint of the ids: the first 16 bytes of the SHA-256 of their sum and of their
   * number (NIP-77, appendix).
   */
  fingerprint(): Buffer {
    this.#carry();
    const count = varintBytes(this.count);
    const text = Buffer.allocUnsafe(ID_WORDS * 4 + count.length);
    for (let n = 0; n < ID_WORDS; n++) text.writeUInt32LE(this.#words[n] ?? 0, n * 4);
    text.set(count, ID_WORDS * 4);
    return hash('sha256', text, 'buffer').subarray(0, FINGERPRINT_BYTES);
  }
}

/** Adds an id to a sum modulo 2^256, or with `sign` -1 removes it. */
export function changeSum(sum: Uint32Array, ids: Uint32Array, at: number, sign: 1 | -1): void {
  let carry = 0;
  for (let n = 0; n < ID_WORDS; n++) {
    const word = (sum[n] ?? 0) + sign * (ids[at + n] ?? 0) + carry;
    sum[n] = word;
    carry = Math.floor(word / TWO_32);
  }
}
