// Rate limits of nostream, windows of time with a number of events, as token buckets of wok.

import { isTree } from '../translation.ts';

/** Window of nostream: at most `rate` in `period` milliseconds. */
interface Window {
  readonly period: number;
  readonly rate: number;
}

const UNITS = [
  [1_000, 's'],
  [60_000, 'min'],
  [3_600_000, 'h'],
  [86_400_000, 'day'],
] as const;

/**
 * Returns the token bucket of some windows, like `48/min burst 12`: the lowest rate in the long
 * run, and the smallest number that a window allows at once. Undefined if there is no window.
 */
export function bucketOf(value: unknown): string | undefined {
  const windows = windowsOf(value);
  const slowest = windows.toSorted((a, b) => a.rate / a.period - b.rate / b.period)[0];
  if (slowest === undefined) return undefined;
  const burst = Math.min(...windows.map(({ rate }) => rate));
  const text = rateText(slowest);
  return burst === slowest.rate && text.startsWith(`${burst}/`) ? text : `${text} burst ${burst}`;
}

/**
 * Returns the token buckets of limits for events: the one for all kinds, and items like `0=6/min`.
 *
 * @param items returns the items of a list of kinds.
 */
export function kindBuckets(
  value: unknown,
  items: (kinds: unknown) => readonly string[],
): { general: string | undefined; byKind: string[] } {
  const limits = (Array.isArray(value) ? value : []).filter(isTree);
  const general = bucketOf(limits.filter(({ kinds }) => kinds === undefined));
  const byKind = limits.flatMap((limit) => {
    const bucket = limit.kinds === undefined ? undefined : bucketOf([limit]);
    return bucket === undefined ? [] : items(limit.kinds).map((item) => `${item}=${bucket}`);
  });
  return { general, byKind };
}

/** Returns addresses and networks in the form of wok: `::ffff:10.0.0.1` is 10.0.0.1. */
export function exemptItems(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list
    .filter((item) => typeof item === 'string')
    .map((item) => item.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+)/i, ''));
}

function windowsOf(value: unknown): Window[] {
  return (Array.isArray(value) ? value : [value]).flatMap((one) => {
    if (!isTree(one)) return [];
    const period = Number(one.period);
    const rate = Number(one.rate);
    return period > 0 && rate > 0 ? [{ period, rate }] : [];
  });
}

function rateText({ period, rate }: Window): string {
  for (const [milliseconds, unit] of UNITS) {
    if (period === milliseconds && Number.isInteger(rate)) return `${rate}/${unit}`;
  }
  for (const [milliseconds, unit] of UNITS) {
    const amount = (rate * milliseconds) / period;
    if (Number.isInteger(amount) || unit === 'day')
      return `${Math.max(Math.round(amount), 1)}/${unit}`;
  }
  return `${rate}/day`;
}
