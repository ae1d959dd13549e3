// List of all floods.

import { badEvents } from './bad-events.ts';
import { calm } from './calm.ts';
import { connections } from './connections.ts';
import { counts } from './counts.ts';
import { crowdedSecond } from './crowded-second.ts';
import { deafListeners } from './deaf-listeners.ts';
import { deafReaders } from './deaf-readers.ts';
import { expensiveFilters } from './expensive-filters.ts';
import { garbage } from './garbage.ts';
import { liveFilters } from './live-filters.ts';
import { management } from './management.ts';
import { negentropy } from './negentropy.ts';
import { pings } from './pings.ts';
import { privateMessages } from './private-messages.ts';
import { removals } from './removals.ts';
import type { Scenario } from './scenario.ts';
import { smallFrames } from './small-frames.ts';

/** Floods in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  calm,
  pings,
  smallFrames,
  garbage,
  connections,
  management,
  badEvents,
  removals,
  liveFilters,
  deafListeners,
  deafReaders,
  crowdedSecond,
  counts,
  expensiveFilters,
  negentropy,
  privateMessages,
];
