// Clocks of all threads: the interface that tests replace, the system clock, and a monotonic time
// that threads can compare.

/** Clock of a station; tests replace it. */
export interface Clock {
  /** Returns whole seconds since 1970. */
  seconds(): number;
  /** Returns milliseconds since a moment that is the same for all threads; never goes back. */
  milliseconds(): number;
}

/**
 * Returns milliseconds since 1970 by a clock that never goes back and is the same in all threads,
 * so that one thread can compute the age of a time that another thread recorded.
 */
export function sharedMilliseconds(): number {
  return performance.timeOrigin + performance.now();
}
const [seconds, nanoseconds] = process.hrtime();
/** Start of the thread: `performance.now()` begins with it, `process.hrtime()` with the machine. */
const THREAD_START = seconds * 1000 + nanoseconds / 1e6 - performance.now();

export const systemClock: Clock = {
  seconds: () => Math.floor(Date.now() / 1000),
  milliseconds: () => THREAD_START + performance.now(),
};
