// Run of one case: prepare, measure, read back, summarise.

import type { Piscina } from 'piscina';
import type { Progress } from '../../src/lib/progress.ts';
import type { RelaySource, Session } from '../relay/session.ts';
import type { CaseResult } from '../report/result.ts';
import type { Case, Scenario } from '../scenarios/scenario.ts';
import type { Datasets } from './datasets.ts';
import { measure } from './measure.ts';
import type { RunParameters } from './parameters.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type ReadBack, readBack } from './read-back.ts';
import { summarise } from './summarise.ts';

/** Scenario to run, with all or some of its cases. */
export interface Chosen {
  readonly scenario: Scenario;
  readonly cases: readonly Case[];
}

export interface RunOptions {
  readonly source: RelaySource;
  readonly chosen: readonly Chosen[];
  readonly parameters: RunParameters;
  /** Pool of `loadThreads`, with as many threads as the parameters say. */
  readonly pool: Piscina;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Shell command that imports a file (scenario import). */
  readonly importCommand?: string;
  /** Called with every result as soon as it is there. */
  readonly onResult: (result: CaseResult) => void;
}

/** Case that stores the dataset: the start of other scenarios, and of import without a command. */
export const storing: Case = {
  name: 'store the dataset',
  unit: 'event',
  headline: 'EVENT to OK',
  needsStored: false,
  seconds: 3600,
  warmup: { share: 0 },
  settles: true,
  parts: [
    {
      part: 'publish',
      action: 'EVENT to OK',
      source: { profile: 'social', seedOffset: 0, share: 1 },
      as: 'again',
      connections: 8,
      inFlight: 64,
    },
  ],
};

/** Runs one case on a running relay. */
export async function runCase(
  { parameters, pool, progress, signal }: RunOptions,
  session: Session,
  datasets: Datasets,
  scenario: string,
  of: Case,
): Promise<CaseResult> {
  const { target, meter, limitMax } = session;
  const traits = { limitMax, isAlone: session.isAlone };
  const label = `${scenario} ${of.name}`;
  progress.update(`${label}: preparing`, 0, 1);
  const prepared = await prepare(of, parameters, datasets, traits);
  const total = totalOf(of, prepared);
  const { jobs } = prepared;
  if (of.parts.some((part) => part.part === 'publish') && !storesDataset(of))
    session.isAlone = false;
  const measurement = await measure({
    of,
    label,
    target,
    jobs,
    meter,
    pool,
    progress,
    signal,
    total,
  });
  let found: ReadBack | undefined;
  if (of.readBack === true && prepared.publishing !== undefined) {
    progress.update(`${label}: reading back`, 0, 1);
    found = await readBack(target, prepared.publishing);
  }
  progress.clear();
  return summarise(scenario, of, measurement, { readBack: found, interrupted: signal.aborted });
}

/** Returns the number of items, if the case ends with the last of them. */
function totalOf({ parts }: Case, { publishing }: Prepared): number | undefined {
  const [only] = parts;
  if (parts.length === 1 && only?.part === 'connect' && only.rate === undefined) {
    return only.connections;
  }
  if (parts.length > 1 || publishing === undefined || publishing.part.rate !== undefined) {
    return undefined;
  }
  return publishing.items.accepted.byteLength;
}

/** Returns true if a case publishes only the dataset that queries are compared with. */
export function storesDataset({ parts }: Case): boolean {
  return parts.every(
    (part) =>
      part.part === 'publish' &&
      (part.as === 'fresh' || part.as === 'again') &&
      part.rate === undefined &&
      part.source.profile === 'social' &&
      part.source.seedOffset === 0 &&
      part.source.share === 1,
  );
}
