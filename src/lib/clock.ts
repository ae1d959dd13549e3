// Clocks of all threads: the interface that tests replace, the system clock, and a monotonic time
// that threads can compare.

/** Clock of a station; tests replace it. */
export interface Clock {
  /** Returns whole seconds since 1970. */
  seconds(): number;
  /** Returns milliseconds since a moment that is the same for all threads; never goes back. */
  milliseconds(): number;
}

const SAMPLES = 32;

/**
 * Returns the start of this thread, where `performance.now()` is 0, in milliseconds since the
 * machine started, where `process.hrtime()` is 0. A sample is too small by the time between its two
 * readings, so the largest of many samples is the right one. (One sample alone was too small by
 * 0.5 ms in most threads, and by up to 177 ms beside a busy core.)
 */
function threadStart(): number {
  let start = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const [seconds, nanoseconds] = process.hrtime();
    start = Math.max(start, seconds * 1000 + nanoseconds / 1e6 - performance.now());
  }
  return start;
}

const THREAD_START = threadStart();

/**
 * Returns milliseconds since the machine started by a clock that never goes back and is the same in
 * all threads, so that one thread can compute the age of a time that another thread recorded.
 */
export function sharedMilliseconds(): number {
  return THREAD_START + performance.now();
}

export const systemClock: Clock = {
  seconds: () => Math.floor(Date.now() / 1000),
  milliseconds: sharedMilliseconds,
};
