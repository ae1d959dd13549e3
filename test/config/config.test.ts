// Unit tests of the configuration: the option table, its sources and their order, formats, the
// sentences about mistakes, relay.conf, the JSON Schema, and line numbers in TOML.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { nip19 } from 'nostr-tools';
import { parse as parseToml } from 'smol-toml';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { reconfigure } from '../../src/config/change.ts';
import { constantKeys } from '../../src/config/constants.ts';
import { firstOptions } from '../../src/config/first-options.ts';
import { ConfigError, type ConfigSources, loadConfig, originsOf } from '../../src/config/load.ts';
import type { Constant, Option, OptionValue } from '../../src/config/option-types.ts';
import {
  type Config,
  configValue,
  defaultConfig,
  type OptionKey,
  optionKeys,
  optionOf,
  sections,
  settingOf,
  splitKey,
} from '../../src/config/options.ts';
import { peerFields, peersIn } from '../../src/config/peer-fields.ts';
import { printConfig } from '../../src/config/print.ts';
import { configJsonSchema, configSchema, type JsonSchema } from '../../src/config/schema.ts';
import { environmentName, findConfigFile } from '../../src/config/sources.ts';
import { spamPoints } from '../../src/config/spam-points.ts';
import { tomlLines, tomlValue } from '../../src/config/toml-text.ts';
import { valueSchema } from '../../src/config/value-schema.ts';
import { editDistance, nearest } from '../../src/lib/nearest.ts';
import { packageRoot, schemaFile, version, workerUrl } from '../../src/paths.ts';
import { decodeNpub } from '../../src/protocol/nip19.ts';
import { freshDirectory } from '../support/relay.ts';

let directory: string;
beforeAll(() => {
  directory = freshDirectory();
});

/** File with the relay.conf that comes with wok: every option with its default. */
const sampleConfigFile = join(packageRoot, 'relay.conf');

let files = 0;
/** Writes a configuration file and returns its path. */
function write(text: string): string {
  files++;
  const file = join(directory, `case-${files}.conf`);
  writeFileSync(file, text);
  return file;
}

function load(sources: Partial<ConfigSources>): Config {
  return loadConfig({ env: {}, cwd: join(directory, 'nowhere'), ...sources });
}

function problems(sources: Partial<ConfigSources>): readonly string[] {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

/** Returns the one problem of a file, without the file's name. */
function fileProblem(text: string): string {
  const file = write(text);
  const found = problems({ file });
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(file);
  return found[0]!.slice(file.length).trim();
}

/** Returns a value that an option takes and that is not its default. */
function otherValue(key: OptionKey): OptionValue {
  const option: Option = optionOf(key);
  switch (option.type) {
    case 'integer':
      // Its default is the most that a related option allows.
      if (key === 'limits.event_bytes_max') return option.default - 1;
      return option.default === option.max ? option.max - 1 : option.default + 1;
    case 'boolean':
      return !option.default;
    case 'enum':
      return option.values.find((value) => value !== option.default)!;
    case 'string':
      return (
        {
          public_key: 'ab'.repeat(32),
          directory: '/other',
          host: '::1',
          websocket_path: '/ws',
          absolute_file: '/etc/wok/cert.pem',
          rate: '7/min burst 9',
          header: 'x-real-ip',
        }[option.format as string] ?? 'https://other.example/'
      );
    case 'string[]':
      return (
        {
          network: ['10.0.0.0/8', 'fd00::1'],
          relay_url: ['wss://other.example/path'],
          kinds: ['1', '20000-29999'],
          kind_numbers: ['1=10', 'replaceable=0'],
          file: ['/etc/wok/people.txt'],
          domain: ['relay.example'],
          tree_filter: ['{"kinds":[0]}', '{"#t":["a"]}'],
          kind_rates: ['0=10/h', '1059=none'],
          retention_age: ['7=30d', '1@members=10y'],
          retention_count: ['7=1000'],
          spam_points: ['link 7', 'new-key 0'],
          kind_bits: ['1=10', '20000-29999=8'],
          kind_tags: ['30023=title', 'addressable=d'],
          known_key: ['ab'.repeat(32)],
          pattern: ['(?i)free airdrop'],
          station_level: ['query=debug', 'io=silent'],
          tag_pattern: ['t=(?i)^nsfw$'],
        }[option.format as string] ?? ['https://other.example']
      );
  }
}

describe('the option table', () => {
  it.each(optionKeys)('%s has a sound row', (key) => {
    const option = optionOf(key);
    const [section, name] = splitKey(key);
    expect(Object.keys(sections)).toContain(section);
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(option.text).toMatch(/[.)]$/);
    expect(valueSchema(option).parse(option.default)).toEqual(option.default);
    expect(configValue(defaultConfig, key)).toEqual(option.default);
  });

  it('has a section for every option and an option for every section, in one order', () => {
    const used = new Set(optionKeys.map((key) => splitKey(key)[0]));
    expect([...used]).toEqual(Object.keys(sections));
  });

  it('types the configuration', () => {
    expectTypeOf<Config['io']['port']>().toEqualTypeOf<number>();
    expectTypeOf<Config['io']['ping']>().toEqualTypeOf<boolean>();
    expectTypeOf<Config['io']['allowed_origins']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<Config['storage']['synchronous']>().toEqualTypeOf<'full' | 'normal'>();
    expectTypeOf<Config['info']['name']>().toEqualTypeOf<string>();
  });

  it('gives a frozen configuration', () => {
    const config = load({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.io)).toBe(true);
    expect(Object.isFrozen(config.io.trusted_proxies)).toBe(true);
  });
});

