import { openSession, type RelaySource, type Session } from '../relay/session.ts';
import type { Progress } from '../report/progress.ts';
import type { CaseResult, TargetFacts } from '../report/result.ts';
import type { Case, Scenario } from '../scenarios/scenario.ts';
import { adjusted } from './adjust.ts';
import { Datasets } from './datasets.ts';
import { measure } from './measure.ts';
import type { RunParameters } from './parameters.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type ReadBack, readBack, storedSample } from './read-back.ts';
import { summarise } from './summarise.ts';

/** What is to be run: whole scenarios, or some of their cases. */
export interface Chosen {
  readonly scenario: Scenario;
  readonly cases: readonly Case[];
}

export interface RunOptions {
  readonly source: RelaySource;
  readonly chosen: readonly Chosen[];
  readonly parameters: RunParameters;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Called with every result as soon as it is there. */
  readonly onResult: (result: CaseResult) => void;
}

/** How the dataset is stored before questions are asked. */
const storing: Case = {
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

/**
 * Runs scenarios one after the other. A relay that the bench starts is started afresh for each
 * scenario; its cases follow each other on the same one.
 *
 * @returns what is known of the relay. Results go to `onResult`.
 */
export async function runScenarios(options: RunOptions): Promise<TargetFacts | undefined> {
  const { chosen, parameters, progress, signal } = options;
  const datasets = new Datasets(parameters, progress, signal);
  let facts: TargetFacts | undefined;
  for (const { scenario, cases } of chosen) {
    if (signal.aborted) break;
    const session = await openSession(options.source);
    facts ??= session.facts;
    try {
      await runCases(options, session, datasets, scenario, cases);
    } finally {
      progress.clear();
      await session.end();
    }
  }
  return facts;
}

async function runCases(
  options: RunOptions,
  session: Session,
  datasets: Datasets,
  scenario: Scenario,
  cases: readonly Case[],
): Promise<void> {
  let isStored = false;
  for (const original of cases) {
    if (options.signal.aborted) return;
    const of = adjusted(original, options.parameters);
    if (of.needsStored && !isStored) await store(options, session, datasets, scenario);
    if (options.signal.aborted) return;
    const result = await runCase(options, session, datasets, scenario.name, of);
    isStored ||= of.needsStored || storesDataset(of);
    options.onResult(result);
  }
}

/** Whether a case leaves the stored dataset behind. */
function storesDataset({ parts }: Case): boolean {
  return parts.some(
    (part) =>
      part.part === 'publish' &&
      part.as === 'fresh' &&
      part.rate === undefined &&
      part.source.profile === 'social' &&
      part.source.seedOffset === 0 &&
      part.source.share === 1,
  );
}

/** Publishes the dataset, unless the relay has it. */
async function store(
  options: RunOptions,
  session: Session,
  datasets: Datasets,
  scenario: Scenario,
): Promise<void> {
  const dataset = await datasets.stored();
  const { asked, found } = await storedSample(session.target, dataset);
  if (found === asked) return;
  const result = await runCase(options, session, datasets, scenario.name, storing);
  const failed = Object.entries({ ...result.wrong, ...result.errors });
  if (failed.length > 0 && !result.interrupted) {
    const what = failed.map(([kind, count]) => `${count} × ${kind}`).join(', ');
    throw new Error(`the dataset could not be stored: ${what}. ${result.examples.join('; ')}`);
  }
}

async function runCase(
  { parameters, progress, signal }: RunOptions,
  session: Session,
  datasets: Datasets,
  scenario: string,
  of: Case,
): Promise<CaseResult> {
  const { target, meter, limitMax } = session;
  const label = `${scenario} ${of.name}`;
  progress.update(`${label}: preparing`, 0, 1);
  const prepared = await prepare(of, parameters, datasets, limitMax);
  const total = totalOf(of, prepared);
  const { jobs } = prepared;
  const measurement = await measure({ of, label, target, jobs, meter, progress, signal, total });
  let found: ReadBack | undefined;
  if (of.readBack === true && prepared.publishing !== undefined) {
    progress.update(`${label}: reading back`, 0, 1);
    found = await readBack(target, prepared.publishing);
  }
  progress.clear();
  return summarise(scenario, of, measurement, { readBack: found, interrupted: signal.aborted });
}

/** How many items there are, when the case ends with the last of them. */
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
