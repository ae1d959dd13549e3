// Run of scenarios against one relay.

import { openSession, type Session } from '../relay/session.ts';
import type { TargetFacts } from '../report/result.ts';
import type { Case, Scenario } from '../scenarios/scenario.ts';
import { adjusted } from './adjust.ts';
import { Datasets } from './datasets.ts';
import { runImport } from './import.ts';
import { storedSample } from './read-back.ts';
import { type RunOptions, runCase, storesDataset, storing } from './run-case.ts';
import { runSync } from './sync.ts';

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
    if (scenario.special !== undefined) {
      const run = scenario.special === 'import' ? runImport : runSync;
      const known = await run(options);
      facts ??= known;
      continue;
    }
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
    const isOther = (options.parameters.freshSeedOffset ?? 0) > 0;
    isStored ||= of.needsStored || (storesDataset(of) && !isOther);
    options.onResult(result);
  }
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
  const result = await runCase(
    options,
    session,
    datasets,
    scenario.name,
    adjusted(storing, { ...options.parameters, overrides: {} }),
  );
  const failed = Object.entries({ ...result.wrong, ...result.errors });
  if (failed.length > 0 && !result.interrupted) {
    const what = failed.map(([kind, count]) => `${count} × ${kind}`).join(', ');
    throw new Error(`the dataset could not be stored: ${what}. ${result.examples.join('; ')}`);
  }
}
