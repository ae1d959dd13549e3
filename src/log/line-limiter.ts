// Level filter and rate limit in front of a log. Each thread filters its own lines.

import type { Config } from '../config/options.ts';
import type { Log } from './log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const WINDOW_MILLISECONDS = 60_000;
/** Number of distinct texts with a counter of their own; all further ones share one. */
const TEXTS_MAX = 256;

/** Output for lines that pass the filter. */
type WriteLine = (level: LogLevel, text: string, facts?: Record<string, unknown>) => void;

/** Callback for every line at or above the level; `omitted`: the rate limit dropped it. */
export type CountLine = (level: LogLevel, omitted: boolean) => void;

interface Seen {
  since: number;
  lines: number;
  omitted: number;
  level: LogLevel;
}

/** Returns the level of a station: its own (`log.levels`), or the general one. */
export function levelOf({ level, levels }: Config['log'], station: string): LogLevel | 'silent' {
  const own = levels.find((one) => one.startsWith(`${station}=`));
  return own === undefined ? level : (own.slice(station.length + 1) as LogLevel);
}

/**
 * Log filter of a station. Drops lines below its level, and lines beyond `log.lines_per_minute_max`
 * with the same text in a minute; those are counted, and their number is logged in one line at most
 * a minute later. The limit keeps a flood of lines from filling the disk.
 */
export class LineLimiter implements Log {
  readonly #station: string;
  readonly #write: WriteLine;
  readonly #count: CountLine;
  #from = 0;
  #max = 0;
  readonly #seen = new Map<string, Seen>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    station: string,
    config: Config['log'],
    write: WriteLine,
    count: CountLine = () => {},
  ) {
    this.#station = station;
    this.#write = write;
    this.#count = count;
    this.reconfigure(config);
  }

  reconfigure(config: Config['log']): void {
    const level = levelOf(config, this.#station);
    this.#from = level === 'silent' ? LOG_LEVELS.length : LOG_LEVELS.indexOf(level);
    this.#max = config.lines_per_minute_max;
  }

  debug(text: string, facts?: Record<string, unknown>): void {
    this.say('debug', text, facts);
  }

  info(text: string, facts?: Record<string, unknown>): void {
    this.say('info', text, facts);
  }

  warn(text: string, facts?: Record<string, unknown>): void {
    this.say('warn', text, facts);
  }

  error(text: string, facts?: Record<string, unknown>): void {
    this.say('error', text, facts);
  }

  say(level: LogLevel, text: string, facts?: Record<string, unknown>): void {
    if (LOG_LEVELS.indexOf(level) < this.#from) return;
    const omitted = this.#max > 0 && this.#isTooMany(level, text);
    this.#count(level, omitted);
    if (!omitted) this.#write(level, text, facts);
  }

  /** Logs the numbers of dropped lines now instead of at the end of the minute. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [text, { omitted, level }] of this.#seen) {
      if (omitted > 0)
        this.#write(level, `${text} (more lines like this were left out)`, { omitted });
    }
    this.#seen.clear();
  }

  #isTooMany(level: LogLevel, text: string): boolean {
    const key = this.#seen.has(text) || this.#seen.size < TEXTS_MAX ? text : 'other lines';
    const now = performance.now();
    let seen = this.#seen.get(key);
    if (seen === undefined || (seen.omitted === 0 && now - seen.since > WINDOW_MILLISECONDS)) {
      seen = { since: now, lines: 0, omitted: 0, level };
      this.#seen.set(key, seen);
    }
    if (++seen.lines <= this.#max) return false;
    seen.omitted++;
    if (this.#timer === null) {
      this.#timer = setTimeout(() => this.flush(), WINDOW_MILLISECONDS);
      this.#timer.unref();
    }
    return true;
  }
}
