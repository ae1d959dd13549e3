import type { Scenario } from './scenario.ts';
import { crowdedSecond } from './crowded-second.ts';
import { deafListeners } from './deaf-listeners.ts';
import { deafReaders } from './deaf-readers.ts';
import { liveFilters } from './live-filters.ts';
import { pings } from './pings.ts';
import { smallFrames } from './small-frames.ts';

/** All floods, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  pings,
  smallFrames,
  liveFilters,
  deafListeners,
  deafReaders,
  crowdedSecond,
];