describe('where values come from', () => {
  it('without any source they are the defaults, with the data directory below cwd', () => {
    const storage = { ...defaultConfig.storage, directory: '/srv/relay/data' };
    expect(load({ cwd: '/srv/relay' })).toEqual({ ...defaultConfig, storage });
  });

  it('a flag beats the environment, that beats the file, that beats the default', () => {
    const file = write('[io]\nport = 1001\nhost = "::1"\npath = "/two"\n');
    const env = { WOK_IO__PORT: '1002', WOK_IO__HOST: '0.0.0.0' };
    expect(load({ file }).io).toMatchObject({ port: 1001, host: '::1', path: '/two' });
    expect(load({ file, env }).io).toMatchObject({ port: 1002, host: '0.0.0.0', path: '/two' });
    const bySet = { set: ['io.port=1003'] };
    expect(load({ file, env, flags: bySet }).io).toMatchObject({ port: 1003, host: '0.0.0.0' });
    expect(load({ file, env, flags: { ...bySet, port: 1004 } }).io.port).toBe(1004);
    expect(load({ flags: { port: '0' } }).io.port).toBe(0);
  });

  it('of two --set for one option the last counts, and only the first = divides', () => {
    const flags = { set: ['info.name=one', 'info.name=a=b'] };
    expect(load({ flags }).info.name).toBe('a=b');
  });

  it('--data and relative paths start at cwd', () => {
    const at = (flags: ConfigSources['flags']) => load({ cwd: '/srv', flags }).storage.directory;
    expect(at({ data: 'here' })).toBe('/srv/here');
    expect(at({ data: '/var/lib/wok' })).toBe('/var/lib/wok');
    expect(at({ data: 'a', set: ['storage.directory=b'] })).toBe('/srv/a');
  });

  it.each(optionKeys)('the environment can set %s', (key) => {
    const value = otherValue(key);
    const text = typeof value === 'object' ? value.join(' , ') : String(value);
    const env: Record<string, string> = { [environmentName(key)]: text };
    // Some options may not exceed another one: that one is raised first.
    if (key === 'limits.limit_default') env.WOK_LIMITS__LIMIT_MAX = '2000';
    expect(configValue(load({ env }), key)).toEqual(value);
    expect(value).not.toEqual(optionOf(key).default);
  });

  it.each(optionKeys)('a file can set %s', (key) => {
    const [section, name] = splitKey(key);
    const file = write(`[${section}]\n${name} = ${tomlValue(otherValue(key))}\n`);
    expect(configValue(load({ file }), key)).toEqual(otherValue(key));
  });

  it('the environment may write booleans as 0 and 1 and numbers with underscores', () => {
    const env = {
      WOK_PAGES__HOME: '0',
      WOK_LIMITS__TAGS_MAX: '3_000',
      WOK_IO__TRUSTED_PROXIES: '',
    };
    const config = load({ env });
    expect(config.pages.home).toBe(false);
    expect(config.limits.tags_max).toBe(3000);
    expect(config.io.trusted_proxies).toEqual([]);
  });

  it('ignores variables of other programs', () => {
    const env = {
      WOK_TEST_DATA: '/x',
      WOK_TEST_A__B: 'x',
      WOK_PORT: 'tcp://10.0.0.1:80',
      WOK_IO_PORT: 'tcp://10.0.0.1:80',
      WOK_SERVICE_HOST: '10.0.0.1',
      OTHER__THING: 'x',
    };
    expect(load({ env })).toEqual(load({}));
  });
});

