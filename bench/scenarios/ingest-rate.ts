// Cases with publishing at a fixed rate, one for each rate.

import type { Case, Scenario } from './scenario.ts';

function atRate(rate: number): Case {
  return {
    name: String(rate),
    unit: 'event',
    headline: 'EVENT to OK',
    parts: [
      {
        part: 'publish',
        action: 'EVENT to OK',
        source: { profile: 'social', seedOffset: 10, share: 1 },
        as: 'fresh',
        connections: 8,
        inFlight: 1000,
        rate,
      },
    ],
    needsStored: false,
    seconds: 10,
    warmup: { seconds: 2 },
    settles: true,
    readBack: true,
  };
}

/** Scenario of publishing at a fixed rate, as independent clients do. */
export const ingestRate: Scenario = {
  name: 'ingest-rate',
  title: 'Ingest at a fixed rate',
  about:
    'Fresh events go out at a fixed rate over eight connections, whatever the relay does; a latency ' +
    'counts from the moment its event was due. This shows what a relay does below its limit, where ' +
    'the closed loop of ingest cannot go.',
  // With the same seed the events of the second case would be duplicates.
  cases: [500, 2000].map(atRate).map((of, at) => ({
    ...of,
    parts: of.parts.map((part) =>
      part.part === 'publish'
        ? { ...part, source: { ...part.source, seedOffset: part.source.seedOffset + at } }
        : part,
    ),
  })),
};
