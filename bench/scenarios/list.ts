// Scenarios that the command line knows, in order.

import { connect } from './connect.ts';
import { count } from './count.ts';
import { delivery, fanOutScenario } from './fan-out.ts';
import { heavy } from './heavy.ts';
import { importScenario } from './import.ts';
import { ingest } from './ingest.ts';
import { ingestRate } from './ingest-rate.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { req } from './req.ts';
import type { Scenario } from './scenario.ts';
import { slowReadersScenario } from './slow-readers.ts';
import { soak, social } from './social.ts';
import { syncScenario } from './sync.ts';

/** Scenarios, in the order in which `bench run all` runs them. */
export const scenarios: readonly Scenario[] = [
  connect,
  ingest,
  ingestRate,
  oneAtATime,
  req,
  count,
  delivery,
  fanOutScenario,
  social,
  slowReadersScenario,
  heavy,
  importScenario,
  syncScenario,
  soak,
];