describe('the configuration file', () => {
  it('is $WOK_CONFIG before relay.conf in cwd, and --config before both', () => {
    const cwd = join(directory, 'lookup');
    mkdirSync(cwd);
    const env = { WOK_CONFIG: write('[io]\nport = 1\n') };
    expect(findConfigFile(undefined, {}, cwd)).not.toBe(join(cwd, 'relay.conf'));
    writeFileSync(join(cwd, 'relay.conf'), '[io]\nport = 2\n');
    expect(load({ cwd }).io.port).toBe(2);
    expect(load({ cwd, env: { WOK_CONFIG: '' } }).io.port).toBe(2);
    expect(load({ cwd, env }).io.port).toBe(1);
    writeFileSync(join(cwd, 'other.conf'), '[io]\nport = 3\n');
    expect(load({ cwd, env, file: 'other.conf' }).io.port).toBe(3);
  });

  it('is relay.local.conf before relay.conf, and no other file', () => {
    const cwd = join(directory, 'local');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'relay.conf'), '[io]\nport = 2\npath = "/two"\n');
    writeFileSync(join(cwd, 'relay.local.conf'), '[io]\nport = 4\n');
    const config = load({ cwd });
    expect(config.io).toMatchObject({ port: 4, path: defaultConfig.io.path });
    expect(originsOf(config).file).toBe(join(cwd, 'relay.local.conf'));
    const env = { WOK_CONFIG: 'relay.conf' };
    expect(load({ cwd, env }).io.port).toBe(2);
    expect(load({ cwd, env, file: 'relay.local.conf' }).io.port).toBe(4);
    writeFileSync(join(cwd, 'relay.local.conf'), '[io]\nprot = 4\n');
    expect(() => load({ cwd })).toThrow(/relay\.local\.conf line 2: there is no option io\.prot/);
  });

  it('is that of the last reload', () => {
    const cwd = join(directory, 'reload');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'relay.conf'), '');
    const before = load({ cwd });
    expect(originsOf(before).file).toBe(join(cwd, 'relay.conf'));
    writeFileSync(join(cwd, 'relay.local.conf'), '[limits]\nlimit_max = 900\n');
    const { config } = reconfigure(before, load({ cwd }));
    expect(originsOf(config).file).toBe(join(cwd, 'relay.local.conf'));
    expect(originsOf(config).options.get('limits.limit_max')).toMatch(/relay\.local\.conf line 2$/);
  });

  it('relay.local.conf is not tracked by git', () => {
    expect(readFileSync(join(packageRoot, '.gitignore'), 'utf8').split('\n')).toContain(
      'relay.local.conf',
    );
  });
});

describe('docs/policy.md', () => {
  const text = readFileSync(join(packageRoot, 'docs/policy.md'), 'utf8');
  const examples = [...text.matchAll(/^```toml\n(.*?)^```/gms)].map(([, toml]) => toml!);

  it('has examples that are valid', () => {
    expect(examples.length).toBeGreaterThanOrEqual(7);
    const npub = 'npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg';
    for (const example of examples) {
      const file = write(example.replaceAll('npub1…', npub));
      expect(() => load({ file })).not.toThrow();
    }
  });
});

const hex = '7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e';
const npub = 'npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg';

describe('formats', () => {
  it('a public key comes out as hex', () => {
    const pubkey = (text: string) => load({ env: { WOK_INFO__PUBKEY: text } }).info.pubkey;
    expect(pubkey(npub)).toBe(hex);
    expect(pubkey(npub.toUpperCase())).toBe(hex);
    expect(pubkey(hex.toUpperCase())).toBe(hex);
    expect(pubkey('')).toBe('');
  });

  it('decodes every npub that nostr-tools encodes, and none with one character changed', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(
        bytes,
        fc.nat(57),
        fc.constantFrom(...'qpzry9x8gf2tvdw0s3jn54khce6mua7l'),
        (key, at, char) => {
          const keyHex = Buffer.from(key).toString('hex');
          const text = nip19.npubEncode(keyHex);
          expect(decodeNpub(text)).toBe(keyHex);
          const place = at + 'npub1'.length;
          if (text[place] === char) return;
          expect(decodeNpub(text.slice(0, place) + char + text.slice(place + 1))).toBeUndefined();
        },
      ),
    );
  });

  it.each([
    ['mixed case', npub.replace('p', 'P')],
    ['another prefix', nip19.noteEncode(hex)],
    ['no data', 'npub1'],
    ['a foreign character', npub.replace('q', 'b')],
    ['a cut text', npub.slice(0, -1)],
  ])('refuses an npub with %s', (_, text) => {
    expect(decodeNpub(text)).toBeUndefined();
  });

  it.each<[OptionKey, string]>([
    ['info.pubkey', 'npub1xyz'],
    ['info.icon', 'relay.example/icon.png'],
    ['info.icon', 'https://'],
    ['io.host', ''],
    ['io.host', '127.0.0.1:7777'],
    ['io.host', '[::1]'],
    ['io.host', 'http://localhost'],
    ['io.host', '10.1'],
    ['io.path', 'ws'],
    ['io.path', '/*'],
    ['io.path', '/:room'],
    ['io.path', '/?x'],
    ['io.trusted_proxies', '10.0.0.0/33'],
    ['io.trusted_proxies', '10.0.0'],
    ['io.trusted_proxies', 'fd00::/129'],
    ['io.trusted_proxies', '10.0.0.0/8/8'],
    ['io.trusted_proxies', 'proxy.example'],
    ['io.allowed_origins', 'client.example'],
    ['io.allowed_origins', 'https://client.example/path'],
    ['storage.directory', ''],
  ])('%s refuses %j', (key, text) => {
    const [problem] = problems({ flags: { set: [`${key}=${text}`] } });
    expect(problem).toContain(`--set ${key}: ${key} `);
    expect(problem).toContain('but must be');
  });

  it('brings origins into the form that browsers send', () => {
    const config = load({ flags: { set: ['io.allowed_origins=HTTPS://Client.Example/'] } });
    expect(config.io.allowed_origins).toEqual(['https://client.example']);
  });

  it('never repeats a secret key', () => {
    const secret = nip19.nsecEncode(new Uint8Array(32).fill(7));
    for (const text of [`[info]\npubkey = "${secret}"`, `[info]\npubkey = ${secret}`]) {
      const problem = fileProblem(text);
      expect(problem).toContain('line 2');
      expect(problem).not.toContain(secret);
    }
  });
});

