// Cases with ordinary queries, alone and beside expensive ones.

import { shapes } from './req.ts';
import type { Case, Part, Scenario } from './scenario.ts';

const others: Part = {
  part: 'query',
  verb: 'REQ',
  shapes: [
    { action: 'ordinary REQ', weight: 0.4, filter: shapes.author },
    { action: 'ordinary REQ', weight: 0.3, filter: shapes.profile },
    { action: 'ordinary REQ', weight: 0.3, filter: shapes.thread },
  ],
  distinct: 1000,
  connections: 10,
  inFlight: 8,
  rate: 100,
};

const bullies: Part = {
  part: 'query',
  verb: 'REQ',
  shapes: [
    // Many events have the hashtag, many are reactions, none is both.
    { action: 'REQ without a match', weight: 0.25, filter: { kinds: [7], '#t': 'hashtag' } },
    { action: 'REQ without a match', weight: 0.05, filter: { '#t': 'nothing' } },
    {
      action: 'REQ of 1,000 authors, 20 kinds',
      weight: 0.3,
      filter: {
        authors: 1000,
        kinds: [
          0, 1, 3, 4, 6, 7, 16, 20, 1063, 1111, 1984, 9735, 9802, 10_000, 10_002, 10_003, 30_023,
          30_078, 30_311, 31_923,
        ],
        limit: 500,
      },
    },
    { action: 'REQ of a page of everything', weight: 0.4, filter: { until: 'page', limit: 500 } },
  ],
  distinct: 60,
  connections: 2,
  inFlight: 1,
};

function heavyCase(name: string, parts: readonly Part[]): Case {
  return {
    name,
    unit: 'request',
    headline: 'ordinary REQ',
    parts,
    needsStored: true,
    seconds: 10,
    warmup: { seconds: 2 },
  };
}

/** Scenario of expensive queries, and of their effect on the ordinary ones beside them. */
export const heavy: Scenario = {
  name: 'heavy',
  title: 'Expensive queries beside ordinary ones',
  about:
    'Ordinary queries are sent at 100 per second: first alone, then while two clients send one expensive ' +
    'query after the other (filters that match nothing, 1,000 authors × 20 kinds, pages of everything ' +
    'to the end). The ordinary ones must stay fast.',
  cases: [heavyCase('alone', [others]), heavyCase('beside', [others, bullies])],
};
