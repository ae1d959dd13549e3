// Policy modules: every hook, their failures, the two examples of the documentation, and the
// exported types. In-process relay over real sockets.

import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/paths.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { inTime } from '../support/pace.ts';
import { plugins, script } from '../support/plugins.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory, type Settings, startRelay } from '../support/relay.ts';
import { useRelay } from '../support/use-relay.ts';

/** More than any module of the tests needs for an answer, on any machine. */
const PATIENCE_MILLISECONDS = 60_000;
const NOT_WORKING = 'error: a policy module of this relay failed; try again later';

function modules(...files: string[]): Settings {
  const paths = files.map((file) => join(packageRoot, file));
  return {
    'policy.modules': JSON.stringify(paths),
    'policy.modules_timeout_milliseconds': PATIENCE_MILLISECONDS,
  };
}

const TROUBLE = 'test/fixtures/modules/trouble.mjs';

describe('acceptEvent', () => {
  const use = useRelay({ ...modules(TROUBLE), 'plugins.breaker_failures': 1000 });
  const hurried = useRelay({
    ...modules(TROUBLE),
    'policy.modules_timeout_milliseconds': 100,
    'plugins.breaker_failures': 1000,
  });
  const author = new Author();

  it.each([
    ['good', true, ''],
    ['refuse', false, 'pow: not enough'],
    ['bare', false, 'blocked: without a word in front'],
    ['shadow', true, 'thank you'],
    ['later 20', true, ''],
    ['throw', false, NOT_WORKING],
    ['reject', false, NOT_WORKING],
    ['nothing', false, NOT_WORKING],
    ['false', false, NOT_WORKING],
    ['change', false, NOT_WORKING],
  ])('that does %j', async (content, accepted, message) => {
    const event = author.event({ content });
    expect(await use.client.publish(event)).toEqual(['OK', event.id, accepted, message]);
    const stored = accepted && content !== 'shadow' ? [event] : [];
    expect((await use.client.query({ ids: [event.id] })).events).toEqual(stored);
  });

  it.each(['never', 'block'])('that takes longer than it may: %j', async (content) => {
    const event = author.event({ content });
    expect(await hurried.client.publish(event)).toEqual(['OK', event.id, false, NOT_WORKING]);
    expect((await hurried.client.query({ ids: [event.id] })).events).toEqual([]);
  });

  it('keeps the order of a connection, whatever takes how long', async () => {
    const events = ['later 60', 'later 10', 'good', 'later 30', 'good'].map((content, i) =>
      author.event({ kind: 10_000, content, created_at: now() - 10 + i }),
    );
    for (const event of events) use.client.send(['EVENT', event]);
    for (const event of events) expect((await use.client.ok(event.id))[2]).toBe(true);
  });
});

describe('a module that fails', () => {
  const author = new Author();

  it('may let through, is logged, and is left alone for a while after failing in a row', () =>
    inTime(async (scale, within) => {
      const relay = await startRelay({
        ...modules(TROUBLE),
        'plugins.fail': 'open',
        'plugins.breaker_failures': 3,
        'plugins.breaker_seconds': scale,
      });
      const client = await Client.connect(relay.url);
      onTestFinished(async () => {
        client.socket.terminate();
        await relay.stop();
      });
      const done = within(scale * 1000);
      for (let i = 0; i < 3; i++) {
        expect((await client.publish(author.event({ content: `throw ${i}` })))[2]).toBe(true);
      }
      expect(relay.logged.join()).toContain('thrown on purpose');
      expect(relay.logged.join()).toContain('circuit breaker is open');
      // An event that the module would refuse passes.
      expect((await client.publish(author.event({ content: 'bare 1' })))[2]).toBe(true);
      done();
      await until(
        async () => !(await client.publish(author.event({ content: `bare` })))[2],
        'the module to be asked again',
      );
    }));
});

