// Writes a dataset of events to a file, in the cache or elsewhere.

import { resolve } from 'node:path';
import { type Call, UsageError } from '../../src/cli/command.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { formatCount } from '../../src/lib/format.ts';
import { Progress } from '../../src/lib/progress.ts';
import { cachedDataset, generate } from '../dataset/generate.ts';
import { type DatasetProfile, datasetParameters } from '../dataset/parameters.ts';
import { cacheFlag, DEFAULT_EVENTS, EVENTS_MAX, unknownName, untilFlag } from '../options.ts';
import { out } from './output.ts';

const profiles: readonly DatasetProfile[] = ['social', 'notes', 'versions'];

/** Runs `wok bench generate`. Returns the exit code. */
export async function generateAction(
  call: Call,
  _: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const profile = (call.flags.last('profile') ?? 'social') as DatasetProfile;
  if (!profiles.includes(profile)) throw new UsageError(unknownName('profile', profile, profiles));
  const events = call.flags.integer('events', 100, EVENTS_MAX) ?? DEFAULT_EVENTS;
  const seed = call.flags.integer('seed', 0, 2 ** 31) ?? 1;
  const threads = call.flags.integer('threads', 1, 256);
  const parameters = datasetParameters({ profile, events, seed, until: untilFlag(call) });
  const progress = new Progress();
  const options = {
    signal,
    progress: (made: number) => progress.update(`making ${profile} events`, made, events),
    ...(threads === undefined ? {} : { threads }),
  };
  const wanted = call.flags.last('out');
  const began = performance.now();
  let file: string;
  if (wanted === undefined) {
    file = await cachedDataset(parameters, cacheFlag(call), options);
  } else {
    file = resolve(call.cwd, wanted);
    await generate(parameters, file, options);
  }
  progress.clear();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  out(`${file}: ${formatCount(events)} events, ${seconds} s`);
  return exitCodes.ok;
}
