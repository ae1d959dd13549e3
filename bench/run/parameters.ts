// Parameters of a run, and the numbers of --short.

/** Parameters of a run, beside the scenario. */
export interface RunParameters {
  /** Number of events of the main dataset. */
  readonly events: number;
  readonly seed: number;
  /**
   * Added to the seed of events published as fresh, for a relay that keeps those of earlier rounds.
   */
  readonly freshSeedOffset?: number;
  /** created_at of the newest event, seconds since 1970. */
  readonly until: number;
  readonly threads: number;
  readonly cacheDirectory: string;
  /** True for a small and short run: to see that it works, not to measure. */
  readonly short: boolean;
  /** Numbers that replace those of the scenarios. */
  readonly overrides: Overrides;
}

interface Overrides {
  readonly connections?: number;
  readonly inFlight?: number;
  /** Events or requests a second. */
  readonly rate?: number;
  readonly subscriptions?: number;
  /** Seconds of each measurement. */
  readonly seconds?: number;
}

/** Seconds of a measurement with --short. */
export const SHORT_SECONDS = 0.6;
export const SHORT_WARMUP_SECONDS = 0.2;
/** Divisor of connections and subscriptions, but at least `SHORT_MIN` stay. */
export const SHORT_DIVISOR = 50;
export const SHORT_MIN = 8;
/** Greatest rate. */
export const SHORT_RATE = 100;
/** Most different requests of a part. */
export const SHORT_DISTINCT = 100;
