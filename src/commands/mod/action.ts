import { durationSeconds } from '../../lib/duration.ts';
import { type ActionUsage, type Call, print, UsageError } from '../command.ts';

/** As many rows as the relay gives at once. */
const ROWS_MAX = 1000;

/** One `wok mod <name> …`. Its arguments fit `args` when `run` is called. */
export interface Action extends ActionUsage {
  run(call: Call, args: readonly string[]): Promise<void>;
}

/** Prints the answer as JSON where that was asked for, else as `text` says it. */
export function tell<Answer>(call: Call, answer: Answer, text: (answer: Answer) => string): void {
  print(call.flags.has('json') ? JSON.stringify(answer) : text(answer));
}

/** How many rows are asked for, 100 without `--limit`. @throws UsageError */
export function limitOf(call: Call): number {
  return call.flags.integer('limit', 1, ROWS_MAX) ?? 100;
}

/** The second at which `--for` ends, 0 without it. @throws UsageError */
export function endOf(call: Call): number {
  const text = call.flags.last('for');
  if (text === undefined) return 0;
  const seconds = durationSeconds(text);
  if (seconds === null) {
    throw new UsageError(`--for is "${text}", but must be a time like 30m, 12h, 7d, 2w or 1y.`);
  }
  return Math.floor(Date.now() / 1000) + seconds;
}

/** Columns that are as wide as their widest cell, but for the last. */
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
