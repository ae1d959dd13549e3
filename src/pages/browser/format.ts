/** How figures are written, on pages as they come from the relay and in browsers. */

/** 1234567.8 as 1,234,568; small numbers keep enough digits to be told apart. */
export function countText(value: number): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** So many a second, or, where that is less than one, so many a minute. */
export function rateText(perSecond: number): { value: string; unit: string } {
  if (perSecond >= 1) return { value: countText(perSecond), unit: 'a second' };
  const perMinute = perSecond * 60;
  return { value: countText(Math.round(perMinute * 10) / 10), unit: 'a minute' };
}

const SPANS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
];

/** How long something has lasted, the number apart: 3 and "days 4 hours", 12 and "minutes". */
export function lastedText(seconds: number): { value: string; unit: string } {
  for (let i = 0; i < SPANS.length; i++) {
    const [length, name] = SPANS[i]!;
    if (seconds < length) continue;
    const next = SPANS[i + 1];
    const whole = Math.floor(seconds / length);
    const rest = next === undefined ? 0 : Math.floor((seconds % length) / next[0]);
    const more = rest === 0 ? '' : ` ${amount(rest, next![1])}`;
    return { value: countText(whole), unit: plural(whole, name) + more };
  }
  return { value: '0', unit: 'minutes' };
}

/** 1 day, 2 days, 1,500 events. */
export function amount(value: number, name: string): string {
  return `${countText(value)} ${plural(value, name)}`;
}

function plural(value: number, name: string): string {
  return value === 1 ? name : `${name}s`;
}

/** 14:05 of a moment in milliseconds since 1970 (UTC). */
export function clockText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(11, 16);
}
