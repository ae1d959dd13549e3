// Parser of rates in option values, like "20/s burst 500".

/** Token bucket: tokens added a second, and most tokens at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, day: 86_400 };
const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  KiB: 1024,
  MiB: 1 << 20,
};
const RATE =
  /^(\d{1,9})\s*(k|M|KiB|MiB|)\s*\/\s*(s|min|h|day)(?:\s+burst\s+(\d{1,9})\s*(k|M|KiB|MiB|))?$/;

/** Returns `factor` times a rate, with as many times its burst; null: unlimited. */
export function scaledRate(rate: Rate | null, factor: number): Rate | null {
  if (rate === null || factor === 0) return null;
  return { perSecond: rate.perSecond * factor, burst: rate.burst * factor };
}

/**
 * Parses `20/s burst 500`, `6/min` or `256KiB/s burst 8MiB`; returns undefined if the text is not a
 * rate. The default burst is the amount of one unit of time, so `6/min` allows six at once.
 */
export function parseRate(text: string): Rate | undefined {
  const found = RATE.exec(text.trim());
  if (found === null) return undefined;
  const [, amount, factor = '', unit, burst = amount, burstFactor = found[4] ? '' : factor] = found;
  const each = Number(amount) * FACTORS[factor]!;
  const rate = {
    perSecond: each / SECONDS[unit!]!,
    burst: Number(burst) * FACTORS[found[4] === undefined ? factor : burstFactor]!,
  };
  return rate.perSecond > 0 && rate.burst > 0 ? rate : undefined;
}
