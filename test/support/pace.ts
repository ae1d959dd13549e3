/** Time in tests: none of them may assume how fast the machine is. */

/** How much longer than at first an attempt of `inTime` may become. */
const SCALE_MAX = 64;
const TICK_MILLISECONDS = 100;

/** Begins a stretch of so many milliseconds; what it returns ends it. */
export type Within = (milliseconds: number) => () => void;

/**
 * Runs an attempt that has to see something before it passes by itself: a ban that ends, an event that
 * expires, a process that is given up. The attempt makes its times longer by `scale` and tells by `within`
 * how long it has. When it fails and such a stretch was over, the machine was too slow for it: it is made
 * again, with four times the time. A failure inside of its time is a failure.
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
 * Seconds in which the event loop of this process had its turns, never more than passed on the clock. What
 * a relay inside of this process does late because the process itself had to wait is not late by it.
 */
export function loopClock(): { seconds(): number; stop(): void } {
  let ticks = 0;
  const timer = setInterval(() => ticks++, TICK_MILLISECONDS);
  return {
    seconds: () => (ticks * TICK_MILLISECONDS) / 1000,
    stop: () => clearInterval(timer),
  };
}

/** Milliseconds that this thread and its process have computed while `work` ran, however long it waited. */
export function cpuMilliseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
