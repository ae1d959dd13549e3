import pino from 'pino';
import type { Config } from '../config/options.ts';
import { journalPrefix, writesToJournal } from './journal.ts';
import type { Log } from './log.ts';

/** A log whose level and format can change while it is in use. */
export interface ProcessLog extends Log {
  reconfigure(config: Config['log']): void;
}

/** The log of the process, on standard output: JSON lines, or lines for people. */
export function createLog(config: Config['log']): ProcessLog {
  let logger = loggerOf(config);
  return {
    debug: (text, facts) => logger.debug(facts ?? {}, text),
    info: (text, facts) => logger.info(facts ?? {}, text),
    warn: (text, facts) => logger.warn(facts ?? {}, text),
    error: (text, facts) => logger.error(facts ?? {}, text),
    reconfigure: (changed) => {
      logger = loggerOf(changed);
    },
  };
}

function loggerOf({ level, format }: Config['log']): pino.Logger {
  const options = { level, base: null };
  const journal = writesToJournal(process.env);
  if (format === 'text') return pino(options, { write: (line) => writeText(line, journal) });
  if (!journal) return pino(options);
  return pino(options, {
    write: (line) => process.stdout.write(journalPrefix(Number(/\d+/.exec(line)?.[0])) + line),
  });
}

/**
 * `2026-01-02T03:04:05.678Z warn  text  key=value …`; journald gets the level its own way, and knows
 * the time.
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
  process.stdout.write(`${head}${msg}${rest}\n`);
}
