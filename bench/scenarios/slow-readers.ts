// Cases with live subscriptions of clients that read, alone and beside some that stop reading.

import type { Case, Scenario, SubscribePart } from './scenario.ts';

const all: Pick<SubscribePart, 'part' | 'interests' | 'ids'> = {
  part: 'subscribe',
  interests: [{ weight: 1, interest: { of: 'all' } }],
  ids: 'own',
};

function slowReaders(name: string, seedOffset: number, slow: number): Case {
  return {
    name,
    unit: 'delivery',
    headline: 'delivery to a fast reader',
    parts: [
      { ...all, action: 'delivery to a fast reader', subscriptions: 100, connections: 100 },
      ...(slow === 0
        ? []
        : [
            {
              ...all,
              action: 'delivery to a slow reader',
              subscriptions: slow,
              connections: slow,
              slow: true,
            },
          ]),
      {
        part: 'publish',
        action: 'EVENT due to OK',
        source: { profile: 'notes', seedOffset, share: 1 },
        as: 'fresh',
        connections: 2,
        inFlight: 1000,
        rate: 1000,
      },
    ],
    needsStored: false,
    seconds: 15,
    warmup: { seconds: 2 },
  };
}

/** Scenario of clients that stop reading what they subscribed to. */
export const slowReadersScenario: Scenario = {
  name: 'slow-readers',
  title: 'Slow readers among fast ones',
  about:
    'A hundred clients read 1,000 notes a second. In the second case twenty more subscribe and then ' +
    'stop reading. The latency of the fast ones must not change, and the memory of the relay must stay ' +
    'bounded. At the end the slow ones read again: each must get all events once, unless the relay ' +
    'disconnected it, which is counted and not an error.',
  cases: [slowReaders('none', 40, 0), slowReaders('twenty', 41, 20)],
};