/** Mistakes in a file: what is wrong, the text, and part of the message. */
const FILE_PROBLEMS: [string, string, string][] = [
  [
    'peers that are a section',
    '[peers]\nurls = ["wss://relay.example"]',
    'line 1: peers is a list. Write [[peers]], with two brackets, for each entry.',
  ],
  [
    'a peer without an address',
    '\n[[peers]]\ndir = "up"',
    'line 2: peers[0] has no address. Write urls = ["wss://relay.example.com"] below it.',
  ],
  [
    'a wrong direction of the second peer',
    '[[peers]]\nurls = ["wss://a.example"]\n[[peers]]\nurls = ["wss://b.example"]\ndir = "downn"',
    'line 5: peers[1].dir is "downn", but must be one of "down", "up", "both". Did you mean "down"?',
  ],
  [
    'an unknown setting of a peer',
    '[[peers]]\nurl = "wss://a.example"\nurls = ["wss://a.example"]',
    'line 2: a peer has no setting url. Did you mean urls?',
  ],
  [
    'an address that is none',
    '[[peers]]\nurls = ["relay.example"]',
    'line 2: peers[0].urls contains "relay.example", but must be a list, each item an address that starts with wss:// or ws://.',
  ],
  [
    'a filter that is none',
    '[[peers]]\nurls = ["wss://a.example"]\nfilter = "{kinds:[1]}"',
    'line 3: peers[0].filter is "{kinds:[1]}", but must be a Nostr filter as JSON',
  ],
  [
    'two peers of one name',
    '[[peers]]\nurls = ["wss://a.example/1"]\n[[peers]]\nurls = ["wss://a.example/2"]',
    'line 3: two peers have the name "a.example". Write another name = "…" for one of them.',
  ],
  [
    'more filters than trees',
    `[negentropy]\nfilters = [${Array.from({ length: 17 }, (_, n) => `'{"kinds":[${n}]}'`).join(',')}]`,
    'but may have at most 16. Leave the others out',
  ],
  [
    'relay lists of no authors',
    '[[peers]]\nrelay_lists = 3',
    'line 2: peers[0].relay_lists needs dir = "down" and a filter with authors',
  ],
  [
    'kinds that fit into no REQ',
    '[[peers]]\nurls = ["wss://a.example"]\nkinds = ["0-9999"]',
    'line 3: peers[0].kinds names 10000 kinds, but at most 1000 fit into a REQ.',
  ],
  [
    'an unknown section',
    '\n[limit]\nx = 1',
    'line 2: there is no section [limit]. Did you mean [limits]?',
  ],
  [
    'a section like no other',
    '[xyzzy]',
    `line 1: there is no section [xyzzy]. The sections are: ${Object.keys(sections).join(', ')}.`,
  ],
  [
    'a misspelt key',
    '[io]\n\nprot = 1',
    'line 3: there is no option io.prot. Did you mean io.port?',
  ],
  [
    'a key with its words turned round',
    '[io]\nmax_connections = 1',
    'line 2: there is no option io.max_connections. Did you mean io.connections_max?',
  ],
  [
    'a key of another section',
    '[io]\ntags_max = 1',
    'line 2: there is no option io.tags_max. Did you mean limits.tags_max?',
  ],
  [
    'a key like no other',
    '[log]\nxyzzyxyzzyxyzzy = 1',
    'line 2: there is no option log.xyzzyxyzzyxyzzy. Below [log] there are: log.level, log.levels, log.format,',
  ],
  [
    'a key above all sections',
    'port = 1',
    'line 1: "port" is outside of a section. Did you mean io.port?',
  ],
  [
    'a section that is a value',
    'io = 5',
    'line 1: io is a section: write [io] on a line of its own and its options below it.',
  ],
  [
    'a section that is a list',
    '[[io]]\nport = 1',
    'line 1: io is a section: write [io] on a line of its own and its options below it.',
  ],
  ['a table below a section', '[io.tls]\ncert = 1', 'line 1: there is no option io.tls.'],
  [
    'a number in quotes',
    '[io]\nport = "7777"',
    'line 2: io.port is "7777", but must be a whole number from 1 to 65535, or 0 (any free port). Write port = 7777',
  ],
  ['a fraction', '[io]\nport = 1.5', 'line 2: io.port is 1.5, but must be a whole number'],
  [
    'a number out of range',
    '[io]\nport = 131072',
    'line 2: io.port is 131072, but must be a whole number from 1',
  ],
  [
    'a huge number',
    '[io]\nport = 99999999999999999999',
    'line 2: io.port is 99999999999999999999, but must',
  ],
  [
    'a negative number',
    '[limits]\ntags_max = -1',
    'line 2: limits.tags_max is -1, but must be a whole number from 1',
  ],
  [
    'zero where it means nothing',
    '[limits]\ntags_max = 0',
    'line 2: limits.tags_max is 0, but must be',
  ],
  [
    'a gap between zero and the least',
    '[io]\nidle_timeout_seconds = 7',
    'line 2: io.idle_timeout_seconds is 7, but must be a whole number from 8 to 960, or 0 (never).',
  ],
  [
    'a word for a boolean',
    '[pages]\nhome = "true"',
    'line 2: pages.home is "true", but must be true or false. Write home = true',
  ],
  [
    'an unknown word',
    '[storage]\nsynchronous = "ful"',
    'line 2: storage.synchronous is "ful", but must be one of "full", "normal". Did you mean "full"?',
  ],
  [
    'a number for text',
    '[info]\nname = 5',
    'line 2: info.name is 5, but must be a string in quotes. Write name = "5"',
  ],
  [
    'a date',
    '[info]\nname = 2026-01-01',
    'line 2: info.name is a date, but must be a string in quotes.',
  ],
  [
    'a list for text',
    '[info]\nname = ["a"]',
    'line 2: info.name is a list, but must be a string in quotes.',
  ],
  [
    'a table for text',
    '[info.name]\nx = 1',
    'line 1: info.name is a table, but must be a string in quotes.',
  ],
  [
    'text for a list',
    '[io]\ntrusted_proxies = "::1"',
    'line 2: io.trusted_proxies is "::1", but must be a list, each item an IP address or a network like 10.0.0.0/8 or fd00::/8. Write trusted_proxies = ["::1"]',
  ],
  [
    'a wrong item in a list',
    '[io]\ntrusted_proxies = [\n  "::1",\n  "nope",\n]',
    'line 2: io.trusted_proxies contains "nope", but must be a list',
  ],
  [
    'text without quotes',
    '[io]\nhost = localhost',
    'line 2, column 8: this is not TOML: invalid value. Text must be in double quotes. The line is: host = localhost',
  ],
  [
    'a key twice',
    '[io]\nport = 1\nport = 2',
    'line 3, column 1: this is not TOML: trying to redefine',
  ],
  ['an open string', '[io]\nhost = "', 'line 2, column 8: this is not TOML:'],
];

