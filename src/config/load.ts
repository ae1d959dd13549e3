// Loads the configuration from file, environment and flags, and describes each problem in a
// sentence. Holds the origins of every configuration that this thread has loaded.

import { resolve } from 'node:path';
import { checkValue } from './check.ts';
import type { OptionValue } from './option-types.ts';
import {
  buildConfig,
  type Config,
  isOptionKey,
  type OptionKey,
  optionOf,
  type SettingKey,
  settingOf,
  splitKey,
} from './options.ts';
import type { PeerEntry } from './peer-fields.ts';
import { checkPeers } from './peers.ts';
import { relationProblems } from './relations.ts';
import {
  type ConfigFlags,
  type Environment,
  findConfigFile,
  type Given,
  givenByConstants,
  givenByEnvironment,
  givenByFile,
  givenByFlags,
} from './sources.ts';

/** Error with all problems of a configuration, one sentence for each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Sources of a configuration. */
export interface ConfigSources {
  /** File named with --config; without it the usual places are searched (findConfigFile). */
  readonly file?: string | undefined;
  readonly env: Environment;
  readonly flags?: ConfigFlags | undefined;
  /** Base directory of relative paths. */
  readonly cwd: string;
}

/**
 * Loads the configuration of this start: a flag overrides the environment, which overrides the
 * file, which overrides the defaults. `storage.directory` comes out absolute, `info.pubkey` as hex.
 * The result is frozen.
 *
 * @throws ConfigError with all problems of all sources, also of values that a stronger source
 *   replaces.
 */
export function loadConfig({ file, env, flags = {}, cwd }: ConfigSources): Config {
  const path = findConfigFile(file, env, cwd);
  const findings = [
    ...(path === undefined ? [] : givenByFile(path)),
    ...givenByEnvironment(env),
    ...givenByConstants(env),
    ...givenByFlags(flags),
  ];

  const problems: string[] = [];
  const values = new Map<SettingKey, OptionValue>();
  const origins = new Map<OptionKey, string>();
  const constants: string[] = [];
  const wrong = new Set<SettingKey>();
  let peers: PeerEntry[] = [];
  let peersFrom = '';
  for (const finding of findings) {
    if (typeof finding === 'string') {
      problems.push(finding);
      continue;
    }
    if ('peers' in finding) {
      peers = checkPeers(finding.peers, problems);
      peersFrom = finding.peers[0]?.where() ?? '';
      continue;
    }
    const { key, where } = finding;
    const value = checkedValue(finding, problems);
    if (value === undefined) wrong.add(key);
    else {
      values.set(key, value);
      if (isOptionKey(key)) origins.set(key, where);
      else constants.push(key);
    }
  }
  const directory = values.get('storage.directory') ?? optionOf('storage.directory').default;
  values.set('storage.directory', resolve(cwd, String(directory)));

  const config = buildConfig(values, peers);
  const where = (key: SettingKey) =>
    isOptionKey(key) ? (origins.get(key) ?? 'the default') : 'a constant';
  problems.push(...relationProblems(config, where, wrong));
  if (problems.length > 0) throw new ConfigError(problems);
  rememberOrigins(config, { file: path ?? null, options: origins, peers: peersFrom, constants });
  return config;
}

/** Origin of a configuration and of its values. */
interface Origins {
  /** Absolute path of the configuration file in effect; null if there is none. */
  readonly file: string | null;
  /**
   * Origin of each value: `/etc/wok/relay.conf line 3`, `WOK_IO__PORT`, `--port`. Options that have
   * their default are left out.
   */
  readonly options: ReadonlyMap<OptionKey, string>;
  /** Origin of the peers; '' if there are none. */
  readonly peers: string;
  /** Names of the constants that WOK_CONSTANTS overrides. */
  readonly constants: readonly string[];
}

const originsByConfig = new WeakMap<Config, Origins>();

/** Records the origin of a configuration for as long as it is in use. */
export function rememberOrigins(config: Config, origins: Origins): void {
  originsByConfig.set(config, origins);
}

/** Returns the origin of a configuration of `loadConfig` or `reconfigure`, else an empty one. */
export function originsOf(config: Config): Origins {
  return (
    originsByConfig.get(config) ?? { file: null, options: new Map(), peers: '', constants: [] }
  );
}

/** Returns the value in its normal form, or undefined after adding a problem. */
function checkedValue({ key, value, isText, where }: Given, problems: string[]) {
  const names = { name: key, assigned: splitKey(key)[1], isText };
  const checked = checkValue(settingOf(key), value, names);
  if ('value' in checked) return checked.value;
  problems.push(`${where}: ${checked.problem}`);
  return undefined;
}
