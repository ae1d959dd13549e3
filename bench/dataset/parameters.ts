/** Which events a dataset has. */
export type DatasetProfile = 'social' | 'notes' | 'versions';

/**
 * Everything that a dataset follows from: the same parameters give the same bytes.
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

/** Goes up when the same parameters give other bytes than before, so that no old file is taken. */
export const GENERATOR_VERSION = 2;

/** 2026-06-01T00:00:00Z: a fixed moment, so that a dataset does not depend on the day it was made. */
export const DEFAULT_UNTIL = 1_780_272_000;

/** One event a second, as a relay of middle size sees. */
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

/** The name of the file that keeps this dataset; every parameter is in it. */
export function datasetFileName(of: DatasetParameters): string {
  const { profile, events, seed, until, spread } = of;
  return `${profile}-${events}-seed${seed}-until${until}-spread${spread}-v${GENERATOR_VERSION}.jsonl`;
}

/** How many people write: one for 25 events. */
export function authorCount({ events }: Pick<DatasetParameters, 'events'>): number {
  return Math.max(Math.ceil(events / EVENTS_PER_AUTHOR), 50);
}

/** Every 25th event is the profile of one more author. */
export const EVENTS_PER_AUTHOR = 25;
