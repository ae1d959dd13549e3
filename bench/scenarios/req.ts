// Cases with REQ, one for each shape of filter, and the filters that other scenarios share.

import type { Case, FilterTemplate, QueryPart, Scenario } from './scenario.ts';

/** Templates of ten filters, by the name of their case. Also used by heavy.ts and social.ts. */
export const shapes = {
  id: { ids: 'one' },
  profile: { authors: 'one', kinds: [0] },
  author: { authors: 'one', kinds: [1], limit: 20 },
  'newest-100': { kinds: [1], limit: 100 },
  'newest-500': { kinds: [1], limit: 500 },
  thread: { kinds: [1], '#e': 'thread', limit: 100 },
  notifications: { kinds: [1, 6, 7, 9735], '#p': 'person', limit: 50 },
  hashtag: { kinds: [1], '#t': 'hashtag', limit: 50 },
  feed: { authors: 300, kinds: [1, 6], limit: 100 },
  profiles: { authors: 100, kinds: [0] },
} as const satisfies Record<string, FilterTemplate>;

/** Returns the number of different requests of a shape: fewer for long filters. */
function distinctOf(filter: FilterTemplate): number {
  if (typeof filter.authors === 'number') return 200;
  return filter.ids === undefined ? 1000 : 10_000;
}

function reqCase(name: string, filter: FilterTemplate): Case {
  const part: QueryPart = {
    part: 'query',
    verb: 'REQ',
    shapes: [{ action: 'REQ to EOSE', weight: 1, filter }],
    distinct: distinctOf(filter),
    connections: 8,
    inFlight: 1,
  };
  return {
    name,
    unit: 'request',
    headline: 'REQ to EOSE',
    parts: [part],
    needsStored: true,
    seconds: 5,
    warmup: { seconds: 1 },
  };
}

/** Scenario of the queries that clients send most. */
export const req: Scenario = {
  name: 'req',
  title: 'Stored events: ten REQ shapes and deep paging',
  about:
    'Eight connections send one query after the other: REQ, wait for EOSE, CLOSE together with the ' +
    'next REQ. Ten shapes, each alone, and deep-paging, which walks all notes from the newest to the ' +
    'oldest in pages of 100. The number of events of every answer is compared with the dataset; one ' +
    'answer in 64 is checked event by event.',
  cases: [
    ...Object.entries(shapes).map(([name, filter]) => reqCase(name, filter)),
    reqCase('deep-paging', { kinds: [1], until: 'page', limit: 100 }),
  ],
};
