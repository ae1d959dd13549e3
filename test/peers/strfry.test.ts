// strfry as the other side, where WOK_TEST_STRFRY names the program: `strfry sync` and `strfry
// router` against wok, `wok sync` and `[[peers]]` against strfry, with events that come meanwhile.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { linesOf } from '../support/foreign-relays.ts';
import { until } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, type Settings, startRelay, type TestRelay } from '../support/relay.ts';
import { wok, wokHere } from '../support/wok.ts';

const program = process.env.WOK_TEST_STRFRY ?? '';
const NO_STRFRY = program === '' ? 'WOK_TEST_STRFRY does not name the program strfry' : '';
const EVENTS = 1_500;
const random = new Random(testSeed('peers/strfry'));
const authors = Array.from({ length: 4 }, () => new Author());

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** strfry on a database of its own, with its commands. */
class Strfry {
  readonly url: string;
  readonly directory: string;
  readonly #config: string;
  #server: ChildProcess | null = null;

  private constructor(directory: string, port: number) {
    this.directory = directory;
    this.url = `ws://127.0.0.1:${port}`;
    this.#config = join(directory, 'strfry.conf');
    mkdirSync(join(directory, 'db'));
    const past = 'events { rejectEventsOlderThanSeconds = 94608000 }';
    const relay = `relay { bind = "127.0.0.1" port = ${port} nofiles = 0 }`;
    writeFileSync(this.#config, `db = "${directory}/db/"\n${past}\n${relay}\n`);
  }

  static async start(events: readonly NostrEvent[]): Promise<Strfry> {
    const strfry = new Strfry(freshDirectory(), await freePort());
    await strfry.run(['import', '--no-verify'], linesOf(events));
    strfry.#server = strfry.spawn('relay');
    stops.push(() => strfry.stop());
    await until(async () => {
      try {
        (await Client.connect(strfry.url)).socket.terminate();
        return true;
      } catch {
        return false;
      }
    }, 'strfry to listen');
    return strfry;
  }

  /** Runs a command to its end; resolves with its output. */
  async run(args: readonly string[], input = ''): Promise<string> {
    // Not spawnSync: the relay of the test runs in this process.
    const child = spawn(program, [`--config=${this.#config}`, ...args], { cwd: this.directory });
    child.stdin.end(input);
    const [out, err, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    expect(code, err).toBe(0);
    return out;
  }

  spawn(...args: string[]): ChildProcess {
    const child = spawn(program, [`--config=${this.#config}`, ...args], {
      cwd: this.directory,
      stdio: 'ignore',
    });
    stops.push(() => end(child));
    return child;
  }

  async ids(): Promise<string[]> {
    const lines = (await this.run(['export'])).split('\n').filter(Boolean);
    return lines.map((line) => (JSON.parse(line) as NostrEvent).id).sort();
  }

  async stop(): Promise<void> {
    if (this.#server !== null) await end(this.#server);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const note = (n: number) =>
  random.pick(authors).event({ created_at: now() - 500 - (n % 3_000), content: `note ${n}` });

async function relayWith(events: readonly NostrEvent[], settings: Settings = {}) {
  const directory = freshDirectory();
  expect((await wok(['import', '--data', directory], linesOf(events))).code).toBe(0);
  const started = await startRelay(settings, directory);
  stops.push(() => started.stop());
  return started;
}

async function idsIn({ directory }: TestRelay): Promise<string[]> {
  const { out } = await wokHere(['export', '--data', directory]);
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as NostrEvent).id)
    .sort();
}

const idsOf = (events: Iterable<NostrEvent>) =>
  [...new Set([...events].map(({ id }) => id))].sort();

/** Events of both sides, with differences each way. */
function sides(): { all: NostrEvent[]; here: NostrEvent[]; there: NostrEvent[] } {
  const all = Array.from({ length: EVENTS }, (_, n) => note(n));
  const here = all.filter((_, n) => n % 20 !== 0);
  const there = all.filter((_, n) => n % 20 !== 1);
  return { all, here, there };
}

describe.skipIf(NO_STRFRY !== '')(`strfry${NO_STRFRY === '' ? '' : `: ${NO_STRFRY}`}`, () => {
  it('is equal after wok sync', async () => {
    const { all, here, there } = sides();
    const strfry = await Strfry.start(there);
    const own = await relayWith(here);
    const { code, err } = await wokHere(['sync', strfry.url, '--data', own.directory]);
    expect(code, err).toBe(0);
    expect(await idsIn(own)).toEqual(idsOf(all));
    expect(await strfry.ids()).toEqual(idsOf(all));
  });

  it('makes both equal with strfry sync', async () => {
    const { all, here, there } = sides();
    const strfry = await Strfry.start(there);
    const own = await relayWith(here);
    await strfry.run(['sync', own.url, '--dir', 'both']);
    expect(await idsIn(own)).toEqual(idsOf(all));
    expect(await strfry.ids()).toEqual(idsOf(all));
  });

  it('with strfry sync of a filter that has a tree', async () => {
    const { here } = sides();
    const [author] = authors;
    const filter = JSON.stringify({ authors: [author!.pubkey], kinds: [1] });
    const strfry = await Strfry.start([]);
    const own = await relayWith(here, { 'negentropy.filters': JSON.stringify([filter]) });
    await strfry.run(['sync', own.url, '--dir', 'down', '--filter', filter]);
    expect(await strfry.ids()).toEqual(
      idsOf(here.filter(({ pubkey }) => pubkey === author!.pubkey)),
    );
  });

  it('is mirrored by [[peers]] both ways, while both are written to', async () => {
    const { all, here, there } = sides();
    const strfry = await Strfry.start(there);
    const peers = JSON.stringify([{ urls: [strfry.url], dir: 'both' }]);
    const own = await relayWith(here, { peers });
    const [mine, theirs] = [await Client.connect(own.url), await Client.connect(strfry.url)];
    const live = Array.from({ length: 30 }, () => random.pick(authors).event());
    for (const [n, event] of live.entries())
      expect((await (n % 2 === 0 ? mine : theirs).publish(event))[2]).toBe(true);
    const wanted = idsOf([...all, ...live]);
    await until(async () => String(await idsIn(own)) === String(wanted), 'all events here');
    await until(async () => String(await strfry.ids()) === String(wanted), 'all events there');
  });

  it('mirrors wok by strfry router', async () => {
    const strfry = await Strfry.start([]);
    const own = await relayWith([]);
    const file = join(strfry.directory, 'router.conf');
    writeFileSync(file, `streams { wok { dir = "both" urls = ["${own.url}"] } }\n`);
    strfry.spawn('router', file);
    const [mine, theirs] = [await Client.connect(own.url), await Client.connect(strfry.url)];
    const sent: NostrEvent[] = [];
    // The router has no gap repair: events count from when it is connected.
    await until(async () => {
      sent.push(random.pick(authors).event());
      await mine.publish(sent.at(-1)!);
      return (await strfry.ids()).length > 0;
    }, 'the router');
    const [first] = await strfry.ids();
    const back = random.pick(authors).event();
    await theirs.publish(back);
    await until(async () => (await idsIn(own)).includes(back.id), 'an event of strfry here');
    expect(idsOf(sent)).toContain(first);
  });
});
