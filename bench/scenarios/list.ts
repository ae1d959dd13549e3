import { ingest } from './ingest.ts';
import { req } from './req.ts';
import type { Scenario } from './scenario.ts';

/** All scenarios, in the order in which `bench run all` goes through them. */
export const scenarios: readonly Scenario[] = [ingest, req];
