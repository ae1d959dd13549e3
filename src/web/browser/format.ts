// Number and time formats of the public page, for the relay and for browsers.

/** Writes 1234567.8 as 1,234,568; small numbers keep enough digits to be told apart. */
export function countText(value: number): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Rate a second, or a minute if it is less than one a second. */
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

/** Duration with its number apart: 3 and "days 4 hours", 12 and "minutes". */
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

/** Count with its noun: 1 day, 2 days, 1,500 events. */
export function amount(value: number, name: string): string {
  return `${countText(value)} ${plural(value, name)}`;
}

function plural(value: number, name: string): string {
  return value === 1 ? name : `${name}s`;
}

/** Time of day like 14:05 (UTC) of a time in milliseconds since 1970. */
export function clockText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(11, 16);
}
