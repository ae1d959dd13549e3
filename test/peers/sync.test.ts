// `wok sync`, run as a command, against real relays: what ends up on which side, with and without a
// running relay of one's own, and what is refused.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { freshDirectory, startRelay, type TestRelay } from '../support/relay.ts';
import { startScriptedRelay } from '../support/scripted-relay.ts';
import { wok, wokHere } from '../support/wok.ts';

const alice = new Author();
const bob = new Author();

function notes(count: number, author = alice, before = 0): NostrEvent[] {
  return Array.from({ length: count }, (_, n) =>
    author.event({ created_at: now() - before - n - 10 }),
  );
}

const jsonl = (events: readonly NostrEvent[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

async function stored(directory: string): Promise<string[]> {
  const { out, code } = await wokHere(['export', '--data', directory]);
  expect(code).toBe(exitCodes.ok);
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as NostrEvent).id)
    .sort();
}

const idsOf = (...lists: readonly (readonly NostrEvent[])[]) =>
  [...new Set(lists.flat().map(({ id }) => id))].sort();

async function directoryWith(events: readonly NostrEvent[]): Promise<string> {
  const directory = freshDirectory();
  await wok(['import', '--data', directory], jsonl(events));
  return directory;
}

async function relayWith(events: readonly NostrEvent[], settings = {}): Promise<TestRelay> {
  return startRelay(settings, await directoryWith(events));
}

describe('wok sync', () => {
  it('makes two sides equal, and finds nothing to do the second time', async () => {
    const common = notes(60);
    const [here, there] = [notes(25, alice, 500), notes(35, bob, 900)];
    const remote = await relayWith([...common, ...there]);
    const directory = await directoryWith([...common, ...here]);
    const first = await wokHere(['sync', remote.url, '--data', directory]);
    expect(first.err).toContain('85 events here match; 35 are missing here, 25 there');
    expect(first.err).toContain('down: 35 stored, 0 there already');
    expect(first.err).toContain('up: 25 stored, 0 there already');
    expect(first.code).toBe(exitCodes.ok);
    const second = await wokHere(['sync', remote.url, '--data', directory]);
    expect(second.err).toContain('0 are missing here, 0 there');
    await remote.stop();
    const all = idsOf(common, here, there);
    expect(await stored(directory)).toEqual(all);
    expect(await stored(remote.directory)).toEqual(all);
  });

  it('goes one way, or none, and prints the differences', async () => {
    const [here, there] = [notes(5), notes(7, bob)];
    const remote = await relayWith(there);
    const directory = await directoryWith(here);
    const data = ['--data', directory];
    const compared = await wokHere([
      'sync',
      remote.url,
      ...data,
      '--dir',
      'none',
      '--print-missing',
    ]);
    const lines = compared.out.split('\n').filter((line) => line !== '');
    expect(lines.toSorted()).toEqual(
      [...there.map(({ id }) => `NEED ${id}`), ...here.map(({ id }) => `HAVE ${id}`)].sort(),
    );
    await wokHere(['sync', remote.url, ...data, '--dir', 'down']);
    expect(await stored(directory)).toEqual(idsOf(here, there));
    const client = await Client.connect(remote.url);
    expect((await client.query({})).events).toHaveLength(7);
    await wokHere(['sync', remote.url, ...data, '--dir', 'up']);
    expect((await client.query({})).events).toHaveLength(12);
    await remote.stop();
  });

  it('takes a filter, also with since and until, and ages', async () => {
    const [old, recent] = [notes(4, alice, 90_000), notes(3, alice)];
    const [oldOfBob, recentOfBob] = [notes(5, bob, 90_000), notes(6, bob)];
    const remote = await relayWith([...old, ...recent, ...oldOfBob, ...recentOfBob]);
    const directory = freshDirectory();
    const sync = (...flags: string[]) =>
      wokHere(['sync', remote.url, '--data', directory, ...flags]);
    await sync('--filter', JSON.stringify({ authors: [alice.pubkey] }), '--range', '1d-');
    expect(await stored(directory)).toEqual(idsOf(recent));
    await sync('--authors', bob.pubkey, '--range=-1d');
    expect(await stored(directory)).toEqual(idsOf(recent, oldOfBob));
    await sync('--kinds', '1', '--since', String(now() - 80_000));
    expect(await stored(directory)).toEqual(idsOf(recent, oldOfBob, recentOfBob));
    await remote.stop();
  });
});

