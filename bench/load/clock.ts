// Monotonic clock that all threads of the process share, unlike `performance.now()`.

export { sharedMilliseconds as now } from '../../src/lib/clock.ts';
