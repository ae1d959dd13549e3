/** Tries to read both clocks at the same moment: a thread that is put aside in between reads them apart. */
const TRIES = 10;

/** What this thread's performance.now() lacks to the clock of the machine. */
const offset = Math.max(
  ...Array.from({ length: TRIES }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()),
);

/**
 * Milliseconds of the machine's monotonic clock: the same moment has the same number in every thread
 * of the process, unlike performance.now(), which counts from the start of its thread.
 */
export function now(): number {
  return performance.now() + offset;
}
