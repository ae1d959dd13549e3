// Monotonic clock that all threads of the process share.

/** Number of attempts, because a thread may be preempted between reading the two clocks. */
const TRIES = 10;

/** Difference between the machine's clock and performance.now() of this thread, in milliseconds. */
const offset = Math.max(
  ...Array.from({ length: TRIES }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()),
);

/**
 * Returns milliseconds of the machine's monotonic clock: the same moment has the same number in
 * every thread of the process, unlike performance.now(), which counts from the start of its thread.
 */
export function now(): number {
  return performance.now() + offset;
}
