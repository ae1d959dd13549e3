// Tries out which NIPs a relay implements and prints one screen.

import type { Call } from '../../src/cli/command.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { Progress } from '../../src/lib/progress.ts';
import { assertMayLoad, parseTarget } from '../client/target.ts';
import { nipProbes } from '../probe/nips.ts';
import { probeScreen } from '../probe/print.ts';
import { probe } from '../probe/probe.ts';
import { isJsonOnly, out, writeReports } from './output.ts';

/** Number of steps beside those for NIPs: the document and the connection. */
const OTHER_STEPS = 2;

/** Runs `wok bench probe`: what a relay implements, on one screen. Returns the exit code. */
export async function probeAction(call: Call, [url]: readonly string[]): Promise<number> {
  const target = parseTarget(url!);
  assertMayLoad(target, call.flags.has('i-may-load-this-host'));
  const progress = new Progress();
  let steps = 0;
  const report = await probe(target, (what) => {
    progress.update('trying', ++steps, nipProbes.length + OTHER_STEPS, what);
  });
  progress.clear();
  await writeReports(call, report);
  if (!isJsonOnly(call)) out(probeScreen(report));
  return report.ok ? exitCodes.ok : exitCodes.crash;
}
