// Case with one event in flight on one connection.

import type { Scenario } from './scenario.ts';

/**
 * Scenario of the latency of one client that sends an event only after the OK of the one before.
 */
export const oneAtATime: Scenario = {
  name: 'one-at-a-time',
  title: 'One client, one event at a time',
  about:
    'One connection, one event in flight. With an fsync for each commit this is the latency of a commit, ' +
    'and of the round trip.',
  cases: [
    {
      name: 'fresh',
      unit: 'event',
      headline: 'EVENT to OK',
      parts: [
        {
          part: 'publish',
          action: 'EVENT to OK',
          source: { profile: 'social', seedOffset: 3, share: 0.1 },
          as: 'fresh',
          connections: 1,
          inFlight: 1,
        },
      ],
      needsStored: false,
      seconds: 60,
      warmup: { share: 0.1 },
      settles: true,
      readBack: true,
    },
  ],
};
