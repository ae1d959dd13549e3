// Loads the configuration from file, environment and flags, and describes each problem in a
// sentence. Holds the origins of every configuration that this thread has loaded.

import { resolve } from 'node:path';
import { nearest } from '../lib/nearest.ts';
import { isSecretKey } from './formats.ts';
import type { Constant, OptionValue } from './option-types.ts';
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
import { relationProblems } from './relations.ts';
import { describeValue, valueSchema } from './schema.ts';
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
import { tomlValue } from './toml-text.ts';

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
  for (const finding of findings) {
    if (typeof finding === 'string') {
      problems.push(finding);
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

  const config = buildConfig(values);
  const where = (key: SettingKey) =>
    isOptionKey(key) ? (origins.get(key) ?? 'the default') : 'a constant';
  problems.push(...relationProblems(config, where, wrong));
  if (problems.length > 0) throw new ConfigError(problems);
  rememberOrigins(config, { file: path ?? null, options: origins, constants });
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
  return originsByConfig.get(config) ?? { file: null, options: new Map(), constants: [] };
}

/** Returns the value in its normal form, or undefined after adding a problem. */
function checkedValue(given: Given, problems: string[]): OptionValue | undefined {
  const option = settingOf(given.key);
  const raw = given.isText ? fromText(option, String(given.value)) : given.value;
  const result = valueSchema(option).safeParse(raw);
  if (result.success) return result.data as OptionValue;
  const index = result.error.issues[0]?.path[0];
  problems.push(`${given.where}: ${valueProblem(given, raw, index)}`);
  return undefined;
}

/** Converts a text of the environment or command line; returns it as it is if unclear. */
function fromText(option: Constant, text: string): unknown {
  switch (option.type) {
    case 'integer':
      return /^[+-]?\d+(_\d+)*$/.test(text.trim()) ? Number(text.replaceAll('_', '')) : text;
    case 'boolean':
      if (['true', '1'].includes(text.trim().toLowerCase())) return true;
      return ['false', '0'].includes(text.trim().toLowerCase()) ? false : text;
    case 'string[]':
      // A list as JSON and TOML write it, for items that contain commas.
      if (text.trimStart().startsWith('[')) return fromJson(text);
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    default:
      return text;
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function valueProblem({ key, isText }: Given, raw: unknown, index: unknown): string {
  const option = settingOf(key);
  const must = `must be ${describeValue(option)}.`;
  if (Array.isArray(raw) && typeof index === 'number') {
    return `${key} contains ${shown(raw[index])}, but ${must}`;
  }
  const advice = [`${key} is ${shown(raw)}, but ${must}`];
  if (option.type === 'enum' && typeof raw === 'string') {
    const meant = nearest(raw, option.values);
    if (meant !== undefined) advice.push(`Did you mean "${meant}"?`);
  }
  const instead = isText ? undefined : retyped(option, raw);
  if (instead !== undefined) advice.push(`Write ${splitKey(key)[1]} = ${tomlValue(instead)}`);
  return advice.join(' ');
}

/** Returns the value in the right type: 7777 for "7777", "5" for 5, ["::1"] for "::1". */
function retyped(option: Constant, raw: unknown): OptionValue | undefined {
  if (!['string', 'number', 'boolean'].includes(typeof raw)) return undefined;
  if (isSecretKey(String(raw))) return undefined;
  const value = fromText(option, String(raw));
  return valueSchema(option).safeParse(value).success ? (value as OptionValue) : undefined;
}

const SHOWN_LENGTH_MAX = 80;

function shown(value: unknown): string {
  if (typeof value === 'string') {
    if (isSecretKey(value)) return 'a secret key (keep it out of this file)';
    const cut = value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value;
    return JSON.stringify(cut);
  }
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  return typeof value === 'object' ? 'a table' : String(value);
}
