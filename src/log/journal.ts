// Output format of systemd-journald: detection of its stream, and the priority prefix of a line.

import { fstatSync } from 'node:fs';

/** Syslog priorities (syslog(3)), which journald uses, by the minimum level of pino. */
const PRIORITIES: readonly (readonly [level: number, priority: number])[] = [
  [50, 3],
  [40, 4],
  [30, 6],
];
const DEBUG_PRIORITY = 7;

/** Returns true if standard output is a stream into journald, which reads prefixes like `<4>`. */
export function writesToJournal(env: Readonly<Record<string, string | undefined>>): boolean {
  const { JOURNAL_STREAM: named } = env;
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(1, { bigint: true });
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Returns the priority prefix for a level of pino: `<6>` for info, and so on. */
export function journalPrefix(level: number): string {
  const found = PRIORITIES.find(([from]) => level >= from);
  return `<${found?.[1] ?? DEBUG_PRIORITY}>`;
}
