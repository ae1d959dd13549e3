// Reproducible pseudo-random numbers.

/**
 * Generator whose numbers follow from (seed, index) alone, so that any event of a dataset can be
 * made without those before it, by any thread. sfc32 (Chris Doty-Humphrey's small fast counting
 * generator), seeded through a mixing of both numbers. Not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, index = 0) {
    this.#a = mix(seed >>> 0);
    this.#b = mix((index ^ 0x9e3779b9) >>> 0);
    this.#c = mix((this.#a + this.#b + 0x85ebca6b) >>> 0);
    for (let i = 0; i < 4; i++) this.bits();
  }

  /** Returns 32 bits as an unsigned integer. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Returns a number from 0 up to, but not including, 1. */
  next(): number {
    return this.bits() / 2 ** 32;
  }

  /** Returns an integer from 0 up to, but not including, `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Returns an integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Returns true with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns one element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Returns `length` lower-case hex digits. */
  hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.bits().toString(16).padStart(8, '0');
    return text.slice(0, length);
  }

  /** Returns `length` characters of `alphabet`. */
  characters(alphabet: string, length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += alphabet[this.below(alphabet.length)];
    return text;
  }

  /**
   * Returns a rank from 0 to `count - 1` after Zipf and Mandelbrot: rank r comes up about in
   * proportion to 1 / (r + flatness), by the inverse of the distribution function. With flatness 10
   * and 2,000 ranks the first has 1.8 % of all, the first hundred 45 %.
   */
  zipf(count: number, flatness = 10): number {
    const rank = flatness * ((count / flatness + 1) ** this.next() - 1);
    return Math.min(Math.floor(rank), count - 1);
  }

  /** Returns a log-normally distributed size around `median`; `spread` is 0.5 … 1.5. */
  logNormal(median: number, spread: number): number {
    // Box and Muller; 1 - next() is never zero.
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return Math.round(median * Math.exp(spread * normal));
  }
}

/** Finaliser of MurmurHash3: every bit of the input reaches every bit of the output. */
function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) | 0;
}
