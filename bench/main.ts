import { resolve } from 'node:path';
import { type Call, UsageError } from '../src/commands/command.ts';
import { type ExitCode, exitCodes } from '../src/lib/exit-codes.ts';
import { cachedDataset, generate } from './dataset/generate.ts';
import { type DatasetProfile, datasetParameters } from './dataset/parameters.ts';
import { type BenchAction, benchActions } from './flags.ts';
import {
  cacheFlag,
  checkFlags,
  chosenScenarios,
  numberFlag,
  relaySource,
  runParameters,
  unknownName,
  untilFlag,
} from './options.ts';
import { environment } from './report/environment.ts';
import { formatCount } from './report/format.ts';
import { Progress } from './report/progress.ts';
import type { CaseResult } from './report/result.ts';
import { headLines, remarks, resultTable, sentenceOf } from './report/table.ts';
import { runScenarios } from './run/run.ts';
import { scenarios } from './scenarios/list.ts';

/** Ctrl-C, as shells know it. */
const INTERRUPTED = 130;

/**
 * `wok bench`. Results go to standard output, progress to standard error.
 *
 * @returns 0; 1 when a relay gave a wrong answer; 130 after Ctrl-C.
 * @throws UsageError for a wrong command line.
 */
export async function runBench(call: Call): Promise<number> {
  const [action, ...args] = call.args;
  if (action === undefined) {
    throw new UsageError(`Write wok bench ${benchActions.join(', or wok bench ')}.`);
  }
  if (!isAction(action)) throw new UsageError(unknownName('wok bench', action, benchActions));
  checkFlags(call, action);
  const interrupt = new AbortController();
  const onSignal = () => {
    // The second one does not wait for anything.
    if (interrupt.signal.aborted) process.exit(INTERRUPTED);
    interrupt.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await actions[action](call, args, interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) return INTERRUPTED;
    if (error instanceof UsageError) throw error;
    // What a relay or a disk does is no bug of the bench.
    process.stderr.write(`wok bench: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.crash;
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  }
}

type Action = (call: Call, args: readonly string[], signal: AbortSignal) => Promise<number>;

const actions: Readonly<Record<BenchAction, Action>> = {
  list: async () => {
    for (const { name, title, cases } of scenarios) {
      out(`${name.padEnd(14)} ${title}`);
      out(`${' '.repeat(15)}${cases.map((one) => one.name).join(', ')}`);
    }
    return exitCodes.ok;
  },
  generate: generateAction,
  run: runAction,
  probe: () => Promise.reject(new Error('not yet')),
  compare: () => Promise.reject(new Error('not yet')),
};

function isAction(name: string): name is BenchAction {
  return (benchActions as readonly string[]).includes(name);
}

async function generateAction(call: Call, _args: readonly string[], signal: AbortSignal) {
  const profiles: readonly DatasetProfile[] = ['social', 'notes', 'versions'];
  const profile = (call.flags.last('profile') ?? 'social') as DatasetProfile;
  if (!profiles.includes(profile)) throw new UsageError(unknownName('profile', profile, profiles));
  const events = numberFlag(call, 'events', 100, 10_000_000) ?? 50_000;
  const seed = numberFlag(call, 'seed', 0, 2 ** 31) ?? 1;
  const threads = numberFlag(call, 'threads', 1, 256);
  const parameters = datasetParameters({ profile, events, seed, until: untilFlag(call) });
  const progress = new Progress();
  const options = {
    signal,
    progress: (made: number) => progress.update(`making ${profile} events`, made, events),
    ...(threads === undefined ? {} : { threads }),
  };
  const out_ = call.flags.last('out');
  const began = performance.now();
  let file: string;
  if (out_ === undefined) {
    file = await cachedDataset(parameters, cacheFlag(call), options);
  } else {
    file = resolve(call.cwd, out_);
    await generate(parameters, file, options);
  }
  progress.clear();
  const seconds = (performance.now() - began) / 1000;
  out(`${file}: ${formatCount(events)} events in ${seconds.toFixed(1)} s`);
  return exitCodes.ok as ExitCode;
}

async function runAction(call: Call, args: readonly string[], signal: AbortSignal) {
  const words = args.join(',');
  if (words === '') throw new UsageError('Say what to run: wok bench list shows the scenarios.');
  const chosen = chosenScenarios(words);
  const source = relaySource(call);
  const parameters = runParameters(call);
  const progress = new Progress();
  const results: CaseResult[] = [];
  const onResult = (result: CaseResult) => {
    results.push(result);
    for (const line of [sentenceOf(result), ...remarks(result)]) progress.say(line);
  };
  const target = await runScenarios({ source, chosen, parameters, progress, signal, onResult });
  for (const line of headLines(target, environment())) out(line);
  out('');
  out(resultTable(results));
  if (signal.aborted) return INTERRUPTED;
  return results.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.crash;
}

function out(text: string): void {
  process.stdout.write(`${text}\n`);
}
