// Settings that depend on the kind of an event, such as proof-of-work bits by kind.

import { element, present } from '../lib/assert.ts';
import { kindValue } from './kind-values.ts';
import { type KindClass, kindClass } from './kinds.ts';

/**
 * Number for each kind: a general one, and entries like `1=10` or `ephemeral=60` that override it.
 */
export class KindNumbers {
  readonly #general: number;
  /** Entries in the order of the configuration; the last one that matches applies. */
  readonly #entries: readonly { kinds: readonly [number, number] | KindClass; number: number }[];

  /** Takes `entries` that the configuration has checked. */
  constructor(general: number, entries: readonly string[]) {
    this.#general = general;
    this.#entries = entries.map((text) => {
      const { kinds, value } = present(kindValue(text), 'entry that the configuration has checked');
      return { kinds, number: Number(value) };
    });
  }

  of(kind: number): number {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { kinds, number } = element(this.#entries[i]);
      if (holds(kinds, kind)) return number;
    }
    return this.#general;
  }

  /** True if no kind has a number other than 0. */
  get isZero(): boolean {
    return this.#general === 0 && this.#entries.every(({ number }) => number === 0);
  }
}

/** Returns true if a kind is in a range or of a class. */
export function holds(kinds: readonly [number, number] | KindClass, kind: number): boolean {
  if (typeof kinds === 'string') return kindClass(kind) === kinds;
  return kind >= kinds[0] && kind <= kinds[1];
}
