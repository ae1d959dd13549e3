/** What a run was asked for, beside the scenario. */
export interface RunParameters {
  /** Size of the main dataset. */
  readonly events: number;
  readonly seed: number;
  /** Added to the seed of what is published as fresh, for a relay that keeps what it got before. */
  readonly freshSeedOffset?: number;
  /** created_at of the newest event, seconds since 1970. */
  readonly until: number;
  readonly threads: number;
  readonly cacheDirectory: string;
  /** Everything small and short: to see that it works, not to measure. */
  readonly short: boolean;
  /** What replaces the numbers that the scenarios come with. */
  readonly overrides: Overrides;
}

export interface Overrides {
  readonly connections?: number;
  readonly inFlight?: number;
  /** Events or requests a second. */
  readonly rate?: number;
  readonly subscriptions?: number;
  /** Seconds of each measurement. */
  readonly seconds?: number;
}

/** What --short makes of the numbers of a scenario. */
export const SHORT_SECONDS = 0.6;
export const SHORT_WARMUP_SECONDS = 0.2;
/** Connections and subscriptions are divided by this, but at least `SHORT_MIN` stay. */
export const SHORT_DIVISOR = 50;
export const SHORT_MIN = 8;
/** Rates above it come down to it. */
export const SHORT_RATE = 100;
/** Different requests of a part. */
export const SHORT_DISTINCT = 100;
