// Log lines of commands on standard error: standard output belongs to their results.

import type { Log } from './log.ts';

/** Writes a line, the facts after the text as `key=value`. */
export function sayOnStandardError(
  text: string,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  const details = Object.entries(facts).map(([name, value]) => ` ${name}=${String(value)}`);
  process.stderr.write(`${text}${details.join('')}\n`);
}

const silent = () => {};

/** Log of what a command runs: a relay of its own, or plugins. */
export const ERRORS_ON_STANDARD_ERROR: Log = {
  debug: silent,
  info: silent,
  warn: silent,
  error: (text, facts) => sayOnStandardError(`wok: ${text}`, facts),
};
