import { durationSeconds } from '../../lib/duration.ts';
import { type Call, print, UsageError } from '../command.ts';

/** One `wok mod <name> …`. */
export interface Action {
  /** What stands behind the name: `<pubkey|event|kind|ip> <subject>`. */
  readonly args: string;
  readonly summary: string;
  run(call: Call, args: readonly string[]): Promise<void>;
}

/** Prints the answer as JSON where that was asked for, else as `text` says it. */
export function tell<Answer>(call: Call, answer: Answer, text: (answer: Answer) => string): void {
  print(call.flags.has('json') ? JSON.stringify(answer) : text(answer));
}

/** The arguments that an action needs. @throws UsageError when one is missing or too much. */
export function need(name: string, args: readonly string[], wanted: string): string[] {
  const count = wanted.split(' ').length;
  if (args.length !== count) throw new UsageError(`Write wok mod ${name} ${wanted}.`);
  return [...args];
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
