// Upper bounds of waits in tests. They only catch a hang: no test assumes a speed of the machine,
// and every wait for a condition has the same bound on an idle machine and on a busy one.

/** Longest wait of a helper for a condition, an answer, a process or a browser, in milliseconds. */
export const WAIT_MILLISECONDS = 120_000;

/**
 * Duration in milliseconds that, on any machine, shows that an operation waited for something that
 * it should not wait for. For answers and ends that a test measures afterwards.
 */
export const SLOW_MILLISECONDS = 30_000;

/**
 * Timeout of a whole test or hook, in milliseconds. Longer than several waits, so that a wait fails
 * first and its error says what was missing.
 */
export const TEST_MILLISECONDS = 600_000;
