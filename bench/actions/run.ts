// Runs scenarios against one relay and reports the figures.

import type { Call } from '../../src/cli/command.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { Progress } from '../../src/lib/progress.ts';
import { chosenScenarios, relaySource, runParameters } from '../options.ts';
import { environment } from '../report/environment.ts';
import { htmlReport } from '../report/html.ts';
import type { CaseResult, RunReport } from '../report/result.ts';
import { headLines, remarks, resultTable, sentenceOf } from '../report/table.ts';
import { loadThreads } from '../run/measure.ts';
import { runScenarios } from '../run/run.ts';
import { isJsonOnly, out, writeReports } from './output.ts';

/** Runs `wok bench run`. Returns the exit code. */
export async function runAction(
  call: Call,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const words = args.join(',');
  const chosen = chosenScenarios(words);
  const source = relaySource(call);
  const parameters = runParameters(call);
  const importCommand = call.flags.last('import-command');
  const pool = loadThreads(parameters.threads);
  const progress = new Progress();
  const startedAt = new Date().toISOString();
  const results: CaseResult[] = [];
  let failure: unknown;
  const target = await runScenarios({
    source,
    chosen,
    parameters,
    pool,
    progress,
    signal,
    onResult: (result) => {
      results.push(result);
      for (const line of [sentenceOf(result), ...remarks(result)]) progress.say(line);
    },
    ...(importCommand === undefined ? {} : { importCommand }),
  }).catch((error: unknown) => {
    // Earlier results are kept and reported.
    failure = error;
    return undefined;
  });
  await pool.destroy();
  if (failure !== undefined && results.length === 0) throw failure;
  const { overrides, cacheDirectory: _, freshSeedOffset: __, ...plain } = parameters;
  const report: RunReport = {
    format: 'wok-bench-1',
    startedAt,
    command: `wok bench run ${args.join(' ')}`,
    ok: failure === undefined && results.every(({ ok }) => ok),
    interrupted: signal.aborted,
    environment: environment(),
    target: target ?? {
      url: source.from === 'url' ? source.url : '',
      name: '',
      software: '',
      version: '',
    },
    parameters: { ...plain, ...overrides },
    results,
  };
  await writeReports(call, report, () => htmlReport(report));
  if (!isJsonOnly(call)) {
    for (const line of headLines(report.target, report.environment)) out(line);
    out(`\n${resultTable(results)}`);
  }
  if (failure !== undefined) throw failure;
  return report.ok ? exitCodes.ok : exitCodes.crash;
}
