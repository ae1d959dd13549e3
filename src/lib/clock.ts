/** The time as the stations see it; tests bring their own. */
export interface Clock {
  /** Seconds since 1970, whole. */
  seconds(): number;
  /** Milliseconds since some fixed moment, never going back. */
  milliseconds(): number;
}

export const systemClock: Clock = {
  seconds: () => Math.floor(Date.now() / 1000),
  milliseconds: () => performance.now(),
};
