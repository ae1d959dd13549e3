import { fstatSync } from 'node:fs';

/** How journald numbers what pino calls its levels (syslog(3)). */
const PRIORITIES: readonly (readonly [level: number, priority: number])[] = [
  [50, 3],
  [40, 4],
  [30, 6],
];
const DEBUG_PRIORITY = 7;

/** Whether standard output is a stream into journald, which takes `<4>` before a line for its level. */
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

/** `<6>` for pino's info, and so on. */
export function journalPrefix(level: number): string {
  const found = PRIORITIES.find(([from]) => level >= from);
  return `<${found?.[1] ?? DEBUG_PRIORITY}>`;
}
