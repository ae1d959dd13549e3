// `wok stream` and `wok router`, run as commands between real relays: live events both ways, gaps,
// rings, plugins, and relays that send what was not asked for.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { testEnvironment } from '../support/environment.ts';
import { until } from '../support/process.ts';
import { freshDirectory, startRelay, type TestRelay } from '../support/relay.ts';
import { startScriptedRelay } from '../support/scripted-relay.ts';
import { wok, wokHere } from '../support/wok.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');
const alice = new Author();

/** Command that runs until it is told to stop. */
class Running {
  readonly #child: ChildProcess;
  err = '';

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [wokFile, ...args], {
      env: testEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }

  /** Resolves when standard error has had this text so many times. */
  said(text: string, times = 1): Promise<void> {
    return until(() => this.err.split(text).length > times, `${text}, after:\n${this.err}`);
  }

  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    this.#child.kill('SIGINT');
    const [code] = (await once(this.#child, 'close')) as [number | null];
    return code;
  }
}

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function relay(settings = {}, directory = freshDirectory()): Promise<TestRelay> {
  const started = await startRelay(settings, directory);
  stops.push(() => started.stop());
  return started;
}

function run(...args: string[]): Running {
  const running = new Running(args);
  stops.push(() => running.stop());
  return running;
}

/** Client that keeps the ids of all live events of kind 1. */
async function listener({ url }: TestRelay): Promise<{ client: Client; ids: string[] }> {
  const client = await Client.connect(url);
  const ids: string[] = [];
  await client.req('live', { kinds: [1] });
  client.tap = ([verb, , event]) => {
    if (verb !== 'EVENT') return false;
    ids.push((event as NostrEvent).id);
    return true;
  };
  return { client, ids };
}

describe('wok stream', () => {
  it('passes live events on in both directions, each once', async () => {
    const [here, there] = [await relay(), await relay()];
    const stream = run('stream', there.url, '--dir', 'both', '--data', here.directory);
    await stream.said('compared');
    const [mine, theirs] = [await listener(here), await listener(there)];
    const [down, up] = [alice.event(), alice.event()];
    await theirs.client.publish(down);
    await mine.client.publish(up);
    await until(() => mine.ids.length >= 2 && theirs.ids.length >= 2, 'both events on both sides');
    // Another event that goes both ways shows that nothing came twice before it.
    const last = alice.event();
    await mine.client.publish(last);
    await until(() => theirs.ids.includes(last.id), 'the last event');
    expect(mine.ids.toSorted()).toEqual([down.id, up.id, last.id].sort());
    expect(theirs.ids.toSorted()).toEqual([down.id, up.id, last.id].sort());
    expect(await stream.stop()).toBe(exitCodes.ok);
    expect(stream.err).toMatch(/down 1 stored, .*; up 2 stored/);
  });

  it('repairs what it missed, after its own break and after one of the other relay', async () => {
    const here = await relay();
    const directory = freshDirectory();
    const old = Array.from({ length: 30 }, (_, n) => alice.event({ created_at: now() - 100 - n }));
    const jsonl = (events: readonly NostrEvent[]) =>
      events.map((one) => JSON.stringify(one)).join('\n');
    await wok(['import', '--data', directory], jsonl(old));
    const first = await startRelay({}, directory);
    const stream = run('stream', first.url, '--data', here.directory);
    await stream.said('missingHere=30');
    const client = await Client.connect(here.url);
    await until(
      async () => (await client.query({ kinds: [1] })).events.length === 30,
      'all events',
    );
    await first.stop();
    const missed = Array.from({ length: 5 }, () => alice.event());
    await wok(['import', '--data', directory], jsonl(missed));
    const second = await relay({ 'io.port': first.relay.port }, directory);
    await stream.said('connected', 2);
    await until(async () => (await client.query({ kinds: [1] })).events.length === 35, 'the rest');
    expect(await stream.stop()).toBe(exitCodes.ok);
    const late = alice.event();
    await (await Client.connect(second.url)).publish(late);
    const again = run('stream', second.url, '--data', here.directory);
    await again.said('missingHere=1');
    await until(async () => (await client.query({ ids: [late.id] })).events.length === 1, 'it');
  });
});

describe('wok stream with another relay', () => {
  it('brings nothing back that was deleted here', async () => {
    const [here, there] = [await relay(), await relay()];
    const [mine, theirs] = [await Client.connect(here.url), await Client.connect(there.url)];
    const note = alice.event({ created_at: now() - 20 });
    await theirs.publish(note);
    await mine.publish(note);
    await mine.publish(alice.deletion([['e', note.id]]));
    const stream = run('stream', there.url, '--dir', 'both', '--data', here.directory);
    await until(
      async () => (await theirs.query({ ids: [note.id] })).events.length === 0,
      'deletion',
    );
    await stream.said('compared');
    expect((await mine.query({ ids: [note.id] })).events).toEqual([]);
  });

  it('names a relay that sends what was not asked for, and leaves it for a while', async () => {
    const here = await relay();
    const liar = await startScriptedRelay(([verb, id], send) => {
      if (verb === 'REQ') {
        for (let n = 0; n < 200; n++) send(['EVENT', id, alice.event({ kind: 7 })]);
        send(['EOSE', id]);
      }
    });
    stops.push(() => liar.stop());
    const flags = ['--kinds', '1', '--no-repair', '--data', here.directory];
    const stream = run('stream', liar.url, ...flags);
    await stream.said(`peer ${liar.url}/: it sends events that were not asked for`);
    await stream.said('nextAttemptSeconds');
    expect((await (await Client.connect(here.url)).query({})).events).toEqual([]);
  });

  it('fetches what it missed from a relay without NIP-77', async () => {
    const here = await relay();
    const there = await relay({ 'negentropy.enabled': false });
    const missed = alice.event({ created_at: now() - 60 });
    await (await Client.connect(there.url)).publish(missed);
    const stream = run('stream', there.url, '--data', here.directory);
    await stream.said('cannot be compared: unsupported:');
    await stream.said('fetched');
    const client = await Client.connect(here.url);
    expect((await client.query({ kinds: [1] })).events).toEqual([missed]);
  });

  it('names a relay that sends forged events', async () => {
    const here = await relay();
    const forger = await startScriptedRelay(([verb, id], send) => {
      if (verb !== 'REQ') return;
      for (let n = 0; n < 200; n++)
        send(['EVENT', id, { ...alice.event(), content: `forged ${n}` }]);
    });
    stops.push(() => forger.stop());
    const stream = run('stream', forger.url, '--no-repair', '--data', here.directory);
    await stream.said('it sends events with wrong ids or signatures');
    expect((await (await Client.connect(here.url)).query({})).events).toEqual([]);
  });
});

describe('wok router', () => {
  const routes = (text: string) => {
    const file = join(freshDirectory(), 'router.conf');
    writeFileSync(file, text);
    return file;
  };

  it('passes each event around a ring of three relays once', async () => {
    const relays = [await relay(), await relay(), await relay()];
    const routers = relays.map(({ directory }, n) => {
      const next = relays[(n + 1) % 3]!;
      const file = routes(`streams { ring { dir = "both" urls = ["${next.url}"] } }`);
      return run('router', file, '--data', directory);
    });
    for (const router of routers) await router.said('compared');
    const listeners = await Promise.all(relays.map(listener));
    const notes = Array.from({ length: 20 }, () => alice.event());
    for (const [n, note] of notes.entries()) await listeners[n % 3]!.client.publish(note);
    for (const { ids } of listeners) await until(() => ids.length >= 20, 'all events everywhere');
    for (const { ids } of listeners)
      expect(ids.toSorted()).toEqual(notes.map(({ id }) => id).sort());
  });

  it('asks the plugins of a stream, and applies its filter', async () => {
    const [here, there] = [await relay(), await relay()];
    const plugin = join(freshDirectory(), 'plugin.mjs');
    writeFileSync(
      plugin,
      `#!${process.execPath}
import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin })) {
  const { event, sourceType, sourceInfo } = JSON.parse(line);
  const action = event.content.includes('spam') || sourceType !== 'Stream' ? 'reject' : 'accept';
  process.stdout.write(JSON.stringify({ id: event.id, action, msg: sourceInfo }) + '\\n');
}
`,
    );
    chmodSync(plugin, 0o755);
    const file = routes(`
      connectionTimeout = 20
      streams {
        one { dir = "down" urls = ["${there.url}"] filter = {"kinds":[1]} pluginDown = "${plugin}" }
      }`);
    const router = run('router', file, '--data', here.directory);
    await router.said('compared');
    const [client, own] = [await Client.connect(there.url), await listener(here)];
    const wanted = alice.event({ content: 'good' });
    for (const event of [alice.event({ content: 'spam' }), alice.event({ kind: 7 }), wanted])
      await client.publish(event);
    await until(() => own.ids.length > 0, 'the wanted event');
    expect(own.ids).toEqual([wanted.id]);
    expect((await (await Client.connect(here.url)).query({})).events).toHaveLength(1);
  });

  it.each([
    ['streams { x { dir = "sideways" urls = ["wss://a"] } }', 'streams.x: dir must be'],
    ['streams { x { dir = "up" } }', 'urls must be a list of addresses'],
    ['streams {', 'line 1, column 10: a closing brace is missing'],
  ])('refuses %j with the place of the error', async (text, sentence) => {
    const { err, code } = await wokHere(['router', routes(text), '--data', freshDirectory()]);
    expect(err).toContain(sentence);
    expect(code).toBe(exitCodes.config);
  });
});
