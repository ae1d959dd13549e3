// Log of the process, written by pino in the main thread.

import pino from 'pino';
import type { Config } from '../config/options.ts';
import { journalPrefix, writesToJournal } from './journal.ts';
import { type CountLine, LineLimiter, type LogLevel } from './line-limiter.ts';
import type { Log } from './log.ts';

/** Log with a level and format that can change while it is in use. */
export interface ProcessLog extends Log {
  reconfigure(config: Config['log']): void;
  /** Sets the counter for the lines of the main thread. */
  countBy(count: CountLine): void;
  /** Logs the numbers of lines that were dropped so far. */
  flush(): void;
}

/**
 * Creates the log of the process, on standard output: JSON lines or plain text. Lines of worker
 * threads (those with a `worker`) have passed the filters of their threads; lines of the main
 * thread pass the filter of station io.
 */
export function createLog(config: Config['log']): ProcessLog {
  let logger = loggerOf(config);
  let count: CountLine = () => {};
  const write = (level: LogLevel, text: string, facts?: Record<string, unknown>) =>
    logger[level](facts ?? {}, text);
  const limiter = new LineLimiter('io', config, write, (level, omitted) => count(level, omitted));
  const say =
    (level: LogLevel) =>
    (text: string, facts?: Record<string, unknown>): void => {
      if (facts !== undefined && 'worker' in facts) write(level, text, facts);
      else limiter.say(level, text, facts);
    };
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    reconfigure: (changed) => {
      logger = loggerOf(changed);
      limiter.reconfigure(changed);
    },
    countBy: (counting) => {
      count = counting;
    },
    flush: () => limiter.flush(),
  };
}

/** Returns a logger that drops no level, because the filters apply the levels of the stations. */
function loggerOf({ level, levels, format }: Config['log']): pino.Logger {
  const options = {
    level: level === 'silent' && levels.length === 0 ? level : 'debug',
    base: null,
  };
  const journal = format === 'journal' || writesToJournal(process.env);
  if (format !== 'json') return pino(options, { write: (line) => writeText(line, journal) });
  if (!journal) return pino(options);
  return pino(options, {
    write: (line) => process.stdout.write(journalPrefix(Number(/\d+/.exec(line)?.[0])) + line),
  });
}

/**
 * Writes a line as `2026-01-02T03:04:05.678Z warn text key=value …`; for journald, the level
 * becomes a prefix and the time is left out, because journald records it.
 */
function writeText(line: string, journal: boolean): void {
  const { time, level, msg, ...facts } = JSON.parse(line) as {
    time: number;
    level: number;
    msg: string;
  } & Record<string, unknown>;
  const label = (pino.levels.labels[level] ?? String(level)).padEnd(5);
  const pairs = Object.entries(facts).map(([key, value]) =>
    typeof value === 'string' ? `${key}=${value}` : `${key}=${JSON.stringify(value)}`,
  );
  const rest = pairs.length > 0 ? `  ${pairs.join(' ')}` : '';
  const head = journal ? journalPrefix(level) : `${new Date(time).toISOString()} ${label} `;
  process.stdout.write(`${head}${oneLine(msg)}${oneLine(rest)}\n`);
}

/** Escapes line breaks, so that a stack or output of a plugin cannot look like separate lines. */
function oneLine(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}
