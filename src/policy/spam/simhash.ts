// Simhash: 64-bit fingerprints of texts and their Hamming distance.

/** Bits of a fingerprint. */
const BITS = 64;
const HALF = 32;

/** Simhash of 64 bits in two halves; texts that differ in few words differ in few bits. */
export interface Fingerprint {
  high: number;
  low: number;
}

const weights = new Int32Array(BITS);

/** Returns the simhash of a text's words; words of four or more units say more and count twice. */
export function fingerprintOf(words: readonly string[]): Fingerprint {
  weights.fill(0);
  for (const word of words) {
    const hash = hashOf(word);
    add(mix(hash), mix(hash ^ 0x9e37_79b1), word.length > 3 ? 2 : 1);
  }
  let high = 0;
  let low = 0;
  for (let bit = 0; bit < HALF; bit++) {
    if (weights[bit]! > 0) high |= 1 << bit;
    if (weights[bit + HALF]! > 0) low |= 1 << bit;
  }
  return { high: high | 0, low: low | 0 };
}

/** Returns the Hamming distance of two fingerprints, 0 to 64. */
export function distance(a: Fingerprint, high: number, low: number): number {
  return ones(a.high ^ high) + ones(a.low ^ low);
}

/** Returns the number of set bits in a 32-bit number. */
export function ones(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x5555_5555);
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

function add(high: number, low: number, weight: number): void {
  for (let bit = 0; bit < HALF; bit++) {
    weights[bit]! += (((high >>> bit) & 1) * 2 - 1) * weight;
    weights[bit + HALF]! += (((low >>> bit) & 1) * 2 - 1) * weight;
  }
}

/** Returns FNV-1a over UTF-16 units. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) {
    hash = Math.imul(hash ^ word.charCodeAt(i), 0x0100_0193);
  }
  return hash;
}

/** Applies the finaliser of MurmurHash3: every bit of the hash depends on every bit of the word. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
