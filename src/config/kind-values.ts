import { kindRange } from './kind-range.ts';

/** The classes of NIP-01 that may stand where a kind stands. */
const CLASSES = ['regular', 'replaceable', 'ephemeral', 'addressable'] as const;

/** `1=10`, `20000-29999=5` or `replaceable=0`, taken apart; the value is any text. */
export interface KindValue {
  readonly kinds: readonly [first: number, last: number] | (typeof CLASSES)[number];
  readonly value: string;
}

/** What an entry says, or undefined when it is none. */
export function kindValue(text: string): KindValue | undefined {
  const at = text.indexOf('=');
  if (at < 0) return undefined;
  const name = text.slice(0, at).trim();
  const value = text.slice(at + 1).trim();
  const kinds = CLASSES.find((one) => one === name) ?? kindRange(name);
  return kinds === undefined || value === '' ? undefined : { kinds, value };
}

/** Whether an entry gives kinds a whole number from 0 to `max`. */
export function isKindNumber(text: string, max: number): boolean {
  const value = kindValue(text)?.value;
  return value !== undefined && /^\d{1,15}$/.test(value) && Number(value) <= max;
}