describe('a module that does not come back', () => {
  const innocent = "export const acceptEvent = (event) => event.content !== 'no' || 'blocked: no';";

  async function started(more: Settings) {
    const directory = freshDirectory();
    const file = join(directory, 'innocent.mjs');
    writeFileSync(file, innocent);
    const both = [join(packageRoot, TROUBLE), file];
    const relay = await startRelay(
      {
        'policy.modules': JSON.stringify(both),
        'policy.modules_stuck_seconds': 3,
        'policy.modules_timeout_milliseconds': PATIENCE_MILLISECONDS,
        'ingester.workers': 2,
        'query.workers': 2,
        ...more,
      },
      directory,
    );
    const author = new Author();
    const publish = async (content: string) => {
      const client = await Client.connect(relay.url);
      const [, , accepted, why] = await client.publish(author.event({ content }));
      client.socket.terminate();
      return accepted === true ? '' : why;
    };
    const healthy = async () => (await http(`${relay.httpUrl}/health`)).status === 200;
    return { relay, author, publish, healthy };
  }

  it.each([
    ['closed', NOT_WORKING],
    ['open', ''],
  ])('is switched off, its worker starts again, and others work on (%s)', async (fail, answer) => {
    const { relay, author, publish, healthy } = await started({ 'plugins.fail': fail });
    // A module that blocks for less than modules_stuck_seconds is left alone.
    expect(await publish('block 1')).toBe('');
    const [stuck, other] = [await Client.connect(relay.url), await Client.connect(relay.url)];
    stuck.send(['EVENT', author.event({ content: 'forever' })]);
    expect(await stuck.ended()).toMatchObject({ code: 1012 });
    await until(healthy, 'being well again');
    const said = relay.logged.filter((line) => line.includes('does not return'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('"module":"trouble.mjs"');
    // In the restarted worker and in the other one: connections take turns.
    const words = ['fine 1', 'fine 2', 'fine 3', 'fine 4', 'forever'];
    for (const word of words) expect(await publish(word)).toBe(answer);
    // The next module is asked where the first one lets through.
    expect(await publish('no')).toBe(answer || 'blocked: no');
    expect(relay.logged.filter((line) => line.includes('a worker exited')).length).toBeLessThan(4);
    expect((await other.query({ kinds: [1] })).end[0]).toBe('EOSE');
    await relay.stop();
  });

  it('is left in its loop with policy.modules_stuck_seconds = 0, and /health tells', async () => {
    const { relay, author, healthy } = await started({ 'policy.modules_stuck_seconds': 0 });
    const client = await Client.connect(relay.url);
    client.send(['EVENT', author.event({ content: 'forever' })]);
    await until(async () => !(await healthy()), 'being unwell');
    expect(client.closed).toBe(null);
    expect(relay.logged.join()).not.toContain('does not return');
    client.socket.terminate();
    await relay.relay.kill('ingester', 0);
    await relay.relay.kill('ingester', 1);
    await until(healthy, 'being well again');
    await relay.stop();
  });
});

describe('modules and plugins', () => {
  const use = useRelay({ ...modules(TROUBLE), ...plugins(script('whitelist.py')) });
  const author = new Author();

  it.each([
    ['later 10 refuse', 'blocked: python says no'],
    ['good refuse', 'blocked: python says no'],
    ['bare refuse', 'blocked: without a word in front'],
  ])('are asked in this order: %j', async (content, message) => {
    expect((await use.client.publish(author.event({ content })))[3]).toBe(message);
  });

  it('get an event whole, however long the first waits', async () => {
    const events = Array.from({ length: 30 }, (_, i) =>
      author.event({ content: `later ${30 - i} ${'x'.repeat(i * 20)}`, tags: [['i', String(i)]] }),
    );
    for (const event of events) use.client.send(['EVENT', event]);
    for (const event of events)
      expect((await use.client.ok(event.id)).slice(2)).toEqual([true, '']);
    const { events: found } = await use.client.query({ ids: events.map(({ id }) => id) });
    expect(new Set(found.map(({ content }) => content))).toEqual(
      new Set(events.map(({ content }) => content)),
    );
  });
});

describe('acceptConnection and acceptFilter', () => {
  const use = useRelay(modules('test/fixtures/modules/doorman.mjs'));
  const from = (ip: string) =>
    Client.connect(use.relay.url, { headers: { 'X-Forwarded-For': ip } });

  it('keep what is sent meanwhile, and answer it afterwards', async () => {
    const client = await from('192.0.2.1');
    const event = new Author().event();
    client.send(['EVENT', event]);
    client.send(['COUNT', 'c', { kinds: [44] }]);
    client.send(['REQ', 'r', { kinds: [0] }]);
    // The three answers take different paths.
    const counted = client.next(([verb, id]) => verb === 'CLOSED' && id === 'c');
    expect(await counted).toEqual(['CLOSED', 'c', 'restricted: no COUNT of kind 44']);
    expect((await client.ok(event.id))[2]).toBe(true);
    expect((await client.stored('r')).end[0]).toBe('EOSE');
    await client.close();
  });

  it('close a connection that is refused, with the reason', async () => {
    const client = await from('192.0.2.5');
    const event = new Author().event();
    client.send(['EVENT', event]);
    const { code, reason } = await client.ended();
    expect(code).toBe(1008);
    expect(reason).toMatch(/^blocked: not you, x+$/);
    expect(client.inbox).toEqual([['NOTICE', `blocked: not you, ${'x'.repeat(200)}`]]);
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([]);
  });

  it('close a connection if the module fails, as plugins.fail says', async () => {
    const client = await from('192.0.2.6');
    expect((await client.ended()).reason).toBe(NOT_WORKING);
  });

  it('survive connections that end before the answer', async () => {
    for (let i = 0; i < 5; i++) {
      const client = await from('192.0.2.5');
      client.send(['REQ', 'r', {}]);
      client.socket.terminate();
    }
    expect((await use.client.query({ kinds: [0] })).end[0]).toBe('EOSE');
  });

  it('refuse and replace filters', async () => {
    const author = new Author();
    const note = author.event();
    const reaction = author.event({ kind: 7 });
    await use.client.publish(note);
    await use.client.publish(reaction);
    expect(
      (await use.client.query({ kinds: [1], authors: [author.pubkey] })).events,
    ).toContainEqual(reaction);
    expect((await use.client.req('x', { kinds: [44] })).end).toEqual([
      'CLOSED',
      'x',
      'restricted: no REQ of kind 44',
    ]);
    expect((await use.client.req('x', { kinds: [2] })).end[2]).toMatch(/^error: /);
  });
});

describe('the example first-steps.js', () => {
  const use = useRelay({ ...modules('docs/examples/first-steps.js'), 'ingester.workers': 1 });

  it('slows new keys down', async () => {
    const author = new Author();
    const link = await use.client.publish(author.event({ content: 'see https://example.com' }));
    expect(link[3]).toBe('blocked: no links in your first 60 seconds here');
    for (let i = 0; i < 3; i++) expect((await use.client.publish(author.event()))[2]).toBe(true);
    expect((await use.client.publish(author.event()))[3]).toMatch(
      /^rate-limited: 3 notes are enough to begin with; wait \d+ seconds$/,
    );
    expect((await use.client.publish(author.event({ kind: 7 })))[2]).toBe(true);
    expect((await use.client.publish(new Author().event()))[2]).toBe(true);
  });
});

describe('the example members.js', () => {
  const directory = freshDirectory();
  const member = new Author();
  const membersFile = join(directory, 'members.txt');
  mkdirSync(directory, { recursive: true });
  writeFileSync(membersFile, `${member.pubkey}\n`);
  writeFileSync(join(directory, 'unwelcome.txt'), '192.0.2.66\n');
  process.env.MEMBERS_FILE = membersFile;
  process.env.ADDRESSES_FILE = join(directory, 'unwelcome.txt');
  afterAll(() => {
    delete process.env.MEMBERS_FILE;
    delete process.env.ADDRESSES_FILE;
  });
  const use = useRelay(modules('docs/examples/members.js'));

  it('lets members write, others read what is public, and some not in', async () => {
    const profile = member.event({ kind: 0, content: '{}' });
    expect((await use.client.publish(profile))[2]).toBe(true);
    expect((await use.client.publish(member.event()))[2]).toBe(true);
    const other = new Author();
    expect((await use.client.publish(other.event()))[3]).toBe(
      'restricted: only members write here',
    );
    expect((await use.client.query({})).events).toEqual([profile]);
    expect((await use.client.query({ kinds: [0, 1] })).events).toEqual([profile]);
    expect((await use.client.req('x', { kinds: [1] })).end[2]).toBe(
      'auth-required: only members read this',
    );
    const unwelcome = await Client.connect(use.relay.url, {
      headers: { 'X-Forwarded-For': '192.0.2.66' },
    });
    expect((await unwelcome.ended()).code).toBe(1008);
    writeFileSync(membersFile, `${member.pubkey}\n${other.pubkey}\n`);
    utimesSync(membersFile, 1, 1);
    await until(async () => (await use.client.publish(other.event()))[2] === true, 'the file');
  });
});

describe('a module that cannot be loaded', () => {
  it.each([
    ['missing.mjs', undefined, 'there is no file'],
    ['empty.mjs', 'export const nothing = 1;', 'exports none of acceptEvent'],
    ['wrong.mjs', 'export const acceptEvent = true;', 'acceptEvent, which is not a function'],
    ['syntax.mjs', 'export const', 'cannot be loaded: SyntaxError'],
    [
      'start.mjs',
      'export function start() { throw new Error("no"); } export const acceptEvent = () => true;',
      'failed in start(): Error: no',
    ],
  ])('ends the start with a sentence: %s', async (name, text, sentence) => {
    const file = join(freshDirectory(), name);
    if (text !== undefined) writeFileSync(file, text);
    const wok = WokProcess.spawn({ 'policy.modules': file });
    expect((await wok.exited).code).toBe(78);
    expect(wok.err).toContain('policy.modules: ');
    expect(wok.err).toContain(sentence);
  });
});

describe('the types', () => {
  it('are exported as wok-relay/policy, and the examples fit them', () => {
    const directory = freshDirectory();
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(packageRoot, join(directory, 'node_modules/wok-relay'));
    const check = (file: string, text: string) => {
      writeFileSync(join(directory, file), text);
      const tsc = join(packageRoot, 'node_modules/.bin/tsc');
      const flags = [
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2023',
        '--types',
        '',
      ];
      try {
        execFileSync(tsc, [...flags, file], { cwd: directory, encoding: 'utf8' });
        return '';
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    const head = "import type { AcceptEvent, PolicyModule } from 'wok-relay/policy';\n";
    expect(
      check(
        'good.ts',
        `${head}export const acceptEvent: AcceptEvent = async (event, { ip }) => event.kind === 1 && ip !== '' || 'blocked: no';
export const all: PolicyModule = { acceptEvent, acceptFilter: () => ({ action: 'replace', filters: [{ kinds: [1], '#t': ['x'] }] }) };\n`,
      ),
    ).toBe('');
    expect(
      check(
        'bad.ts',
        `${head}export const acceptEvent: AcceptEvent = (event) => event.kind === 1;\n`,
      ),
    ).toMatch(/not assignable/);
  });
});
