// Readers of the three sources of a configuration: TOML file, environment, command line. Each
// returns unchecked values and problems.

import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { nearest } from '../lib/nearest.ts';
import { constantKeys, isConstantKey } from './constants.ts';
import {
  isOptionKey,
  type OptionKey,
  optionKeys,
  type SettingKey,
  sections,
  splitKey,
} from './options.ts';
import type { GivenPeer } from './peers.ts';
import { strayKey, suggestKey, suggestSection, unknownOption } from './suggest.ts';
import { tomlLines } from './toml-text.ts';

/** Value given for an option or a constant, not checked yet. */
export interface Given {
  readonly key: SettingKey;
  readonly value: unknown;
  /** True if the source knows only text (environment, command line), so that "7777" is a number. */
  readonly isText: boolean;
  /** Origin, to begin a sentence with: `/etc/wok/relay.conf line 3`, `WOK_IO__PORT`, `--port`. */
  readonly where: string;
}

/** Entries [[peers]] given by one source, not checked yet; the strongest source counts. */
export interface GivenPeers {
  readonly peers: readonly GivenPeer[];
}

/** Findings of one source, in its own order: values, and a sentence for each problem. */
type Findings = (Given | GivenPeers | string)[];

/** Command-line flags that change the configuration; each overrides environment and file. */
export interface ConfigFlags {
  /** Short form of `--set io.port=…`, which it overrides. */
  readonly port?: string | number | undefined;
  /** Short form of `--set storage.directory=…`, which it overrides. */
  readonly data?: string | undefined;
  /** Assignments `section.key=value`; of two for the same key the last one counts. */
  readonly set?: readonly string[] | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const SYSTEM_FILE = '/etc/wok/relay.conf';

/**
 * Returns the path of the one file that a configuration is read from: `file` if given, else
 * $WOK_CONFIG, else the first that exists of ./relay.local.conf, ./relay.conf and
 * /etc/wok/relay.conf; undefined if the defaults apply. Git ignores relay.local.conf, so that a
 * change in a clone stays out of the repository.
 */
export function findConfigFile(file: string | undefined, env: Environment, cwd: string) {
  const named = file ?? (env.WOK_CONFIG || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const local = ['relay.local.conf', 'relay.conf'].map((name) => resolve(cwd, name));
  return [...local, SYSTEM_FILE].find(isThere);
}

/**
 * Returns true if a file exists, or cannot be examined: skipping a file for lack of permission
 * would start a relay with wrong settings.
 */
function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}

/** Returns the findings of a TOML file. */
export function givenByFile(file: string): Findings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return [`${file}: ${readProblem(error as NodeJS.ErrnoException)}`];
  }
  try {
    const table = parseToml(text, { integersAsBigInt: 'asNeeded' });
    return givenByTable(file, table, tomlLines(text));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return [tomlProblem(file, text, error)];
  }
}

function readProblem({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file.';
  if (code === 'EISDIR') return 'this is a directory, not a file.';
  if (code === 'EACCES')
    return 'this user may not read the file. Run it with sudo, or name another file with --config.';
  return `the file cannot be read (${message}).`;
}

function tomlProblem(file: string, text: string, { line, column, message }: TomlError): string {
  const reason = message.split('\n')[0]!.replace('Invalid TOML document: ', '');
  const source = text
    .split('\n')
    [line - 1]!.trim()
    .replace(/nsec1\w+/gi, 'nsec1…');
  // Missing quotes are by far the most frequent mistake.
  const hint = /invalid value|numeric|date/.test(reason) ? ' Text must be in double quotes.' : '';
  return `${file} line ${line}, column ${column}: this is not TOML: ${reason}.${hint} The line is: ${source}`;
}

function givenByTable(
  file: string,
  table: Readonly<Record<string, unknown>>,
  lines: ReadonlyMap<string, number>,
): Findings {
  const found: Findings = [];
  const at = (path: string, parent = path) => {
    const line = lines.get(path) ?? lines.get(parent);
    return line === undefined ? file : `${file} line ${line}`;
  };
  for (const [section, content] of Object.entries(table)) {
    if (section === PEERS) found.push(givenPeers(content, at));
    else if (!isTable(content)) {
      found.push(`${at(section)}: ${strayKey(section)}`);
    } else if (!Object.hasOwn(sections, section)) {
      found.push(`${at(section)}: there is no section [${section}]. ${suggestSection(section)}`);
    } else {
      for (const [name, value] of Object.entries(content)) {
        const key = `${section}.${name}`;
        const where = at(key, section);
        if (isOptionKey(key)) found.push({ key, value, isText: false, where });
        else found.push(`${where}: ${unknownOption(key)}`);
      }
    }
  }
  return found;
}

/** Name of the list of peers in a file; with `--set` and in the environment it is JSON. */
export const PEERS = 'peers';
const PEERS_VARIABLE = 'WOK_PEERS';

function givenPeers(
  content: unknown,
  at: (path: string, parent?: string) => string,
): GivenPeers | string {
  if (!Array.isArray(content)) {
    return `${at(PEERS)}: peers is a list. Write [[peers]], with two brackets, for each entry.`;
  }
  const peers = content.map((value: unknown, index) => {
    const path = `${PEERS}[${index}]`;
    const where = (field?: string) => at(field === undefined ? path : `${path}.${field}`, path);
    return { value, where };
  });
  return { peers };
}

/** Returns the peers of a text of the environment or the command line. */
function peersOfText(text: string, where: string): GivenPeers | string {
  const example = '[{"urls":["wss://relay.example.com"]}]';
  let list: unknown;
  try {
    list = JSON.parse(text === '' ? '[]' : text);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list)) return `${where}: peers must be a list as JSON, like ${example}.`;
  return { peers: list.map((value: unknown) => ({ value, where: () => where })) };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
}

