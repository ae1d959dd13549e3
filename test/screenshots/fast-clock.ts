// Clock by which a relay lives through an hour in some minutes, so that its charts are full.

/** Clock that starts some time ago, runs faster than time, and is right again from then on. */
export interface FastClock {
  /** Time of the start, in milliseconds since 1970. */
  readonly realStart: number;
  /** Time by which the clock is slow at the start, in milliseconds. */
  readonly behind: number;
  /** Factor by which it runs faster until it is right. */
  readonly speed: number;
}

/** Returns the time of the clock, in milliseconds since 1970. */
export function timeOf({ realStart, behind, speed }: FastClock): number {
  const real = Date.now();
  return Math.round(Math.min(real, realStart - behind + (real - realStart) * speed));
}

/**
 * Returns the flag of Node.js that gives a process and its threads this clock: `Date.now`,
 * `process.uptime`, the start of the process, and intervals of five seconds and more. Latencies
 * stay real, for `performance.now` does.
 */
export function clockFlag(clock: FastClock): string {
  const { realStart, behind, speed } = clock;
  const program = `(${useClock})(${realStart}, ${behind}, ${speed});`;
  return `--import=data:text/javascript,${encodeURIComponent(program)}`;
}

/** Replaces the clock of a thread. Its text runs in the relay, so it uses nothing of this file. */
function useClock(realStart: number, behind: number, speed: number): void {
  const longInterval = 5_000;
  const realNow = Date.now;
  const realInterval = globalThis.setInterval;
  const now = () => {
    const real = realNow();
    return Math.round(Math.min(real, realStart - behind + (real - realStart) * speed));
  };
  Date.now = now;
  process.uptime = () => (now() - (realStart - behind)) / 1000;
  // In all threads by the same, for threads compare times that count from it.
  Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin - behind });
  const interval = (call: (...args: unknown[]) => void, pause = 0, ...args: unknown[]) => {
    if (pause < longInterval) return realInterval(call, pause, ...args);
    let last = now();
    return realInterval(() => {
      if (now() - last < pause) return;
      last += pause * Math.floor((now() - last) / pause);
      call(...args);
    }, pause / speed);
  };
  globalThis.setInterval = interval as typeof setInterval;
}
