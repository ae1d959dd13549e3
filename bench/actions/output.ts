// Output of the actions: lines on standard output, and report files.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Call } from '../../src/cli/command.ts';

/** Writes a line on standard output. */
export function out(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Returns true if standard output is for the JSON alone (`--json -`). */
export function isJsonOnly({ flags }: Call): boolean {
  return flags.last('json') === '-';
}

/** Writes the files of `--json` and `--html`, if these are given. */
export async function writeReports(
  call: Call,
  report: unknown,
  html?: () => string,
): Promise<void> {
  const jsonFile = call.flags.last('json');
  if (jsonFile !== undefined) {
    const text = JSON.stringify(report, undefined, 2);
    if (jsonFile === '-') out(text);
    else await writeFile(resolve(call.cwd, jsonFile), `${text}\n`);
  }
  const htmlFile = call.flags.last('html');
  if (htmlFile !== undefined && html !== undefined) {
    await writeFile(resolve(call.cwd, htmlFile), html());
  }
}
