// Cases with COUNT, one for each shape of filter.

import type { Case, FilterTemplate, Scenario } from './scenario.ts';

function countCase(name: string, filter: FilterTemplate): Case {
  return {
    name,
    unit: 'request',
    headline: 'COUNT',
    parts: [
      {
        part: 'query',
        verb: 'COUNT',
        shapes: [{ action: 'COUNT', weight: 1, filter }],
        distinct: 500,
        connections: 8,
        inFlight: 1,
      },
    ],
    needsStored: true,
    seconds: 5,
    warmup: { seconds: 1 },
  };
}

/** Scenario of COUNT (NIP-45). */
export const count: Scenario = {
  name: 'count',
  title: 'COUNT',
  about:
    'Eight connections send one COUNT after the other: the notes of an author, the answers in a ' +
    'thread, the reactions to a person, the uses of a hashtag, all notes. Every number is compared ' +
    'with the dataset, unless the relay says that it is approximate.',
  cases: [
    countCase('author', { authors: 'one', kinds: [1] }),
    countCase('thread', { kinds: [1, 7, 9735], '#e': 'thread' }),
    countCase('reactions', { kinds: [7], '#p': 'person' }),
    countCase('hashtag', { '#t': 'hashtag' }),
    countCase('all-notes', { kinds: [1] }),
  ],
};
