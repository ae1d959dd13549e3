// Entry of `wok bench`: runs an action and turns signals and errors into exit codes.

import { type Call, UsageError } from '../src/cli/command.ts';
import { exitCodes } from '../src/lib/exit-codes.ts';
import { compareAction } from './actions/compare.ts';
import { generateAction } from './actions/generate.ts';
import { out } from './actions/output.ts';
import { probeAction } from './actions/probe.ts';
import { runAction } from './actions/run.ts';
import type { BenchAction } from './flags.ts';
import { scenarios } from './scenarios/list.ts';

/** Exit code after Ctrl-C, as in shells. */
const INTERRUPTED = 130;

type Action = (call: Call, args: readonly string[], signal: AbortSignal) => Promise<number>;

const actions: Readonly<Record<BenchAction, Action>> = {
  list: async () => {
    for (const { name, title, about, cases } of scenarios) {
      out(`${name}: ${title}`);
      if (cases.length > 0) out(`  cases: ${cases.map((one) => one.name).join(', ')}`);
      out(`  ${about}\n`);
    }
    return exitCodes.ok;
  },
  generate: generateAction,
  run: runAction,
  probe: probeAction,
  compare: compareAction,
};

/**
 * Runs `wok bench`. Results go to standard output, progress to standard error.
 *
 * @returns 0; 1 when a relay gave a wrong answer or cannot be measured; 130 after Ctrl-C.
 * @throws UsageError for a wrong command line.
 */
export async function runBench(call: Call): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => {
    // The second signal ends the process at once.
    if (interrupt.signal.aborted) process.exit(INTERRUPTED);
    interrupt.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const code = await actions[call.action as BenchAction](call, call.args, interrupt.signal);
    return interrupt.signal.aborted ? INTERRUPTED : code;
  } catch (error) {
    if (interrupt.signal.aborted) return INTERRUPTED;
    if (error instanceof UsageError) throw error;
    // A failure of a relay or a disk is no bug of the bench, so no stack is shown.
    process.stderr.write(`wok bench: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.crash;
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  }
}
