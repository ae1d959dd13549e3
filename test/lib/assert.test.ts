// Tests of the assertions of the relay's own invariants: unit tests of their messages.

import { describe, expect, it } from 'vitest';
import { assert, element, present } from '../../src/lib/assert.ts';

describe('an assertion', () => {
  it('says what is wrong when a condition does not hold', () => {
    expect(() => assert(1 < 2, 'never said')).not.toThrow();
    expect(() => assert(2 < 1, 'two is less than one')).toThrow(/^two is less than one$/);
  });

  it('returns a value that is there, and says what is missing', () => {
    expect(present(0, 'number')).toBe(0);
    expect(present('', 'text')).toBe('');
    expect(present(false, 'flag')).toBe(false);
    for (const nothing of [undefined, null]) {
      expect(() => present(nothing, 'lock of an open database')).toThrow(
        /^missing: lock of an open database$/,
      );
    }
  });

  it('returns an element within the bounds of an array, and throws outside', () => {
    const words = Uint32Array.of(7, 0);
    expect([element(words[0]), element(words[1])]).toEqual([7, 0]);
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      expect(() => element(words[index])).toThrow(/^array index out of bounds$/);
    }
    expect(element<null>([null][0])).toBeNull();
  });
});
