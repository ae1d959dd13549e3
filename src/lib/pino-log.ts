import pino from 'pino';
import type { Config } from '../config/options.ts';
import { journalPrefix, writesToJournal } from './journal.ts';
import type { Log } from './log.ts';
import { type CountLine, LogGate, type LogLevel } from './log-gate.ts';

/** A log whose level and format can change while it is in use. */
export interface ProcessLog extends Log {
  reconfigure(config: Config['log']): void;
  /** From now on, what counts the lines of the main thread. */
  countBy(count: CountLine): void;
  /** Tells what was left out so far. */
  flush(): void;
}

/**
 * The log of the process, on standard output: JSON lines, or lines for people. What lanes say has gone
 * through their own gates; what the main thread says goes through the gate of io.
 */
export function createLog(config: Config['log']): ProcessLog {
  let logger = loggerOf(config);
  let count: CountLine = () => {};
  const write = (level: LogLevel, text: string, facts?: Record<string, unknown>) =>
    logger[level](facts ?? {}, text);
  const gate = new LogGate('io', config, write, (level, leftOut) => count(level, leftOut));
  const say =
    (level: LogLevel) =>
    (text: string, facts?: Record<string, unknown>): void => {
      if (facts !== undefined && 'lane' in facts) write(level, text, facts);
      else gate.say(level, text, facts);
    };
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    reconfigure: (changed) => {
      logger = loggerOf(changed);
      gate.reconfigure(changed);
    },
    countBy: (counting) => {
      count = counting;
    },
    flush: () => gate.flush(),
  };
}

/** The gates know the levels of the stations; this one lets everything through that they let. */
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
  process.stdout.write(`${head}${oneLine(msg)}${oneLine(rest)}\n`);
}

/** A stack, or what a plugin wrote, must not look like lines of its own. */
function oneLine(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}
