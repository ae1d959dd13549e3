// Unit test of the radix sort of postings, compared with a stable sort.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { postingOrder } from '../../src/store/write/radix-sort.ts';
import { testSeed } from '../support/random.ts';

const seed = testSeed('store/posting-order');

const TERM_BOUND = 2 ** 47;
const TIME_BOUND = 2 ** 48;

/** Term that is often one of a few values, so that there are ties, else any. */
const term = fc.oneof(
  fc.constantFrom(-TERM_BOUND, -1, 0, 1, 65_535, 65_536, TERM_BOUND - 1),
  fc.integer({ min: -TERM_BOUND, max: TERM_BOUND - 1 }),
);
const time = fc.oneof(
  fc.constantFrom(0, 65_535, 65_536, 1_750_000_000, TIME_BOUND - 1),
  fc.integer({ min: 0, max: TIME_BOUND - 1 }),
);

describe('the order of postings', () => {
  it('is that of a stable comparison by term, then by time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(term, time), { maxLength: 300 }), (rows) => {
        const terms = Float64Array.from(rows, ([one]) => one);
        const times = Float64Array.from(rows, ([, one]) => one);
        const expected = rows
          .map((_, place) => place)
          .sort((a, b) => terms[a]! - terms[b]! || times[a]! - times[b]! || a - b);
        expect([...postingOrder(terms, times)]).toEqual(expected);
      }),
      { seed, numRuns: 200 },
    );
  });
});
