// Time in tests, none of which may assume a speed of the machine.

/** Largest factor by which `inTime` scales the times of an attempt. */
const SCALE_MAX = 64;
const TICK_MILLISECONDS = 100;

/** Starts a deadline of this many milliseconds; the returned function ends it. */
export type Within = (milliseconds: number) => () => void;

/**
 * Runs an attempt that must observe a state before it passes by itself: a ban that ends, an event
 * that expires, a process that is given up. The attempt multiplies its times by `scale` and
 * declares its deadlines by `within`. If it fails after a deadline was exceeded, the machine was
 * too slow and the attempt runs again with four times the scale. A failure within all deadlines is
 * a failure.
 */
export async function inTime(
  attempt: (scale: number, within: Within) => Promise<void>,
): Promise<void> {
  for (let scale = 1; ; scale *= 4) {
    const ends = new Set<number>();
    let late = false;
    const within: Within = (milliseconds) => {
      const end = performance.now() + milliseconds;
      ends.add(end);
      return () => {
        late ||= performance.now() > end;
        ends.delete(end);
      };
    };
    try {
      await attempt(scale, within);
      return;
    } catch (error) {
      late ||= [...ends].some((end) => performance.now() > end);
      if (!late || scale >= SCALE_MAX) throw error;
    }
  }
}

/**
 * Starts a clock that counts the seconds in which the event loop of this process ran, never more
 * than have passed. By this clock a relay inside this process is not late if the process itself had
 * to wait for the processor.
 */
export function loopClock(): { seconds(): number; stop(): void } {
  let ticks = 0;
  const timer = setInterval(() => ticks++, TICK_MILLISECONDS);
  return {
    seconds: () => (ticks * TICK_MILLISECONDS) / 1000,
    stop: () => clearInterval(timer),
  };
}

/**
 * Returns the CPU time, in milliseconds, that this process (all threads) used while `work` ran,
 * however long it waited.
 */
export function cpuMilliseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
