// Cases with publishing in a closed loop: fresh, repeated, invalid and replaceable events.

import type { Case, PublishPart, Scenario } from './scenario.ts';

const publish: Omit<PublishPart, 'source' | 'as'> = {
  part: 'publish',
  action: 'EVENT to OK',
  connections: 8,
  inFlight: 64,
};

const closedLoop: Pick<Case, 'unit' | 'headline' | 'seconds' | 'warmup' | 'settles' | 'readBack'> =
  {
    unit: 'event',
    headline: 'EVENT to OK',
    seconds: 120,
    warmup: { share: 0.1 },
    settles: true,
    readBack: true,
  };

/** Scenario of publishing over several connections with many events in flight. */
export const ingest: Scenario = {
  name: 'ingest',
  title: 'Ingest',
  about:
    'Eight connections publish with 64 events in flight on each. fresh: every event is new and must ' +
    'be accepted. duplicates: all were stored before. invalid: one digit of the signature is wrong, ' +
    'every one must be refused. versions: replaceable and addressable events, most of which replace ' +
    'another or come too late. mixed: 70 % fresh, 20 % again, 10 % invalid.',
  cases: [
    {
      ...closedLoop,
      name: 'fresh',
      needsStored: false,
      parts: [{ ...publish, source: { profile: 'social', seedOffset: 0, share: 1 }, as: 'fresh' }],
    },
    {
      ...closedLoop,
      name: 'duplicates',
      needsStored: true,
      parts: [{ ...publish, source: { profile: 'social', seedOffset: 0, share: 1 }, as: 'again' }],
    },
    {
      ...closedLoop,
      name: 'invalid',
      needsStored: false,
      parts: [
        { ...publish, source: { profile: 'social', seedOffset: 1, share: 0.4 }, as: 'invalid' },
      ],
    },
    {
      ...closedLoop,
      name: 'versions',
      needsStored: false,
      parts: [
        { ...publish, source: { profile: 'versions', seedOffset: 0, share: 0.4 }, as: 'versions' },
      ],
    },
    {
      ...closedLoop,
      name: 'mixed',
      needsStored: false,
      parts: [
        { ...publish, source: { profile: 'social', seedOffset: 2, share: 0.4 }, as: 'mixed' },
      ],
    },
  ],
};
