// Cases with live subscriptions: to many clients at once, and to one on an idle relay.

import type { Case, Scenario, SubscribePart } from './scenario.ts';

type Audience = Omit<SubscribePart, 'part' | 'action'>;

function fanOut(name: string, seedOffset: number, rate: number, audience: Audience): Case {
  return {
    name,
    unit: 'delivery',
    headline: 'EVENT due to delivery',
    parts: [
      { part: 'subscribe', action: 'EVENT due to delivery', ...audience },
      {
        part: 'publish',
        action: 'EVENT due to OK',
        source: { profile: 'notes', seedOffset, share: 1 },
        as: 'fresh',
        connections: 2,
        inFlight: 1000,
        rate,
      },
    ],
    needsStored: false,
    seconds: 10,
    warmup: { seconds: 2 },
  };
}

const everybody: SubscribePart['interests'] = [{ weight: 1, interest: { of: 'all' } }];

/** Scenario of many live subscriptions. */
export const fanOutScenario: Scenario = {
  name: 'fan-out',
  title: 'Live fan-out',
  about:
    'Subscriptions are opened first, up to their EOSE; then notes are published at a fixed rate. A ' +
    'delivery counts from the moment its event was due. At the end every delivery is accounted for: ' +
    'none missing, none twice, none that its filter does not ask for.',
  cases: [
    fanOut('broad', 20, 50, {
      subscriptions: 1000,
      connections: 1000,
      interests: everybody,
      ids: 'own',
    }),
    fanOut('broad-fast', 21, 1000, {
      subscriptions: 1000,
      connections: 1000,
      interests: everybody,
      ids: 'own',
    }),
    fanOut('same-id', 22, 1000, {
      subscriptions: 1000,
      connections: 1000,
      interests: everybody,
      ids: 'same',
    }),
    fanOut('per-author', 23, 50, {
      subscriptions: 20_000,
      connections: 1000,
      interests: [{ weight: 1, interest: { of: 'authors', count: 10 } }],
      ids: 'own',
    }),
    fanOut('mixed', 24, 100, {
      subscriptions: 5000,
      connections: 1000,
      interests: [
        { weight: 0.05, interest: { of: 'all' } },
        { weight: 0.55, interest: { of: 'authors', count: 20 } },
        { weight: 0.3, interest: { of: 'mentions' } },
        { weight: 0.1, interest: { of: 'hashtag' } },
      ],
      ids: 'own',
    }),
  ],
};

/** Scenario of the latency from one client to another while the relay is idle. */
export const delivery: Scenario = {
  name: 'delivery',
  title: 'Publish to delivered on an idle relay',
  about: 'One client publishes 20 notes a second, another one has subscribed to them.',
  cases: [
    {
      ...fanOut('one', 30, 20, {
        subscriptions: 1,
        connections: 1,
        interests: everybody,
        ids: 'own',
      }),
    },
  ],
};
