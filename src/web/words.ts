// Durations, byte counts, rates and kinds of the configuration as text for the public page.

import { kindRange } from '../protocol/kind-range.ts';
import { amount, countText } from './browser/format.ts';

const SPANS: readonly (readonly [seconds: number, name: string])[] = [
  [31_536_000, 'year'],
  [604_800, 'week'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** Duration in the largest unit that expresses it exactly: 15 minutes, 1 year, 90 seconds. */
export function durationText(seconds: number): string {
  const [length, name] = SPANS.find(([span]) => seconds % span === 0) ?? SPANS.at(-1)!;
  return amount(seconds / length, name);
}

/** Byte count in bytes, KiB or MiB, rounded to two decimals: 128 KiB, 1.5 MiB. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return amount(bytes, 'byte');
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB'];
  return `${countText(Math.round(value * 100) / 100)} ${unit}`;
}

const FACTORS: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  KiB: 1024,
  MiB: 1024 ** 2,
};

/** Text of a configured rate: `20/s burst 500` is steady "20/s", burst "500"; null if none. */
export function rateWords(rate: string): { steady: string; burst: string } | null {
  const [, number, factor = '', unit, burst, burstFactor] =
    /^(\d+)\s*(\w*?)\s*\/\s*(\w+)(?:\s+burst\s+(\d+)\s*(\w*))?$/.exec(rate.trim()) ?? [];
  if (number === undefined) return null;
  const text = (amount: string, of: string) => {
    const value = Number(amount) * (FACTORS[of] ?? 1);
    return of.endsWith('iB') ? bytesText(value) : countText(value);
  };
  const steady = `${text(number, factor)}/${unit}`;
  return { steady, burst: text(burst ?? number, burstFactor || factor) };
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  0: 'profiles',
  1: 'notes',
  3: 'follow lists',
  4: 'old private messages',
  5: 'deletions',
  6: 'reposts',
  7: 'reactions',
  1059: 'gift wraps',
  1111: 'comments',
  1984: 'reports',
  9735: 'zap receipts',
  10002: 'relay lists',
  10050: 'inbox relays',
  21059: 'ephemeral gift wraps',
  30023: 'articles',
};

/** Name of the events of a kind, if they have one here: "notes". */
export function kindName(kind: number): string | undefined {
  return KIND_NAMES[kind];
}

/** Kind ranges of the configuration as text: "1 (notes), 20000–29999". */
export function kindsText(ranges: readonly string[]): string {
  return ranges.map(kindText).join(', ');
}

function kindText(range: string): string {
  const [first, last] = kindRange(range) ?? [];
  if (first === undefined) return range;
  if (first !== last) return `${first}–${last}`;
  const name = kindName(first);
  return name === undefined ? String(first) : `${first} (${name})`;
}

/** Text for the kinds before `=` in a list of values by kind: `regular` or `1`. */
export function kindsOfEntry(kinds: string | readonly [number, number]): string {
  if (typeof kinds === 'string') return `${kinds} events`;
  const [first, last] = kinds;
  return `kind ${kindText(first === last ? `${first}` : `${first}-${last}`)}`;
}

/** Joins parts to an enumeration: "one", "one and two", "one, two and three". */
export function listText(parts: readonly string[], word = 'and'): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} ${word} ${parts.at(-1)}`;
}
