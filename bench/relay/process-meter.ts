// Meters of processor, memory and disk use, read from /proc.

import { readFileSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../src/cli/command.ts';

/** Unit of CPU times in /proc, on every Linux that Node.js runs on. */
const TICK_SECONDS = 0.01;
const BLOCK_BYTES = 512;

/** Resources that the processes of a relay have used up to a moment. */
export interface ProcessSample {
  /** Time of the sample by clock.ts, in milliseconds. */
  readonly at: number;
  readonly cpuSeconds: number;
  /** Resident memory. */
  readonly rssBytes: number;
  /** Bytes sent to the disk, also of files removed since; undefined if the system does not tell. */
  readonly diskBytes: number | undefined;
}

/** Meter of the processes of a relay on this machine. */
export class ProcessMeter {
  readonly pids: readonly number[];

  /** @throws UsageError when there is no such process, or no /proc. */
  constructor(pids: readonly number[]) {
    this.pids = pids;
    for (const pid of pids) {
      try {
        statSync(`/proc/${pid}/stat`);
      } catch {
        throw new UsageError(`There is no process ${pid} in /proc.`);
      }
    }
  }

  /** Returns the sum over the processes; undefined when one has ended. */
  sample(at: number): ProcessSample | undefined {
    let cpuSeconds = 0;
    let rssBytes = 0;
    let diskBytes: number | undefined = 0;
    try {
      for (const pid of this.pids) {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        // The name, in parentheses, may hold anything.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        cpuSeconds += (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
        rssBytes += numberAfter('VmRSS:', readFileSync(`/proc/${pid}/status`, 'utf8')) * 1024;
        const written = writtenBytes(pid);
        diskBytes =
          diskBytes === undefined || written === undefined ? undefined : diskBytes + written;
      }
    } catch {
      return undefined;
    }
    return { at, cpuSeconds, rssBytes, diskBytes };
  }
}

/** Returns the bytes a process sent to the disk; undefined for a process of another user. */
function writtenBytes(pid: number): number | undefined {
  try {
    return numberAfter('\nwrite_bytes:', readFileSync(`/proc/${pid}/io`, 'utf8'));
  } catch {
    return undefined;
  }
}

function numberAfter(name: string, text: string): number {
  const at = text.indexOf(name);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + name.length), 10);
}

/** Meter of this machine's processors between two readings. */
export class MachineMeter {
  #before: readonly number[] | undefined = cpuTicks();

  /**
   * Returns shares of all processors' time since the last call: idle, and taken by other guests of
   * the host; undefined without /proc.
   */
  read(): { idleShare: number; stealShare: number } | undefined {
    const ticks = cpuTicks();
    const before = this.#before;
    this.#before = ticks;
    if (ticks === undefined || before === undefined) return undefined;
    const spent = ticks.map((count, at) => count - before[at]!);
    const total = spent.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    return { idleShare: (spent[3]! + spent[4]!) / total, stealShare: spent[7]! / total };
  }
}

/** Returns the ticks of user, nice, system, idle, iowait, irq, softirq, steal. */
function cpuTicks(): readonly number[] | undefined {
  try {
    const [line] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    return line!.trim().split(/\s+/).slice(1, 9).map(Number);
  } catch {
    return undefined;
  }
}

/** Returns the bytes of a directory's files on the disk; a sparse file counts as what it holds. */
export async function directoryBytes(directory: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      sum += await directoryBytes(path);
    } else if (entry.isFile()) {
      const { size, blocks } = await stat(path);
      sum += Math.min(size, blocks * BLOCK_BYTES);
    }
  }
  return sum;
}
