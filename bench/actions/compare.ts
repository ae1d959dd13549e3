// Measures two relays, or two commits of wok, in turns and reports the ratios.

import type { Call } from '../../src/cli/command.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { Progress } from '../../src/lib/progress.ts';
import { type CompareReport, compare } from '../compare/compare.ts';
import { compareHtml, compareTable } from '../compare/print.ts';
import { openSide, type Side } from '../compare/side.ts';
import { chosenScenarios, pidOf, runParameters } from '../options.ts';
import { environment } from '../report/environment.ts';
import { loadThreads } from '../run/measure.ts';
import { isJsonOnly, out, writeReports } from './output.ts';

const DEFAULT_ROUNDS = 5;
const DEFAULT_SCENARIOS = 'ingest/fresh,req';

/** Runs `wok bench compare`. Returns the exit code. */
export async function compareAction(
  call: Call,
  [first, second]: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const chosen = chosenScenarios(call.flags.last('scenario') ?? DEFAULT_SCENARIOS);
  const rounds = call.flags.integer('rounds', 1, 100) ?? DEFAULT_ROUNDS;
  const parameters = runParameters(call);
  const pool = loadThreads(parameters.threads);
  const progress = new Progress();
  const startedAt = new Date().toISOString();
  const sides: Side[] = [];
  try {
    for (const [word, pidFlag] of [
      [first!, 'pid-a'],
      [second!, 'pid-b'],
    ] as const) {
      const side = await openSide(word, {
        mayLoad: call.flags.has('i-may-load-this-host'),
        pids: call.flags.all(pidFlag).map((text) => pidOf(`--${pidFlag}`, text)),
        settings: call.flags.all('set'),
        cwd: call.cwd,
        tell: (what) => progress.say(what),
      });
      sides.push(side);
    }
    const [a, b] = sides as [Side, Side];
    const found = await compare({ a, b, rounds, chosen, parameters, pool, progress, signal });
    const report: CompareReport = {
      format: 'wok-bench-compare-1',
      startedAt,
      a: a.name,
      b: b.name,
      rounds,
      interrupted: signal.aborted,
      environment: environment(),
      ...found,
    };
    await writeReports(call, report, () => compareHtml(report));
    if (!isJsonOnly(call)) out(compareTable(report));
    for (const fault of report.faults) progress.say(`WRONG: ${fault}`);
    return report.ok ? exitCodes.ok : exitCodes.crash;
  } finally {
    for (const side of sides) await side.end();
    await pool.destroy();
  }
}
