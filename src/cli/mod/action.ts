// Type of the actions of `wok mod`, and the flags and the output that they share.

import { durationSeconds } from '../../lib/duration.ts';
import { type ActionUsage, type Call, print, UsageError } from '../command.ts';

/** Most rows that the relay returns at once. */
const ROWS_MAX = 1000;

/** Action `wok mod <name> …`. Its arguments fit `args` when `run` is called. */
export interface Action extends ActionUsage {
  run(call: Call, args: readonly string[]): Promise<void>;
}

/** Prints the answer as JSON if that was asked for, else as `text` formats it. */
export function tell<Answer>(call: Call, answer: Answer, text: (answer: Answer) => string): void {
  print(call.flags.has('json') ? JSON.stringify(answer) : text(answer));
}

/** Returns the number of rows of `--limit`, 100 without it. @throws UsageError */
export function limitOf(call: Call): number {
  return call.flags.integer('limit', 1, ROWS_MAX) ?? 100;
}

/**
 * Returns the time at which `--for` ends, in seconds since 1970; 0 without it.
 *
 * @throws UsageError
 */
export function endOf(call: Call): number {
  const text = call.flags.last('for');
  if (text === undefined) return 0;
  const seconds = durationSeconds(text);
  if (seconds === null) {
    throw new UsageError(`--for is "${text}", but must be a duration like 30m, 12h, 7d, 2w or 1y.`);
  }
  return Math.floor(Date.now() / 1000) + seconds;
}

/** Formats rows in columns that are as wide as their widest cell, except for the last. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => row.map((cell, at) => cell.padEnd(at === row.length - 1 ? 0 : widths[at]!)))
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
}
