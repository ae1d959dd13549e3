// Set of event kinds with constant-time lookup, built from the kind ranges of the configuration.

import { present } from '../lib/assert.ts';
import { kindRange } from './kind-range.ts';
import { KIND_MAX } from './kinds.ts';

/** Set of kinds as a table of one byte each: a lookup costs a nanosecond. */
export class KindSet {
  readonly isEmpty: boolean;
  readonly #table = new Uint8Array(KIND_MAX + 1);

  /** Takes `ranges` like "1" or "20000-29999", checked by the configuration (format `kinds`). */
  constructor(ranges: readonly string[]) {
    this.isEmpty = ranges.length === 0;
    for (const range of ranges) {
      const [first, last] = present(kindRange(range), 'range that the configuration has checked');
      this.#table.fill(1, first, last + 1);
    }
  }

  has(kind: number): boolean {
    return this.#table[kind] === 1;
  }
}
