// Parser of option entries that give a kind, a range or a class of kinds a value.

import { kindRange } from './kind-range.ts';

/** Classes of NIP-01 that are allowed in place of a kind. */
const CLASSES = ['regular', 'replaceable', 'ephemeral', 'addressable'] as const;

/** Parsed entry, like `1=10`, `20000-29999=5` or `replaceable=0`; the value is any text. */
export interface KindValue {
  readonly kinds: readonly [first: number, last: number] | (typeof CLASSES)[number];
  readonly value: string;
}

/** Parses an entry; returns undefined if it is not valid. */
export function kindValue(text: string): KindValue | undefined {
  const at = text.indexOf('=');
  if (at < 0) return undefined;
  const name = text.slice(0, at).trim();
  const value = text.slice(at + 1).trim();
  const kinds = CLASSES.find((one) => one === name) ?? kindRange(name);
  return kinds === undefined || value === '' ? undefined : { kinds, value };
}

/** Returns true if an entry gives kinds a whole number from 0 to `max`. */
export function isKindNumber(text: string, max: number): boolean {
  const value = kindValue(text)?.value;
  return value !== undefined && /^\d{1,15}$/.test(value) && Number(value) <= max;
}
