// Every option of the data path that applies live: its effect before and after a reload, against an
// in-process relay over real sockets. storage.synchronous runs in a process of its own, where a
// library counts the syncs.

import { execFileSync, spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { optionKeys, optionOf } from '../../src/config/options.ts';
import { Author } from '../support/author.ts';
import { Client, type Message } from '../support/client.ts';
import { http } from '../support/http.ts';
import { BOUND_BASE, boundCases, prepareBounds } from '../support/live-bounds.ts';
import { until, WokProcess } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';

const author = new Author();
const now = () => Math.floor(Date.now() / 1000);
const BASE: Settings = {
  'io.connections_per_ip_max': 0,
  'limits.created_at_past_seconds_max': 0,
  // Longer than any test waits: events are indexed only because of a setting of a test.
  'storage.index_delay_milliseconds': 600_000,
  'storage.index_batch_events': 1_000_000,
};

let relay: TestRelay;
let client: Client;
beforeAll(async () => {
  relay = await startRelay(BASE);
});
afterAll(() => relay.stop());

/** Reloads the relay with the defaults and these settings; resolves when they are in force. */
async function change(settings: Settings): Promise<void> {
  const config = testConfig(relay.directory, { ...BASE, ...settings });
  await relay.relay.reload(config);
}
beforeEach(async () => {
  await change({});
  client = await Client.connect(relay.url);
  return () => client.socket.terminate();
});

const information = async () =>
  JSON.parse((await http(relay.httpUrl, { accept: 'application/nostr+json' })).body);
const told = async (field: string) => (await information())[field];
const limitation = async (field: string) => (await information()).limitation[field];
const publish = async (event: object): Promise<string> =>
  String((await client.publish(author.event(event)))[3]);
const refusedReq = async (...filters: unknown[]): Promise<string> => {
  client.send(['REQ', 'r', ...filters]);
  const answer: Message = await client.next(([verb]) => verb === 'CLOSED' || verb === 'EOSE');
  return answer[0] === 'CLOSED' ? String(answer[2]) : '';
};

/**
 * Value of an option, probe, its result before and after the reload, and other settings that the
 * value needs.
 */
type Case = [
  value: Settings[string],
  look: () => Promise<unknown>,
  before: unknown,
  after: unknown,
  with_?: Settings,
];

const ago = (seconds: number) => () =>
  publish({ created_at: now() - seconds, content: String(Math.random()) }).then(
    (why) => why.split(':')[0],
  );
const text = 'https://other.example/';

const noted = new Author();
let notes: Promise<unknown> | null = null;

/** Returns the answer to a NEG-OPEN for 150 notes; by default one that lists nothing. */
async function compared(message = '6100000200'): Promise<Message> {
  notes ??= Promise.all(Array.from({ length: 150 }, () => client.publish(noted.event())));
  await notes;
  client.send(['NEG-OPEN', 'n', { authors: [noted.pubkey] }, message]);
  return client.next(([verb]) => verb.startsWith('NEG-'));
}

/** Opens empty sessions on a connection; returns the type of the last answer. */
async function sessions(count: number, by = client): Promise<string> {
  const filter = { ids: ['0'.repeat(64)] };
  for (let n = 0; n < count; n++) by.send(['NEG-OPEN', `s${n}`, filter, '61']);
  const [verb] = await by.next(([, id]) => id === `s${count - 1}`);
  by.inbox.length = 0;
  return verb;
}

const cases: Readonly<Record<string, Case>> = {
  'info.name': ['other', () => told('name'), 'wok relay', 'other'],
  'info.description': ['other', () => told('description'), undefined, 'other'],
  'info.pubkey': [author.pubkey, () => told('pubkey'), undefined, author.pubkey],
  'info.contact': [text, () => told('contact'), undefined, text],
  'info.icon': [text, () => told('icon'), undefined, text],
  'info.banner': [text, () => told('banner'), undefined, text],
  'info.privacy_policy': [text, () => told('privacy_policy'), undefined, text],
  'info.terms_of_service': [text, () => told('terms_of_service'), undefined, text],
  'io.connections_max': [1, connecting(), 'open', 'HTTP 503'],
  'io.connections_per_ip_max': [1, connecting(), 'open', 'HTTP 429'],
  'io.connections_per_subnet_max': [1, connecting(), 'open', 'HTTP 429'],
  'io.allowed_origins': [
    ['https://a.example'],
    connecting({ origin: 'https://b.example' }),
    'open',
    'HTTP 403',
  ],
  'io.trusted_proxies': [
    ['10.0.0.1'],
    async () => [await connecting({ headers: { 'X-Forwarded-For': '9.9.9.9' } })()][0],
    'open',
    'HTTP 429',
    { 'io.connections_per_ip_max': 1 },
  ],
  'limits.event_bytes_max': [
    2048,
    () => publish({ content: 'x'.repeat(3000) }).then((why) => why.split(':')[0]),
    '',
    'invalid',
  ],
  'limits.tags_max': [1, () => publish({ tags: [['a'], ['b']] }).then(beginning), '', 'invalid'],
  'limits.filters_max': [
    1,
    () => refusedReq({ ids: [] }, { ids: [] }).then(beginning),
    '',
    'error',
  ],
  'limits.subscriptions_max': [
    1,
    async () => {
      await client.req('one', { ids: [] });
      return (await client.req('two', { ids: [] })).end[0];
    },
    'EOSE',
    'CLOSED',
  ],
  'limits.subscription_bytes_max': [
    1024 * 1024,
    async () => {
      const authors = Array.from({ length: 1900 }, (_, n) => n.toString(16).padStart(64, '0'));
      const ends: unknown[] = [];
      // 198,600 bytes each; one address holds at most half of the total.
      for (let n = 0; n < 5; n++) ends.push((await client.req(`large ${n}`, { authors })).end[0]);
      for (let n = 0; n < 5; n++) client.send(['CLOSE', `large ${n}`]);
      return ends.at(-1);
    },
    'EOSE',
    'CLOSED',
  ],
  'limits.limit_max': [2, () => count(100), 'many', 2, { 'limits.limit_default': 1 }],
  'limits.limit_default': [2, () => count(), 'many', 2],
  'limits.created_at_past_seconds_max': [100, ago(1000), '', 'invalid'],
  'limits.created_at_future_seconds_max': [10, ago(-300), '', 'invalid'],
  'negentropy.items_max': [1, () => compared().then(([verb]) => verb), 'NEG-MSG', 'NEG-ERR'],
  'negentropy.frame_bytes_max': [
    4096,
    () => compared().then(([, , message]) => String(message).length > 2 * 4096),
    true,
    false,
  ],
  'negentropy.ranges_max': [
    16,
    () => compared(`61${'010000'.repeat(17)}`).then(([verb]) => verb),
    'NEG-MSG',
    'NEG-ERR',
  ],
  'negentropy.sessions_max': [1, () => sessions(2), 'NEG-MSG', 'NEG-ERR'],
  'negentropy.memory_bytes_max': [
    1024 * 1024,
    // 2 kB each; one address holds at most half of the total.
    async () => {
      const clients = await Promise.all(Array.from({ length: 7 }, () => Client.connect(relay.url)));
      const ends = await Promise.all(clients.map((one) => sessions(45, one)));
      for (const { socket } of clients) socket.terminate();
      return ends.includes('NEG-ERR');
    },
    false,
    true,
  ],
  'query.eose_hints': [
    'all',
    async () => (await client.req('h', { kinds: [1], ids: [] })).end[2] ?? 'none',
    'none',
    ['finish'],
  ],
  'io.client_address_header': [
    'x-real-ip',
    connecting({ headers: { 'X-Real-IP': '9.9.9.9' } }),
    'HTTP 429',
    'open',
    { 'io.connections_per_ip_max': 1 },
  ],
  'limits.content_length_by_kind': [
    ['1=5'],
    () => publish({ content: '1234567' }).then(beginning),
    '',
    'invalid',
  ],
};

function beginning(why: string): string {
  return why.split(':')[0]!;
}

/** Returns a probe that opens another connection and returns `open`, or the error. */
function connecting(options: { origin?: string; headers?: Record<string, string> } = {}) {
  return async (): Promise<string> => {
    try {
      const other = await Client.connect(relay.url, options);
      other.socket.terminate();
      return 'open';
    } catch (error) {
      return (error as Error).message;
    }
  };
}

const START = now();
let made = 0;

/** Publishes an event in a second of its own: the second in which a limit cuts comes whole. */
async function publishOlder(): Promise<void> {
  await publish({ content: String(Math.random()), created_at: START - 3_600 - made++ });
}

async function count(limit?: number): Promise<number | 'many'> {
  const filter = { kinds: [1], until: START - 3_600, ...(limit && { limit }) };
  const { length } = (await client.query(filter)).events;
  return length > 2 ? 'many' : length;
}

/** Options that matter at the time of connecting: their other settings are in force before, too. */
const AT_CONNECTING = /^io\.(connections|trusted|client)/;

describe('a reload is seen at once', () => {
  it.each(Object.keys(cases))('%s', async (key) => {
    for (let i = 0; i < 3; i++) await publishOlder();
    const [value, look, before, after, needs = {}] = cases[key]!;
    const beside = Object.fromEntries(Object.entries(needs).filter(([name]) => name !== key));
    await change(AT_CONNECTING.test(key) ? beside : {});
    expect(await look()).toEqual(before);
    await change({ ...beside, [key]: value });
    client.socket.terminate();
    if (AT_CONNECTING.test(key))
      await until(() => relay.relay.counters.connections === 0, 'all connections to end');
    else client = await Client.connect(relay.url);
    if (AT_CONNECTING.test(key)) client = await Client.connect(relay.url);
    // Messages that are sent together do not always reach the relay together.
    await expect.poll(look).toEqual(after);
  });

  it('is looked at for every such option', () => {
    const sections = /^(info|io|limits|negentropy|storage)\.|^query\.eose/;
    const live = optionKeys.filter((key) => optionOf(key).reload && sections.test(key));
    // Reloaded below, and in sync/filter-trees.
    const elsewhere = ['storage.synchronous', 'negentropy.filters'];
    const covered = new Set([...Object.keys(cases), ...Object.keys(boundCases), ...elsewhere]);
    expect(live.filter((key) => !covered.has(key))).toEqual([]);
    expect([...covered].filter((key) => !(live as string[]).includes(key))).toEqual([]);
  });

  it('limitation follows', async () => {
    await change({ 'limits.tags_max': 7 });
    expect(await limitation('max_event_tags')).toBe(7);
  });
});

describe('a bound or a pace is seen after a reload', () => {
  let relay: TestRelay;
  const settings = (more: Settings) =>
    relay.relay.reload(testConfig(relay.directory, { ...BOUND_BASE, ...more }));
  beforeAll(async () => {
    relay = await startRelay(BOUND_BASE);
    await prepareBounds(relay);
    return () => relay.stop();
  });

  it.each(Object.keys(boundCases))('%s', async (key) => {
    const { value, beside = {}, look, before, after } = boundCases[key]!;
    await settings(beside);
    await expect.poll(() => look(relay)).toEqual(before);
    await settings({ ...beside, [key]: value });
    await expect.poll(() => look(relay)).toEqual(after);
  });
});

/**
 * Source of a library that counts, in a file, how often the write-ahead log is forced to the disk.
 */
const SYNC_COUNTER = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void count(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 4 || memcmp(path + length - 4, "-wal", 4) != 0) return;
  int log = open(getenv("SYNC_COUNT"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log < 0 || write(log, "s", 1) != 1) abort();
  close(log);
}
int fsync(int fd) {
  count(fd);
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fdatasync(int fd) {
  count(fd);
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
`;

describe.skipIf(spawnSync('cc', ['--version']).error)('storage.synchronous', () => {
  it('forces every commit to the disk, or none of them, from the reload on', async () => {
    const directory = freshDirectory();
    const [library, log, config] = ['counter.so', 'count', 'relay.conf'].map((name) =>
      join(directory, name),
    ) as [string, string, string];
    const compile = ['-shared', '-fPIC', '-x', 'c', '-', '-o', library, '-ldl'];
    execFileSync('cc', compile, { input: SYNC_COUNTER });
    writeFileSync(config, '[storage]\nsynchronous = "full"\n');
    writeFileSync(log, '');
    const env = { LD_PRELOAD: library, SYNC_COUNT: log };
    const wok = WokProcess.spawn({}, join(directory, 'data'), [], ['--config', config], env);
    await wok.listening();
    const client = await Client.connect(wok.url);
    const syncs = async () => {
      const before = statSync(log).size;
      for (let i = 0; i < 20; i++) expect((await client.publish(author.event()))[2]).toBe(true);
      return statSync(log).size - before;
    };
    expect(await syncs()).toBeGreaterThanOrEqual(20);
    for (const [value, least, most] of [
      ['normal', 0, 3],
      ['full', 20, 100],
    ] as const) {
      const reloads = wok.out.split('was read again').length;
      writeFileSync(config, `[storage]\nsynchronous = "${value}"\n`);
      wok.signal('SIGHUP');
      await until(() => wok.out.split('was read again').length > reloads, 'the reload');
      const seen = await syncs();
      expect(seen).toBeGreaterThanOrEqual(least);
      expect(seen).toBeLessThanOrEqual(most);
    }
    await client.close();
  });
});