describe('the events of wok sync', () => {
  it('reach the subscribers of the running relay', async () => {
    const remote = await relayWith(notes(20));
    const own = await startRelay({ 'auth.required': 'all', 'rates.ip_events': '1/h' });
    const subscriber = await Client.connect(own.url);
    await subscriber.auth(bob);
    await subscriber.req('live', { kinds: [1] });
    const { err, code } = await wok(['sync', remote.url, '--data', own.directory]);
    expect(err).toContain('down: 20 stored');
    expect(code).toBe(exitCodes.ok);
    const live = new Set<string>();
    while (live.size < 20) {
      const [, , event] = await subscriber.next(([verb]) => verb === 'EVENT', 'live events');
      live.add((event as NostrEvent).id);
    }
    await Promise.all([remote.stop(), own.stop()]);
  });

  it('are subject to the rules of the relay: kinds, deletions, protected events', async () => {
    const deleted = alice.event({ created_at: now() - 50 });
    const gone = alice.deletion([['e', deleted.id]], now() - 40);
    const isProtected = alice.event({ tags: [['-']] });
    const profile = alice.event({ kind: 0, created_at: now() - 30 });
    const older = alice.event({ kind: 0, created_at: now() - 300 });
    const remote = await relayWith([deleted, isProtected, older, bob.event()]);
    const directory = await directoryWith([deleted, gone, profile]);
    const settings = ['--set', 'policy.kinds_allowed=["0","5"]'];
    const { err } = await wokHere([
      'sync',
      remote.url,
      '--data',
      directory,
      '--dir',
      'down',
      ...settings,
    ]);
    expect(err).toMatch(/down: 0 stored, \d there already, [34] refused/);
    expect(err).toContain('× blocked: this event is protected; relays must not pass it on');
    expect(await stored(directory)).toEqual(idsOf([gone, profile]));
    await remote.stop();
  });

  it('are not private ones', async () => {
    const wrap = alice.event({ kind: 1059, tags: [['p', bob.pubkey]] });
    const remote = await relayWith([]);
    const directory = await directoryWith([wrap, ...notes(3)]);
    const { err } = await wokHere(['sync', remote.url, '--data', directory, '--print-missing']);
    expect(err).toContain('up: 3 stored');
    await remote.stop();
    expect(await stored(remote.directory)).not.toContain(wrap.id);
  });
});

describe('wok sync with another relay', () => {
  it('authenticates with a key where the relay wants it', async () => {
    const remote = await relayWith(notes(3), { 'auth.required': 'all' });
    const directory = await directoryWith(notes(2, bob));
    const refused = await wokHere(['sync', remote.url, '--data', directory]);
    expect(refused.err).toContain('auth-required:');
    expect(refused.code).toBe(exitCodes.unavailable);
    const key = join(freshDirectory(), 'key');
    writeFileSync(key, bob.secret);
    const { err, code } = await wokHere(['sync', remote.url, '--data', directory, '--key', key]);
    expect(err).toContain('down: 3 stored');
    expect(err).toContain('up: 2 stored');
    expect(code).toBe(exitCodes.ok);
    await remote.stop();
  });

  it('divides the time where a relay compares fewer events at once', async () => {
    const there = notes(300, alice).map((event, n) =>
      alice.event({ created_at: event.created_at - n * 60 }),
    );
    const remote = await relayWith(there, { 'negentropy.items_max': 40 });
    const directory = freshDirectory();
    const filter = JSON.stringify({ kinds: [1] });
    const { err } = await wokHere(['sync', remote.url, '--data', directory, '--filter', filter]);
    expect(err).toContain('down: 300 stored');
    await remote.stop();
  });

  it.each([
    [['sync', 'relay.example.com'], '"relay.example.com" is no address of a relay'],
    [['sync', 'https://relay.example.com'], 'is no address of a relay'],
    [['sync', 'ws://127.0.0.1:1', '--dir', 'sideways'], '--dir must be'],
    [['sync', 'ws://127.0.0.1:1', '--range', '2x-'], '--range must be ages'],
    [['sync', 'ws://127.0.0.1:1', '--range', '1d-2d'], '--range must be ages'],
    [['sync', 'ws://127.0.0.1:1', '--frame-size-limit', '100'], '--frame-size-limit must be'],
    [['sync', 'ws://127.0.0.1:1', '--proxy', 'http://x'], '--proxy must be a SOCKS proxy'],
    [['sync', 'ws://127.0.0.1:1', '--filter', '[{},{}]'], 'Name one filter'],
  ])('rejects %j with a sentence', async (args, sentence) => {
    const { err, code } = await wokHere([...args, '--data', freshDirectory()]);
    expect(err).toContain(sentence);
    expect(code).toBe(exitCodes.usage);
  });

  it('says when a relay cannot be reached, or does not answer', async () => {
    const unreachable = await wokHere(['sync', 'ws://127.0.0.1:1', '--data', freshDirectory()]);
    expect(unreachable.err).toMatch(/ws:\/\/127\.0\.0\.1:1\/ cannot be reached: .*ECONNREFUSED/);
    expect(unreachable.code).toBe(exitCodes.unavailable);
    const silent = await startScriptedRelay(() => {});
    const flags = ['--data', freshDirectory(), '--timeout', '1'];
    const { err, code } = await wokHere(['sync', silent.url, ...flags]);
    expect(err).toContain('no answer to NEG-OPEN for 1 s');
    expect(code).toBe(exitCodes.unavailable);
    await silent.stop();
    const older = await startScriptedRelay((_message, send) => send(['NOTICE', 'unknown command']));
    const refused = await wokHere(['sync', older.url, '--data', freshDirectory()]);
    expect(refused.err).toContain(`${older.url}/: unknown command`);
    expect(refused.code).toBe(exitCodes.unavailable);
    await older.stop();
  });
});
