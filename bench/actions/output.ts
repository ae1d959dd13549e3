import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Call } from '../../src/commands/command.ts';

/** A line on standard output. */
export function out(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Whether standard output is for the JSON alone. */
export function isJsonOnly({ flags }: Call): boolean {
  return flags.last('json') === '-';
}

/** Writes `--json` and `--html`, as far as they are asked for. */
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
