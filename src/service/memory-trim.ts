import { performance } from 'node:perf_hooks';
import { CALM_SHARE } from '../lib/idle-collection.ts';
import type { Libc } from './libc.ts';

const LOOK_MILLISECONDS = 15_000;
/** It is looked for free memory when the process has so many bytes more than after the last time. */
const GROWN_BYTES = 16 * 1024 * 1024;

/**
 * Gives memory that is free inside the C library's allocator back to the system (malloc_trim, of all
 * threads) when a flood is over: glibc keeps what it once had for messages and SQLite's pages, 20 to 40 MB
 * measured. It takes some milliseconds.
 */
export class MemoryTrim {
  readonly #timer: NodeJS.Timeout;

  constructor(libc: Libc) {
    let before = performance.eventLoopUtilization();
    let lowest = process.memoryUsage.rss();
    this.#timer = setInterval(() => {
      const now = performance.eventLoopUtilization();
      const isCalm = performance.eventLoopUtilization(now, before).utilization <= CALM_SHARE;
      before = now;
      const rss = process.memoryUsage.rss();
      if (!isCalm || rss < lowest + GROWN_BYTES) return;
      libc.malloc_trim(0);
      lowest = process.memoryUsage.rss();
    }, LOOK_MILLISECONDS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
