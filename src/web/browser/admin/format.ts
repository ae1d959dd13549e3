// Number, size and time formats of the page /admin.

const THIN = '\u202f';

/** Integer with thin separators: 1 234 567. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 }).replaceAll(',', THIN);
}

/** Number of any size in about three digits: 0.042, 1.5, 27, 1 234. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100) return count(value);
  return String(Number(value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3)));
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Byte count in units of thousands: 1.5 MB. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < BYTE_UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 ? count(size) : figure(Number(size.toPrecision(3)))}${THIN}${BYTE_UNITS[unit]}`;
}

/** Latency in seconds as µs, ms or s; a dash for null. */
export function latency(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds === 0) return '0';
  if (seconds < 0.001) return `${figure(Number((seconds * 1e6).toPrecision(3)))}${THIN}µs`;
  if (seconds < 1) return `${figure(Number((seconds * 1e3).toPrecision(3)))}${THIN}ms`;
  return `${figure(Number(seconds.toPrecision(3)))}${THIN}s`;
}

/** Share from 0 to 1 in percent: 45 %. */
export function percent(share: number): string {
  return `${figure(Math.round(share * 1000) / 10)}${THIN}%`;
}

const SPANS: readonly (readonly [number, string])[] = [
  [31_557_600, 'y'],
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Duration by its two largest units: 3 d 4 h. */
export function span(seconds: number): string {
  const at = SPANS.findIndex(([length]) => seconds >= length);
  if (at < 0) return `0${THIN}s`;
  const [length, name] = SPANS[at]!;
  const next = SPANS[at + 1];
  const whole = `${count(Math.floor(seconds / length))}${THIN}${name}`;
  if (next === undefined) return whole;
  const rest = Math.floor((seconds % length) / next[0]);
  return rest === 0 ? whole : `${whole} ${rest}${THIN}${next[1]}`;
}

/** Distance of a time (seconds since 1970) from now by its largest unit: 5 min ago, in 3 d. */
export function distance(at: number, now = Date.now() / 1000): string {
  const away = Math.abs(now - at);
  if (away < 2) return 'now';
  const [length, name] = SPANS.find(([one]) => away >= one)!;
  const text = `${count(Math.floor(away / length))}${THIN}${name}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

/** Time (seconds since 1970) in this browser's time zone: 2026-11-21 14:05:09. */
export function moment(at: number): string {
  const date = new Date(at * 1000);
  if (Number.isNaN(date.getTime())) return String(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Count with its noun: 1 event, 2 events. */
export function amount(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
