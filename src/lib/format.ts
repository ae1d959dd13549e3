// Formatting of numbers, durations, sizes and shares for output that people read.

/** Formats 1234567.8 as 1,234,568; small numbers keep enough digits to tell them apart. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

/** Formats a duration given in milliseconds, with its unit: 0.85 ms, 12.3 ms, 1.20 s. */
export function formatMilliseconds(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`;
}

/** Formats a duration given in seconds: 8 s, 2 min 05 s, 1 h 10 min. */
export function formatSeconds(value: number): string {
  const seconds = Math.max(Math.round(value), 0);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Formats bytes with decimal units: 12.3 kB, 1.2 GB. */
export function formatBytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (Math.abs(rest) >= 1000 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 || Math.abs(rest) >= 100 ? rest.toFixed(0) : rest.toFixed(1)} ${UNITS[unit]}`;
}

/** Formats a share of 1 as a percentage: 3.4 %, 97 %. */
export function formatShare(value: number): string {
  const percent = value * 100;
  return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** Latest time that a date can have, in seconds since 1970. */
const SECONDS_MAX = 8_640_000_000_000;

/**
 * Formats a time in seconds since 1970: 2026-01-31T12:00:00Z. A number that no date has stays a
 * number, because events may have any `created_at`.
 */
export function formatTime(seconds: number): string {
  if (Math.abs(seconds) > SECONDS_MAX) return String(seconds);
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Returns the plural of a unit: events, deliveries. */
export function plural(unit: string): string {
  return unit.endsWith('y') ? `${unit.slice(0, -1)}ies` : `${unit}s`;
}
