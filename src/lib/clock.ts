/** The time as the stations see it; tests bring their own. */
export interface Clock {
  /** Seconds since 1970, whole. */
  seconds(): number;
  /** Milliseconds since some fixed moment, never going back; the same moment for all threads. */
  milliseconds(): number;
}

/**
 * Milliseconds since 1970 by a clock that never goes back and is the same in all threads, so that one
 * thread can tell how long ago another one wrote a time down.
 */
export function sharedMilliseconds(): number {
  return performance.timeOrigin + performance.now();
}
const [seconds, nanoseconds] = process.hrtime();
/** `performance.now()` begins with its thread, `process.hrtime()` with the machine. */
const THREAD_START = seconds * 1000 + nanoseconds / 1e6 - performance.now();

export const systemClock: Clock = {
  seconds: () => Math.floor(Date.now() / 1000),
  milliseconds: () => THREAD_START + performance.now(),
};
