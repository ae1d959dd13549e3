// Real relay inside the process of the test, listening on a loopback port, and its settings.

import { expect } from 'vitest';
import { isConstantKey } from '../../src/config/constants.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/options.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { Log } from '../../src/log/log.ts';
import type { Relay } from '../../src/relay.ts';
import { freshDirectory } from './temporary.ts';

export { freshDirectory };

/** Options and constants by key: `{ 'limits.limit_max': 3, 'query.queries_max': 1 }`. */
export type Settings = Readonly<Record<string, number | boolean | string | readonly string[]>>;

/** Relay of the build in dist/, on a free port and with a data directory of its own. */
export interface TestRelay {
  relay: Relay;
  url: string;
  httpUrl: string;
  directory: string;
  /** Log lines at level warn and above. */
  logged: string[];
  /** Log lines at level info. */
  said: string[];
  stop(): Promise<void>;
}

/** Returns the configuration with these settings over the defaults: loopback, a free port. */
export function testConfig(directory: string, settings: Settings = {}): Config {
  const set = settingFlags({ 'storage.directory': directory, ...settings });
  return loadConfig({ env: constantsEnvironment(settings), flags: { set }, cwd: directory });
}

/** Returns options as `--set` takes them; by default any free port and no metrics server. */
export function settingFlags(settings: Settings): string[] {
  const base = { 'io.port': 0, 'metrics.enabled': false };
  return Object.entries({ ...base, ...settings })
    .filter(([key]) => !isConstantKey(key))
    .map(([key, value]) => `${key}=${value}`);
}

/** Returns the environment variable that overrides the constants among these settings. */
export function constantsEnvironment(settings: Settings): Record<string, string> {
  const constants = Object.entries(settings).filter(([key]) => isConstantKey(key));
  if (constants.length === 0) return {};
  return { WOK_CONSTANTS: JSON.stringify(Object.fromEntries(constants)) };
}

/** Settings without limits on created_at, for events with made-up or old times. */
export const ANY_TIME: Settings = {
  'limits.created_at_past_seconds_max': 0,
  'limits.created_at_future_seconds_max': 0,
  'limits.ephemeral_age_seconds_max': 0,
};

/** Settings for every EOSE hint (NIP-67); no kind is private, because that omits hints. */
export const ALL_HINTS: Settings = { 'query.eose_hints': 'all', 'auth.private_kinds': [] };

/** Starts a relay inside this process; its workers are threads, as in production. */
export async function startRelay(
  settings: Settings = {},
  directory = freshDirectory(),
): Promise<TestRelay> {
  // From dist/, because threads cannot load TypeScript on every Node.js that wok supports.
  const compiled = '../../dist/src/relay.js';
  const { Relay: Compiled } = (await import(compiled)) as typeof import('../../src/relay.ts');
  const logged: string[] = [];
  const keep = (text: string, facts?: Record<string, unknown>) => {
    logged.push(`${text} ${JSON.stringify(facts ?? {})}`);
  };
  const said: string[] = [];
  const info = (text: string, facts?: Record<string, unknown>) => {
    said.push(`${text} ${JSON.stringify(facts ?? {})}`);
  };
  const log: Log = { debug: () => {}, info, warn: keep, error: keep };
  const config = testConfig(directory, settings);
  const relay = await Compiled.start(config, log);
  const { host } = config.io;
  return {
    relay,
    url: `ws://${host}:${relay.port}`,
    httpUrl: `http://${host}:${relay.port}`,
    directory,
    logged,
    said,
    stop: () => relay.stop(),
  };
}

/** Sentence and exit status with which the process of a relay ends whose start has failed. */
type Refusal = ReturnType<typeof import('../../src/run.ts').startFailure>;

/**
 * Starts a relay inside this process and stops it at once. Returns what its process would say and
 * end with if it does not start, or else null. Damage that a station meets between the start and
 * the stop is expected to end the process as damaged.
 */
export async function startRefusal(directory: string): Promise<Refusal | null> {
  const compiled = '../../dist/src/run.js';
  const { startFailure } = (await import(compiled)) as typeof import('../../src/run.ts');
  const refusal = (error: Error) => {
    const failure = startFailure(error, testConfig(directory));
    expect(failure.sentence, 'one sentence').toMatch(/^[^\n]+$/);
    return failure;
  };
  let relay: Relay;
  try {
    ({ relay } = await startRelay({}, directory));
  } catch (error) {
    return refusal(error as Error);
  }
  const deaths: Error[] = [];
  void relay.fatal.then(({ error }) => deaths.push(error));
  await relay.stop();
  for (const death of deaths) expect(refusal(death).status, String(death)).toBe(exitCodes.damaged);
  return null;
}
