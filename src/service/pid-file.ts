import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the process that serves a data directory says who it is. */
export function pidFile(directory: string): string {
  return join(directory, 'wok.pid');
}

/**
 * Writes this process's number into the directory, with the moment at which it started, so that
 * another process that is given the number later is not mistaken for it.
 */
export function writePidFile(directory: string): void {
  writeFileSync(pidFile(directory), `${process.pid} ${startOf(process.pid)}\n`);
}

/** Removes the file, unless a successor has written its own. */
export function removePidFile(directory: string): void {
  if (readPidFile(directory) === process.pid) rmSync(pidFile(directory), { force: true });
}

/** The process that serves the directory, or null when there is none any more. */
export function readPidFile(directory: string): number | null {
  let text: string;
  try {
    text = readFileSync(pidFile(directory), 'utf8');
  } catch {
    return null;
  }
  const [pid, start] = text.trim().split(' ');
  if (!/^\d+$/.test(pid ?? '')) return null;
  return startOf(Number(pid)) === start && isRunning(Number(pid)) ? Number(pid) : null;
}

/** When a process started, in clock ticks since the machine did; '-' where the system does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which stands in parentheses and may contain anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
