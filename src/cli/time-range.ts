// Ranges of ages, as strfry writes them.

import { UsageError } from './command.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
  M: 30 * DAY,
  Y: 365 * DAY,
};

/**
 * Returns the times of a range of ages: `2M-` (the last two months), `1Y-6M` (from a year ago until
 * six months ago), `-1d` (until a day ago).
 *
 * @param now in seconds since 1970.
 * @throws UsageError
 */
export function rangeOf(text: string, now: number): { since: number | null; until: number | null } {
  const [from = '', to = '', ...more] = text.split('-');
  if (more.length > 0 || !text.includes('-') || from + to === '') throw wrong(text);
  const since = from === '' ? null : now - secondsOf(from, text);
  const until = to === '' ? null : now - secondsOf(to, text);
  if (since !== null && until !== null && since > until) throw wrong(text);
  return { since, until };
}

function secondsOf(age: string, text: string): number {
  if (!/^(?:\d{1,6}[smhdwMY])+$/.test(age)) throw wrong(text);
  let sum = 0;
  for (const [, number = '', unit = ''] of age.matchAll(/(\d+)([smhdwMY])/g))
    sum += Number(number) * (SECONDS[unit] ?? 0);
  return sum;
}

function wrong(text: string): UsageError {
  return new UsageError(
    `--range must be ages like 2M-, 1Y-6M or -1d, the older one first, not "${text}".`,
  );
}
