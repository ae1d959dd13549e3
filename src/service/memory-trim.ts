// Periodic release of free memory of the allocator of the C library. Its timer runs on the main
// thread and frees memory of all threads.

import { performance } from 'node:perf_hooks';
import { CALM_SHARE } from '../lib/idle-collection.ts';
import { residentBytes } from '../lib/resident-memory.ts';
import type { Libc } from './libc.ts';

const LOOK_MILLISECONDS = 15_000;
/** Growth of RSS since the last trim, in bytes, that triggers a trim at once. */
const GROWN_BYTES = 16 * 1024 * 1024;
/** Trim result, in bytes, below which the pause before the next trim doubles. */
const LITTLE_BYTES = 4 * 1024 * 1024;
const PAUSE_MILLISECONDS_MAX = 600_000;

/**
 * Timer that returns free memory of the C library's allocator to the system (malloc_trim, of all
 * threads) when a flood is over: glibc keeps what it once had for messages and SQLite's pages, 20
 * to 40 MB measured. A trim takes some milliseconds. Threads free their memory at different times,
 * so it is repeated, less and less often while it yields little.
 */
export class MemoryTrim {
  readonly #timer: NodeJS.Timeout;

  constructor(libc: Libc) {
    let before = performance.eventLoopUtilization();
    let last = residentBytes();
    let pause = LOOK_MILLISECONDS;
    let nextAt = 0;
    this.#timer = setInterval(() => {
      const now = performance.eventLoopUtilization();
      const isCalm = performance.eventLoopUtilization(now, before).utilization <= CALM_SHARE;
      before = now;
      const rss = residentBytes();
      const hasGrown = rss >= last + GROWN_BYTES;
      if (!isCalm || (!hasGrown && performance.now() < nextAt)) return;
      libc.malloc_trim(0);
      last = residentBytes();
      const isLittle = !hasGrown && rss - last < LITTLE_BYTES;
      pause = isLittle ? Math.min(pause * 2, PAUSE_MILLISECONDS_MAX) : LOOK_MILLISECONDS;
      nextAt = performance.now() + pause;
    }, LOOK_MILLISECONDS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
