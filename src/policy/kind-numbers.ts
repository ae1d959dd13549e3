import { kindValue } from '../config/kind-values.ts';
import { type KindClass, kindClass } from '../protocol/kinds.ts';

/** Numbers that depend on the kind: a general one, and entries like `1=10` or `ephemeral=60` over it. */
export class KindNumbers {
  readonly #general: number;
  /** In the order of the configuration: the last that fits applies. */
  readonly #entries: readonly { kinds: readonly [number, number] | KindClass; number: number }[];

  /** `entries` were checked by the configuration. */
  constructor(general: number, entries: readonly string[]) {
    this.#general = general;
    this.#entries = entries.map((text) => {
      const { kinds, value } = kindValue(text)!;
      return { kinds, number: Number(value) };
    });
  }

  of(kind: number): number {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { kinds, number } = this.#entries[i]!;
      if (holds(kinds, kind)) return number;
    }
    return this.#general;
  }

  /** Whether any kind has a number above 0. */
  get isZero(): boolean {
    return this.#general === 0 && this.#entries.every(({ number }) => number === 0);
  }
}

/** Whether a kind is in a range or of a class. */
export function holds(kinds: readonly [number, number] | KindClass, kind: number): boolean {
  if (typeof kinds === 'string') return kindClass(kind) === kinds;
  return kind >= kinds[0] && kind <= kinds[1];
}