/** Returns the environment variable of an option: WOK_IO__PORT for `io.port`. */
export function environmentName(key: OptionKey): string {
  const [section, name] = splitKey(key);
  return `WOK_${section.toUpperCase()}__${name.toUpperCase()}`;
}

/**
 * Returns the findings of the environment. Variables WOK_SECTION__KEY are options. An option name
 * with a single underscore is a problem, unless its value begins with tcp:// or udp://. WOK_CONFIG,
 * WOK_CONSTANTS, WOK_TEST_* and all other variables without a double underscore are ignored,
 * because container platforms set variables like WOK_PORT for a service of that name.
 */
export function givenByEnvironment(env: Environment): Findings {
  const found: Findings = [];
  const keys = new Map(optionKeys.map((key) => [environmentName(key), key]));
  const slips = new Map([...keys.keys()].map((name) => [name.replace('__', '_'), name]));
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || !variable.startsWith('WOK_')) continue;
    if (variable.startsWith('WOK_TEST_')) continue;
    if (variable === PEERS_VARIABLE) {
      found.push(peersOfText(value, variable));
      continue;
    }
    const key = keys.get(variable);
    const slip = slips.get(variable);
    if (key !== undefined) {
      found.push({ key, value, isText: true, where: variable });
    } else if (variable.includes('__')) {
      found.push(`${variable}: ${unknownVariable(variable)}`);
    } else if (slip !== undefined && !/^(tcp|udp):\/\//.test(value)) {
      found.push(`${variable}: section and name are separated by two underscores. Write ${slip}.`);
    }
  }
  return found;
}

function unknownVariable(variable: string): string {
  const key = variable.slice('WOK_'.length).toLowerCase().replace('__', '.');
  const meant = suggestKey(key);
  if (meant === undefined) return unknownOption(key);
  return `there is no option ${key}. Did you mean ${environmentName(meant)}?`;
}

/** Environment variable with values of constants, for tests. */
const CONSTANTS_VARIABLE = 'WOK_CONSTANTS';

/**
 * Returns the findings of WOK_CONSTANTS, a JSON object like `{"writer.queue_events_max": 16}`. It
 * is the one way to another value of a constant, and for tests only.
 */
export function givenByConstants(env: Environment): Findings {
  const text = env[CONSTANTS_VARIABLE];
  if (text === undefined || text === '') return [];
  const where = CONSTANTS_VARIABLE;
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch {
    table = undefined;
  }
  if (typeof table !== 'object' || table === null || Array.isArray(table)) {
    return [`${where} must be a JSON object, like {"writer.queue_events_max": 16}.`];
  }
  return Object.entries(table).map(([key, value]) => {
    if (isConstantKey(key)) return { key, value, isText: false, where };
    if (isOptionKey(key)) return `${where}: ${key} is an option. Set it like any other one.`;
    const meant = nearest(key, constantKeys);
    const advice = meant === undefined ? '' : ` Did you mean ${meant}?`;
    return `${where}: there is no constant ${key}.${advice}`;
  });
}

/** Returns the findings of the command line, the stronger flags last. */
export function givenByFlags(flags: ConfigFlags): Findings {
  const found: Findings = [];
  for (const assignment of flags.set ?? []) {
    const equals = assignment.indexOf('=');
    const key = assignment.slice(0, equals < 0 ? undefined : equals).trim();
    const where = `--set ${key}`;
    if (key === PEERS && equals >= 0) found.push(peersOfText(assignment.slice(equals + 1), where));
    else if (!isOptionKey(key)) found.push(`${where}: ${unknownOption(key)}`);
    else if (equals < 0) found.push(`${where}: the value is missing. Write --set ${key}=VALUE.`);
    else found.push({ key, value: assignment.slice(equals + 1), isText: true, where });
  }
  if (flags.port !== undefined) {
    found.push({ key: 'io.port', value: String(flags.port), isText: true, where: '--port' });
  }
  if (flags.data !== undefined) {
    found.push({ key: 'storage.directory', value: flags.data, isText: true, where: '--data' });
  }
  return found;
}
