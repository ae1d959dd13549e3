// Text forms of durations in options and of times in output.

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** Returns the seconds of a text like `90s`, `15m`, `12h`, `7d`, `2w` or `1y`; null for others. */
export function durationSeconds(text: string): number | null {
  const [, number, unit = ''] = /^([1-9]\d{0,5})([smhdwy])$/.exec(text) ?? [];
  const seconds = UNIT_SECONDS[unit];
  return number === undefined || seconds === undefined ? null : Number(number) * seconds;
}

/** Formats a time, in seconds since 1970, for display: `2026-01-02 03:04:05` (UTC). */
export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}
