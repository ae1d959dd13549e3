import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

/**
 * How many file descriptors this process may have. Node.js has raised the soft limit to the hard
 * one when it started. Infinite where the system sets no limit, or does not say.
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

/** Node.js opens the files of many modules at once, and ends with a stack when it may not. */
const LOADING = 128;

/**
 * Why wok cannot even be loaded with the limit of this process, in a sentence without a full stop,
 * or null.
 */
export function tooFewToLoad(limit = descriptorLimit()): string | null {
  if (limit >= LOADING) return null;
  return `this process may open ${limit} files, and wok needs ${LOADING} to be loaded, and for a relay one for each connection besides; set LimitNOFILE in the unit, or ulimit -n in the shell, to some thousands`;
}

/** How many this process has; 0 where the system does not say. */
export function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** Whether so many more can be had now, by this process and on this machine (3 µs each). */
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
