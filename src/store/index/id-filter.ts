// Bloom filter of stored ids, in memory that the writer and the ingester workers share.

/** Number of bits set for one id. */
const PROBES = 4;
const BITS_AN_ID = 16;
const IDS_MIN = 1 << 20;

/**
 * Bloom filter over the ids of all stored events, in shared memory: the writer adds ids, the
 * ingester workers read. "No" is certain and saves the look-up in the index that every new event
 * would need (8 µs of 60 in an ingester worker); "maybe" is looked up. At its capacity it errs once
 * in 400 times; beyond, it errs more often, which costs time but never a wrong answer.
 *
 * An id comes as its term (`TermHasher.id`), which is a keyed hash already.
 */
export class IdFilter {
  readonly #words: Int32Array;
  readonly #mask: number;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
    // The number of words is a power of two.
    this.#mask = this.#words.length - 1;
  }

  /** Allocates memory for at least twice as many ids as there are, at least a million (2 MB). */
  static share(ids: number): SharedArrayBuffer {
    let capacity = IDS_MIN;
    while (capacity < ids * 2) capacity *= 2;
    return new SharedArrayBuffer((capacity * BITS_AN_ID) / 8);
  }

  add(term: number): void {
    const hash = mix(term);
    const word = hash & this.#mask;
    Atomics.or(this.#words, word, bits(term));
  }

  /** Returns false if the id is certainly not stored. */
  mayHave(term: number): boolean {
    const wanted = bits(term);
    return (Atomics.load(this.#words, mix(term) & this.#mask) & wanted) === wanted;
  }
}

/** Chooses the word, from the lower half of the hash. */
function mix(term: number): number {
  return Math.imul(term | 0, 0x9e3779b1) >>> 3;
}

/** Chooses the bits in the word, from the upper half and a little of the lower. */
function bits(term: number): number {
  let source = Math.imul(Math.floor(term / 4294967296) ^ (term >>> 7), 0x85ebca6b) >>> 0;
  let found = 0;
  for (let i = 0; i < PROBES; i++) {
    found |= 1 << (source & 31);
    source >>>= 5;
  }
  return found;
}
