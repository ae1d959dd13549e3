// Entry of the exchange between relays in the list of scenarios; run/sync.ts runs it.

import type { Scenario } from './scenario.ts';

/** Scenario of wok sync, a mirror and an import, each between or beside running relays. */
export const syncScenario: Scenario = {
  name: 'sync',
  title: 'Exchange with other relays',
  about:
    'fetch: wok sync brings the dataset into an empty relay. differences: wok sync of two relays that ' +
    'lack up to 1,000 events each. mirror: 50 notes a second at one relay, until a subscriber of its ' +
    'mirror ([[peers]]) has them. import: a client publishes and reads by id, alone and while wok ' +
    'import stores events beside it. All relays are started by the bench.',
  special: 'sync',
  cases: [],
};
