// Parameters of a dataset, and the file name that follows from them.

/** Mix of events of a dataset. */
export type DatasetProfile = 'social' | 'notes' | 'versions';

/**
 * Parameters that determine a dataset: the same parameters give the same bytes.
 *
 * `events` counts lines. `until` is the newest created_at, in seconds since 1970; the events' times
 * spread over the `spread` seconds before it.
 */
export interface DatasetParameters {
  readonly profile: DatasetProfile;
  readonly events: number;
  readonly seed: number;
  readonly until: number;
  readonly spread: number;
}

/** Version of the generator: goes up when its bytes change, so that no old file is taken. */
const GENERATOR_VERSION = 2;

/** 2026-06-01T00:00:00Z: a fixed time, so that a dataset does not depend on the day it was made. */
export const DEFAULT_UNTIL = 1_780_272_000;

/** Fills in the defaults: one event a second, as a relay of middle size sees. */
export function datasetParameters(
  given: Partial<DatasetParameters> & Pick<DatasetParameters, 'events'>,
): DatasetParameters {
  return {
    profile: given.profile ?? 'social',
    events: given.events,
    seed: given.seed ?? 1,
    until: given.until ?? DEFAULT_UNTIL,
    spread: given.spread ?? Math.max(given.events, 3600),
  };
}

/** Returns the name of the file of this dataset; every parameter is in it. */
export function datasetFileName(of: DatasetParameters): string {
  const { profile, events, seed, until, spread } = of;
  return `${profile}-${events}-seed${seed}-until${until}-spread${spread}-v${GENERATOR_VERSION}.jsonl`;
}

/** Returns the number of authors: one for 25 events, at least 50. */
export function authorCount({ events }: Pick<DatasetParameters, 'events'>): number {
  return Math.max(Math.ceil(events / EVENTS_PER_AUTHOR), 50);
}

/**
 * Number of events for each author. In `social` every 25th event is the profile of one more author.
 */
export const EVENTS_PER_AUTHOR = 25;
