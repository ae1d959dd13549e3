// Entry of the import in the list of scenarios; run/import.ts runs it.

import type { Scenario } from './scenario.ts';

/** Scenario of loading a file, and of the size of the database afterwards. */
export const importScenario: Scenario = {
  name: 'import',
  title: 'Import and database size',
  about:
    'The dataset is stored: by --import-command where there is one, by wok import where wok was ' +
    'started here, else by publishing it. Counted ' +
    'are events a second and the size of the database, as it is then and, for a relay that was started ' +
    'here, after a clean stop.',
  special: 'import',
  cases: [],
};
