/**
 * Ceilings of the tests. They only catch what hangs: no test says anything about the speed of the machine,
 * and whatever waits for a condition waits so long, on an idle machine and on one that is busy with others.
 */

/** Milliseconds that a helper waits for a condition, an answer, a process or a browser. */
export const WAIT_MILLISECONDS = 120_000;

/**
 * What takes so many milliseconds waits for something that it should not wait for, on any machine: for
 * answers and ends whose time is looked at afterwards.
 */
export const SLOW_MILLISECONDS = 30_000;

/** Milliseconds of a whole test or hook; many waits long, so that it is a wait that says what was missing. */
export const TEST_MILLISECONDS = 600_000;
