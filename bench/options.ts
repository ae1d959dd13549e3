// Parameters of the actions, read from the flags.

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type Call, UsageError } from '../src/cli/command.ts';
import { nearest } from '../src/lib/nearest.ts';
import { assertMayLoad, parseTarget } from './client/target.ts';
import { defaultCacheDirectory } from './dataset/generate.ts';
import { DEFAULT_UNTIL } from './dataset/parameters.ts';
import type { RelaySource } from './relay/session.ts';
import { ownWok } from './relay/start.ts';
import type { RunParameters } from './run/parameters.ts';
import type { Chosen } from './run/run-case.ts';
import { scenarios } from './scenarios/list.ts';

const DAY_SECONDS = 86_400;
export const DEFAULT_EVENTS = 50_000;
const SHORT_EVENTS = 1_500;
/** Most events of a dataset: 10 million are some 11 GB. */
export const EVENTS_MAX = 10_000_000;
const DAY_MAX_SECONDS = 7 * DAY_SECONDS;

/** Returns `--until`: seconds since 1970, or for `today` the last midnight (UTC). */
export function untilFlag(call: Call): number {
  const text = call.flags.last('until');
  if (text === undefined) return DEFAULT_UNTIL;
  if (text === 'today') return Math.floor(Date.now() / 1000 / DAY_SECONDS) * DAY_SECONDS;
  return call.flags.integer('until', 1_000_000_000, 9_999_999_999)!;
}

export function cacheFlag({ flags, cwd }: Call): string {
  const given = flags.last('cache');
  return given === undefined ? defaultCacheDirectory() : resolve(cwd, given);
}

/** Returns the parameters of a run. @throws UsageError */
export function runParameters(call: Call): RunParameters {
  const short = call.flags.has('short');
  const threads = Math.min(Math.max(Math.floor(availableParallelism() / 2), 2), 4);
  const overrides = {
    connections: call.flags.integer('connections', 1, 100_000),
    inFlight: call.flags.integer('in-flight', 1, 10_000),
    rate: call.flags.integer('rate', 1, 1_000_000),
    subscriptions: call.flags.integer('subscriptions', 1, 1_000_000),
    seconds: call.flags.integer('seconds', 1, DAY_MAX_SECONDS),
  };
  return {
    events:
      call.flags.integer('events', 100, EVENTS_MAX) ?? (short ? SHORT_EVENTS : DEFAULT_EVENTS),
    seed: call.flags.integer('seed', 0, 2 ** 31) ?? 1,
    until: untilFlag(call),
    threads: call.flags.integer('threads', 1, 64) ?? threads,
    cacheDirectory: cacheFlag(call),
    short,
    overrides: Object.fromEntries(
      Object.entries(overrides).filter(([, value]) => value !== undefined),
    ),
  };
}

/** Returns the source of the relay of `wok bench run`. @throws UsageError */
export function relaySource(call: Call): RelaySource {
  const { flags, cwd } = call;
  const url = flags.last('url');
  if (flags.has('start')) return startSource(call);
  if (url === undefined) throw new UsageError('Name the relay: --url ws://… or --start.');
  assertMayLoad(parseTarget(url), flags.has('i-may-load-this-host'));
  const dataDirectory = flags.last('data-dir');
  return {
    from: 'url',
    url,
    pids: flags.all('pid').map((text) => pidOf('--pid', text)),
    ...(dataDirectory === undefined ? {} : { dataDirectory: resolve(cwd, dataDirectory) }),
  };
}

/** Returns the source of a wok to start. @throws UsageError when there is no build to start. */
function startSource({ flags }: Call): RelaySource {
  if (!existsSync(ownWok)) throw new UsageError(`${ownWok} is missing: run npm run build.`);
  return { from: 'start', settings: flags.all('set') };
}

/** Returns a process id. @throws UsageError unless the text is a process number. */
export function pidOf(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text))
    throw new UsageError(`${name} must be a process id, not "${text}".`);
  return Number(text);
}

/**
 * Returns the scenarios that a word names: `all`, `ingest`, `ingest/fresh`, several of them with
 * commas.
 *
 * @throws UsageError with the nearest name.
 */
export function chosenScenarios(words: string): Chosen[] {
  if (words === 'all') return scenarios.map((scenario) => ({ scenario, cases: scenario.cases }));
  return words.split(',').map((word) => {
    const [name, caseName] = word.split('/', 2);
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined) {
      throw new UsageError(
        unknownName(
          'scenario',
          name!,
          scenarios.map((one) => one.name),
        ),
      );
    }
    if (caseName === undefined) return { scenario, cases: scenario.cases };
    const found = scenario.cases.filter((one) => one.name === caseName);
    if (found.length === 0) {
      const names = scenario.cases.map((one) => one.name);
      throw new UsageError(unknownName(`case of ${name}`, caseName, names));
    }
    return { scenario, cases: found };
  });
}

/** Returns a message on an unknown name, with the name that was most likely meant. */
export function unknownName(what: string, given: string, known: readonly string[]): string {
  const meant = nearest(given, known);
  const advice = meant === undefined ? `There is: ${known.join(', ')}.` : `Did you mean ${meant}?`;
  return `There is no ${what} "${given}". ${advice}`;
}
