// File descriptors of this process: the limit, the number in use, and a probe for free ones.

import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Returns the number of file descriptors that this process may open. Node.js raised the soft limit
 * to the hard one at its start. Infinite if the system sets no limit or does not report one.
 */
export function descriptorLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
    return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Descriptors needed to load many modules at once; Node.js exits with a stack trace otherwise. */
const LOADING = 128;

/** Returns why wok cannot be loaded with this limit, a sentence without a full stop, or null. */
export function tooFewToLoad(limit = descriptorLimit()): string | null {
  if (limit >= LOADING) return null;
  return `this process may open ${limit} files, and wok needs ${LOADING} to load, and a relay one more per connection; set LimitNOFILE in the unit, or ulimit -n in the shell, to some thousands`;
}

/** Returns the open descriptors of this process; none if the system does not report them. */
export function openDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [];
  }
}

/** Returns true if this process and this machine can open `count` more descriptors (3 µs each). */
export function canOpen(count: number): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync('/dev/null', 'r'));
    return true;
  } catch {
    return false;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
