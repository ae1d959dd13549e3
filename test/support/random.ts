// Seeded random numbers for tests.

/**
 * Generator of random numbers, the same for the same seed, so that a failed run can be repeated.
 * Mulberry32: 32 bits of state, enough to choose test cases, not for secrets.
 */
export class Random {
  /** Seed of this sequence, 32 bits. */
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** Returns a number from 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer from 0 up to, but not including, `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Returns true with this probability (0 to 1). */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns one element of a list. @throws Error if it is empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to pick from');
    return list[this.below(list.length)]!;
  }

  /** Returns 0 to `max` elements of a list, in random order, each position at most once. */
  sample<T>(list: readonly T[], max: number): T[] {
    const rest = [...list];
    const chosen: T[] = [];
    const count = Math.min(rest.length, this.below(max + 1));
    while (chosen.length < count) chosen.push(...rest.splice(this.below(rest.length), 1));
    return chosen;
  }

  /** Returns a copy of the list in random order. */
  shuffle<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }

  /** Returns `length` random lower-case hex characters. */
  hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.below(16).toString(16);
    return text;
  }
}

/**
 * Returns the seed of a test run: WOK_TEST_SEED if set, else a new one. It is printed, so that the
 * run can be repeated with `WOK_TEST_SEED=… npx vitest run …`.
 */
export function testSeed(name: string): number {
  const given = process.env.WOK_TEST_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  if (!Number.isInteger(seed) || seed < 0) throw new Error('WOK_TEST_SEED must be an integer >= 0');
  process.stdout.write(`${name}: WOK_TEST_SEED=${seed}\n`);
  return seed;
}