describe('messages about a wrong file: line, key and a correction', () => {
  it.each(FILE_PROBLEMS)('%s', (_, text, expected) => {
    expect(fileProblem(text)).toContain(expected);
  });

  it('a file that is missing or no file', () => {
    expect(problems({ file: '/nowhere/relay.conf' })).toEqual([
      '/nowhere/relay.conf: there is no such file.',
    ]);
    expect(problems({ env: { WOK_CONFIG: directory } })).toEqual([
      `${directory}: this is a directory, not a file.`,
    ]);
  });
});

describe('messages about wrong sources', () => {
  it.each<[string, string, string]>([
    ['WOK_IO__PROT', '1', 'WOK_IO__PROT: there is no option io.prot. Did you mean WOK_IO__PORT?'],
    ['WOK_io__port', '1', 'WOK_io__port: there is no option io.port. Did you mean WOK_IO__PORT?'],
    [
      'WOK_XYZZY__FOO_BAR_BAZ',
      '1',
      'WOK_XYZZY__FOO_BAR_BAZ: there is no option xyzzy.foo_bar_baz. The sections are: info,',
    ],
    [
      'WOK_STORAGE_DIRECTORY',
      '/data',
      'WOK_STORAGE_DIRECTORY: section and name are separated by two underscores. Write WOK_STORAGE__DIRECTORY.',
    ],
    ['WOK_IO__PORT', '', 'WOK_IO__PORT: io.port is "", but must be a whole number'],
    ['WOK_IO__PORT', '1e3', 'WOK_IO__PORT: io.port is "1e3", but must be a whole number'],
    ['WOK_PAGES__HOME', 'yes', 'WOK_PAGES__HOME: pages.home is "yes", but must be true or false.'],
    ['WOK_LOG__LEVEL', 'inof', 'Did you mean "info"?'],
  ])('the variable %s=%s', (name, value, expected) => {
    const found = problems({ env: { [name]: value } });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it.each<[string, string]>([
    ['io.prot=1', '--set io.prot: there is no option io.prot. Did you mean io.port?'],
    ['port=1', '--set port: there is no option port. Did you mean io.port?'],
    ['io.port', '--set io.port: the value is missing. Write --set io.port=VALUE.'],
    ['io.port=x', '--set io.port: io.port is "x", but must be a whole number'],
  ])('--set %s', (assignment, expected) => {
    const found = problems({ flags: { set: [assignment] } });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('--port out of range', () => {
    expect(problems({ flags: { port: 70_000 } })[0]).toContain(
      '--port: io.port is 70000, but must',
    );
  });

  it('all at once, in the order of the sources, also for values that a flag replaces', () => {
    const file = write('[io]\nport = "x"\nprot = 1\n[lgo]\n');
    const found = problems({
      file,
      env: { WOK_PAGES__HOME: '?' },
      flags: { port: 1, set: ['a=b'] },
    });
    expect(found.map((problem) => problem.replace(`${file} `, '').split(':', 1)[0])).toEqual([
      'line 2',
      'line 3',
      'line 4',
      'WOK_PAGES__HOME',
      '--set a',
    ]);
  });
});

describe('options that must fit together', () => {
  it.each<[string, string]>([
    [
      'limits.event_bytes_max=300000',
      'limits.event_bytes_max is 300000 (--set limits.event_bytes_max) but may be at most 262134, which is limits.message_bytes_max (262144, the default) less 10: an event is sent inside a message.',
    ],
    ['limits.limit_default=1001', 'limits.limit_default is 1001'],
  ])('--set %s', (assignment, expected) => {
    const found = problems({ flags: { set: [assignment] } });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('says nothing about a value that is wrong already', () => {
    const set = ['limits.message_bytes_max=4096', 'limits.event_bytes_max=x'];
    expect(problems({ flags: { set } })).toHaveLength(1);
  });
});

describe('constants', () => {
  const constants = (table: object) => ({ WOK_CONSTANTS: JSON.stringify(table) });

  it.each(constantKeys)('%s has a sound row', (key) => {
    const row: Constant = settingOf(key);
    expect(optionKeys).not.toContain(key);
    expect(valueSchema(row).parse(row.default)).toEqual(row.default);
    expect(configValue(defaultConfig, key)).toEqual(row.default);
  });

  it('are no options: not in a file, the environment or --set', () => {
    const unknown = 'there is no option query.slice_milliseconds.';
    const file = write('[query]\nslice_milliseconds = 9\n');
    expect(problems({ file })[0]).toContain(unknown);
    const set = ['query.slice_milliseconds=9'];
    expect(problems({ flags: { set } })[0]).toContain(unknown);
    const env = { WOK_QUERY__SLICE_MILLISECONDS: '9' };
    expect(problems({ env })[0]).toContain(unknown.slice(0, -1));
    expect(printConfig()).not.toContain('slice_milliseconds');
  });

  it('are overridden by WOK_CONSTANTS, which the origins name', () => {
    const config = load({ env: constants({ 'io.ping': false, 'query.queries_max': 7 }) });
    expect([config.io.ping, config.query.queries_max]).toEqual([false, 7]);
    expect(originsOf(config).constants).toEqual(['io.ping', 'query.queries_max']);
    expect(originsOf(load({})).constants).toEqual([]);
  });

  it.each<[string, string]>([
    ['{', 'WOK_CONSTANTS must be a JSON object, like {"writer.queue_events_max": 16}.'],
    ['[1]', 'WOK_CONSTANTS must be a JSON object'],
    ['{"io.pong": true}', 'WOK_CONSTANTS: there is no constant io.pong. Did you mean io.ping?'],
    ['{"io.port": 1}', 'WOK_CONSTANTS: io.port is an option. Set it like any other one.'],
    [
      '{"query.queries_max": 0}',
      'WOK_CONSTANTS: query.queries_max is 0, but must be a whole number',
    ],
    [
      '{"io.queue_bytes_max": 100000}',
      'limits.message_bytes_max is 262144 (the default) but may be at most 100000',
    ],
    ['{"io.outbound_bytes_max": 100000}', 'limits.message_bytes_max is 262144'],
    ['{"writer.queue_events_max": 999}', 'writer.batch_events_max is 1000 (a constant)'],
    ['{"monitor.replay_events_max": 999}', 'writer.batch_events_max is 1000'],
  ])('WOK_CONSTANTS=%s', (text, expected) => {
    const found = problems({ env: { WOK_CONSTANTS: text } });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('fit every value that an option may have', () => {
    const set = ['limits.message_bytes_max=16777216', 'limits.event_bytes_max=16777206'];
    expect(load({ flags: { set } }).limits.event_bytes_max).toBe(16_777_206);
    const small = load({ flags: { set: ['limits.event_bytes_max=1024'] } });
    expect(small.limits.content_length_max).toBe(624);
    expect(reconfigure(small, load({})).config.limits.content_length_max).toBe(128_000);
  });
});

describe('points of spam', () => {
  it('keep their default where a name is missing', () => {
    const config = load({ flags: { set: ['spam.points=link 7, new-key 0'] } });
    expect(spamPoints(config.spam.points)).toEqual({
      ...spamPoints([]),
      link: 7,
      'new-key': 0,
    });
    expect(spamPoints(defaultConfig.spam.points)).toEqual(spamPoints([]));
  });

  it.each(['lnk 20', 'link', 'link x', 'link -1', 'link 10001', 'constructor 1'])(
    'cannot be "%s"',
    (entry) => {
      const [found] = problems({ flags: { set: [`spam.points=${entry}`] } });
      expect(found).toContain(`spam.points contains "${entry}", but must be a list, each item`);
      expect(found).toContain('the names are duplicate, link, mention, hashtag, capitals, new-key');
    },
  );
});

describe('relay.conf', () => {
  it('names the ten options to set first at its top, and so does README.md', () => {
    const top = readFileSync(sampleConfigFile, 'utf8').split('[info]\n')[0]!;
    const named = [...top.matchAll(/^# {3}\[(\w+)\] (\w+) /gm)].map(([, a, b]) => `${a}.${b}`);
    expect(named).toHaveLength(10);
    expect(named).toEqual(optionKeys.filter((key) => key in firstOptions));
    const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
    const part = /\n## Set first\n(.*?)\n## /s.exec(readme)![1]!;
    const rows = [...part.matchAll(/^\| `(\w+\.\w+)` \|/gm)].map(([, key]) => key);
    expect(rows).toEqual(named);
  });

  it('is what `wok config print --defaults` prints (npm run conf)', () => {
    expect(readFileSync(sampleConfigFile, 'utf8')).toBe(printConfig());
  });

  it('gives the defaults when it is loaded', () => {
    expect(load({ file: sampleConfigFile })).toEqual(load({}));
  });

  it('keeps to 100 columns in its comments', () => {
    const long = printConfig()
      .split('\n')
      .filter((line) => line.length > 100);
    expect(long).toEqual([]);
  });

  it('says for each option whether it applies live', () => {
    const text = printConfig();
    const live = optionKeys.filter((key) => optionOf(key).reload).length;
    expect(text.match(/Applies\s+(#\s+)?live\./g) ?? []).toHaveLength(live);
    expect(text.match(/Needs\s+(#\s+)?a\s+(#\s+)?restart\./g)).toHaveLength(
      optionKeys.length - live,
    );
  });

  it('printed with peers, loads with the same ones, also from the environment', () => {
    const entries = [
      { urls: ['wss://a.example', 'wss://b.example/x'], name: 'two', kinds: ['1', '7-9'] },
      { urls: ['ws://[::1]:7777'], dir: 'both', filter: '{"#t":["a\\"b"]}', repair_seconds: 0 },
    ];
    const config = load({ env: { WOK_PEERS: JSON.stringify(entries) } });
    expect(config.peers).toMatchObject(entries);
    expect(peersIn(config.peers).map(({ name }) => name)).toEqual([
      'two wss://a.example',
      'two wss://b.example/x',
      '[::1]:7777',
    ]);
    expect(load({ file: write(printConfig(config)) }).peers).toEqual(config.peers);
    // A stronger source replaces the list; it does not add to it.
    const file = write(printConfig(config));
    expect(load({ file, flags: { set: ['peers=[]'] } }).peers).toEqual([]);
    expect(problems({ flags: { set: ['peers={}'] } })[0]).toContain('peers must be a list as JSON');
  });

  it('printed from any configuration, loads as that configuration', () => {
    const set = optionKeys
      .filter((key) => key !== 'limits.limit_default')
      .map((key) => `${key}=${[otherValue(key)].flat().join(',')}`);
    const name = 'tab\tquote"back\\slash\x7fdel é 🦜';
    const config = load({ flags: { set: [...set, `info.name=${name}`] } });
    expect(config.info.name).toBe(name);
    expect(load({ file: write(printConfig(config)) })).toEqual(config);
  });
});

describe('the JSON Schema', () => {
  const schema = configJsonSchema();

  it('has every option with its default and a description, and nothing else', () => {
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    expect(schema.additionalProperties).toBe(false);
    const found: string[] = [];
    const { peers, ...sectionParts } = schema.properties ?? {};
    expect(Object.keys(peers?.items?.properties ?? {})).toEqual(Object.keys(peerFields));
    for (const [section, part] of Object.entries(sectionParts)) {
      expect(part.additionalProperties).toBe(false);
      for (const [name, property] of Object.entries(part.properties ?? {})) {
        const key = `${section}.${name}` as OptionKey;
        found.push(key);
        expect(property.default).toEqual(optionOf(key).default);
        expect(property.description).toContain(optionOf(key).text);
      }
    }
    expect(found).toEqual(optionKeys);
  });

  it('accepts relay.conf and refuses what the configuration refuses', () => {
    const compiled = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    const accepts = (text: string) => {
      const value: unknown = JSON.parse(JSON.stringify(parseToml(text)));
      const answers = [compiled, configSchema].map((one) => one.safeParse(value).success);
      expect(answers[0]).toBe(answers[1]);
      return answers[0];
    };
    expect(accepts(readFileSync(sampleConfigFile, 'utf8'))).toBe(true);
    expect(accepts('')).toBe(true);
    expect(accepts('[io]\nidle_timeout_seconds = 0')).toBe(true);
    expect(accepts('[io]\nidle_timeout_seconds = 7')).toBe(false);
    expect(accepts('[io]\nport = "1"')).toBe(false);
    expect(accepts('[io]\nport = 131072')).toBe(false);
    expect(accepts('[io]\nprot = 1')).toBe(false);
    expect(accepts('[oi]')).toBe(false);
    expect(accepts('[log]\nlevel = "loud"')).toBe(false);
    expect(accepts('[io]\ntrusted_proxies = [1]')).toBe(false);
  });

  it('stays an object that an editor can read as JSON', () => {
    const copy = JSON.parse(JSON.stringify(schema)) as JsonSchema;
    expect(copy).toEqual(schema);
  });
});

describe('lines of a TOML text', () => {
  it('are found past comments, strings and values that span lines', () => {
    const text = [
      '\ufeff# [no]',
      'a = """',
      'b = 1 "" [x]',
      '[c]',
      '""" # "',
      '[ s . "t.u" ]',
      'list = [ # ]',
      '  \'x = 1\', "]",',
      ']\r',
      'inline = { x = 1, y = "\\"#" }',
      "lit = '''",
      "z = 1''''",
      '"q w" . e = 1',
      '[[many]]',
      'k = 1',
      '[[many]]',
      'k = 2',
    ].join('\n');
    expect(() => parseToml(text)).not.toThrow();
    expect(Object.fromEntries(tomlLines(text))).toEqual({
      a: 2,
      's.t.u': 6,
      's.t.u.list': 7,
      's.t.u.inline': 10,
      's.t.u.lit': 11,
      's.t.u.q w.e': 13,
      many: 14,
      'many[0]': 14,
      'many[0].k': 15,
      'many[1]': 16,
      'many[1].k': 17,
    });
  });

  it('are right for every option of relay.conf', () => {
    const text = readFileSync(sampleConfigFile, 'utf8');
    const lines = tomlLines(text);
    for (const key of optionKeys) {
      const line = lines.get(key);
      expect(text.split('\n')[line! - 1]).toMatch(new RegExp(`^${splitKey(key)[1]} = `));
    }
  });
});

describe('the nearest name', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['port', 'prot', 1],
    ['abcd', 'acbd', 1],
    ['ca', 'abc', 3],
  ])('%j to %j takes %i edits', (left, right, edits) => {
    expect(editDistance(left, right)).toBe(edits);
    expect(editDistance(right, left)).toBe(edits);
  });

  it('is found by letters, case, separators and turned words, and not at any price', () => {
    const names = ['connections_max', 'port', 'path', 'host'];
    expect(nearest('prot', names)).toBe('port');
    expect(nearest('PORT', names)).toBe('port');
    expect(nearest('connections-max', names)).toBe('connections_max');
    expect(nearest('maxConnections', names)).toBeUndefined();
    expect(nearest('max_connection', names)).toBe('connections_max');
    expect(nearest('xyzzy', names)).toBeUndefined();
    expect(nearest('port', [])).toBeUndefined();
  });
});

describe('paths', () => {
  it('lead to the files of the package', () => {
    const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'wok-relay', version });
    expect(dirname(schemaFile)).toBe(packageRoot);
    expect(workerUrl('writer').pathname).toBe(join(packageRoot, 'dist/workers/writer.js'));
  });
});
