// Radix sort of postings into the order of the index.

import { assert } from '../../lib/assert.ts';

const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;
/** Divisors for the digits of a 48-bit number, the lowest digit first. */
const DIVISORS = [1, DIGITS, DIGITS ** 2];

/**
 * Returns the order in which postings go into the index: by term, then createdAt, then input order
 * (by seq). A radix sort, because a comparator costs 7 µs an event and this half a microsecond.
 *
 * `terms` are signed 48-bit integers, `times` are seconds since 1970 below 2^48.
 */
export function postingOrder(terms: Float64Array, times: Float64Array): Uint32Array {
  assert(terms.length === times.length, 'postings have as many terms as times');
  let order = new Uint32Array(terms.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  let spare = new Uint32Array(order.length);
  const digits = new Uint16Array(order.length);
  const places = new Uint32Array(DIGITS);
  for (const [values, offset] of [[times, 0] as const, [terms, 2 ** 47] as const]) {
    for (const divisor of DIVISORS) {
      if (!readDigits(values, offset, divisor, digits)) continue;
      findPlaces(digits, places);
      scatter(order, digits, places, spare);
      const sorted = spare;
      spare = order;
      order = sorted;
    }
  }
  return order;
}

// One function for each loop: one function with all of them, and one created for each call, was
// compiled while one of its loops ran and discarded by the next, 15 times in the bench's ingest.
// Look-ups name a value for what is not there, which no index reaches: calls of `element`
// (`lib/assert.ts`) make the sort 17 % slower.

/**
 * Reads one digit of each value, after adding an offset. Returns false if it is the same for all.
 */
function readDigits(
  values: Float64Array,
  offset: number,
  divisor: number,
  digits: Uint16Array,
): boolean {
  let first = 0;
  let differ = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Math.floor(((values[i] ?? 0) + offset) / divisor) % DIGITS;
    if (i === 0) first = digit;
    digits[i] = digit;
    differ |= digit ^ first;
  }
  return differ !== 0;
}

/** Computes the position of the first item with each digit. */
function findPlaces(digits: Uint16Array, places: Uint32Array): void {
  places.fill(0);
  for (let i = 0; i < digits.length; i++) {
    const digit = digits[i] ?? 0;
    places[digit] = (places[digit] ?? 0) + 1;
  }
  addUp(places);
}

/** Replaces the number of items with each digit by the number of items before them. */
function addUp(counts: Uint32Array): void {
  let sum = 0;
  for (let digit = 0; digit < counts.length; digit++) {
    const here = counts[digit] ?? 0;
    counts[digit] = sum;
    sum += here;
  }
}

/** Moves items to the positions of their digits. Items with the same digit keep their order. */
function scatter(
  from: Uint32Array,
  digits: Uint16Array,
  places: Uint32Array,
  to: Uint32Array,
): void {
  for (let i = 0; i < from.length; i++) {
    const item = from[i] ?? 0;
    const digit = digits[item] ?? 0;
    const place = places[digit] ?? 0;
    to[place] = item;
    places[digit] = place + 1;
  }
}
