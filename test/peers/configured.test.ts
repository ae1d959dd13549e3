// Relays of [[peers]] in the configuration: events, reloads, rates, states, a graceful restart.
// Real relays over real sockets, in this process but for the restart.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { PeerStatus } from '../../src/messages/admin-peers.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { peerStates } from '../support/peer-states.ts';
import { isRunning, until, WokProcess } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';
import { startScriptedRelay } from '../support/scripted-relay.ts';
import { wok } from '../support/wok.ts';

/** Number of events of 60 kB that fill the window towards another relay, 512 KiB. */
const WINDOW_EVENTS = 9;

const alice = new Author();

/** Fields of an entry [[peers]]. */
type Entry = Readonly<Record<string, string | number | boolean | readonly string[]>>;

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const peersOf = (...entries: Entry[]): Settings => ({ peers: JSON.stringify(entries) });

async function relay(settings: Settings = {}, directory = freshDirectory()): Promise<TestRelay> {
  const started = await startRelay(settings, directory);
  stops.push(() => started.stop());
  return started;
}

/** Reloads a relay with other peers. */
async function reload({ relay: running, directory }: TestRelay, ...entries: Entry[]) {
  return running.reload(testConfig(directory, peersOf(...entries)));
}

/** Resolves with the state of the one peer when it is as wanted. */
async function state(
  of: { directory: string },
  isWanted: (status: PeerStatus) => boolean,
): Promise<PeerStatus> {
  let last: PeerStatus | undefined;
  await until(async () => {
    [last] = await peerStates(of);
    return last !== undefined && isWanted(last);
  }, 'another state of the peer');
  return last as PeerStatus;
}

const isCompared = ({ comparedAt }: PeerStatus) => comparedAt !== null;

async function published({ url }: TestRelay, events: readonly NostrEvent[]): Promise<Client> {
  const client = await Client.connect(url);
  for (const event of events) expect((await client.publish(event))[2]).toBe(true);
  return client;
}

/** Resolves when a relay has events with all these ids. */
async function has({ url }: { url: string }, events: readonly NostrEvent[]): Promise<void> {
  const client = await Client.connect(url);
  const filter = { ids: events.map(({ id }) => id) };
  await until(
    async () => (await client.query(filter)).events.length === events.length,
    'all events',
  );
  client.socket.terminate();
}

async function idsIn({ url }: TestRelay): Promise<string[]> {
  const client = await Client.connect(url);
  const { events } = await client.query({});
  client.socket.terminate();
  return events.map(({ id }) => id).sort();
}

describe('a peer', () => {
  it('gets what was missed, and live events both ways, each once', async () => {
    const there = await relay();
    const missed = alice.event({ created_at: now() - 50 });
    const theirs = await published(there, [missed]);
    const here = await relay(peersOf({ urls: [there.url], dir: 'both' }));
    await has(here, [missed]);
    await state(here, isCompared);
    const [down, up] = [alice.event(), alice.event()];
    const mine = await published(here, [up]);
    await theirs.publish(down);
    await Promise.all([has(here, [down, up]), has(there, [down, up])]);
    const status = await state(here, (one) => one.down.stored === 2 && one.up.stored === 1);
    expect(status).toMatchObject({
      name: new URL(there.url).host,
      direction: 'both',
      state: 'live',
      failure: '',
      lagSeconds: 0,
      missingHere: 1,
      missingThere: 0,
    });
    expect(status.down.bytes).toBe(JSON.stringify(missed).length + JSON.stringify(down).length);
    const text = here.relay.metricsText();
    const peer = `peer="${status.name}"`;
    expect(text).toContain(`wok_peer_live{${peer}} 1`);
    expect(text).toContain(`wok_peer_events_total{${peer},direction="down",result="stored"} 2`);
    expect(text).toContain(`wok_peer_missing_events{${peer},side="here"} 1`);
    expect(text.match(/^wok_peer_live\{/gm)).toHaveLength(1);
    const { out } = await wok(['status', '--data', here.directory]);
    expect(out).toContain(`peer           ${status.name}: live, fetched 2, sent 1`);
    mine.socket.terminate();
  });

  it('may be one of two that have each other as peer: nothing goes around', async () => {
    const there = await relay();
    const here = await relay(peersOf({ urls: [there.url], dir: 'both' }));
    await reload(there, { urls: [here.url], dir: 'both' });
    await Promise.all([state(here, isCompared), state(there, isCompared)]);
    const notes = Array.from({ length: 20 }, () => alice.event());
    await published(here, notes.slice(0, 10));
    await published(there, notes.slice(10));
    await Promise.all([has(here, notes), has(there, notes)]);
    const offers = async () => {
      const counts = [...(await peerStates(here)), ...(await peerStates(there))];
      return counts.map(({ down, up }) => down.stored + down.known + up.stored + up.known);
    };
    // Each event crosses once by each of the two links at most.
    for (const offered of await offers()) expect(offered).toBeLessThanOrEqual(20);
  });

  it('gets only the events of its filter and kinds that its plugin lets through', async () => {
    const there = await relay();
    const plugin = join(freshDirectory(), 'plugin.mjs');
    writeFileSync(
      plugin,
      `#!${process.execPath}
import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin })) {
  const { event } = JSON.parse(line);
  const action = event.content.includes('spam') ? 'reject' : 'accept';
  process.stdout.write(JSON.stringify({ id: event.id, action, msg: '' }) + '\\n');
}
`,
    );
    chmodSync(plugin, 0o755);
    const filter = JSON.stringify({ authors: [alice.pubkey] });
    const entry = { filter, kinds: ['1', '7-8'], plugin_down: plugin };
    const here = await relay(peersOf({ urls: [there.url], ...entry }));
    await state(here, isCompared);
    const wanted = [alice.event({ kind: 8 }), alice.event({ content: 'good' })];
    await published(there, [
      new Author().event(),
      alice.event({ kind: 6 }),
      alice.event({ content: 'spam' }),
      ...wanted,
    ]);
    await has(here, wanted);
    expect(await idsIn(here)).toEqual(wanted.map(({ id }) => id).sort());
  });

  it('authenticates with the key of its entry, which may come later', async () => {
    const there = await relay({ 'auth.required': 'all' });
    const keyFile = join(freshDirectory(), 'key');
    const here = await relay(peersOf({ urls: [there.url], key_file: keyFile }));
    const { failure } = await state(here, (one) => one.state === 'waiting');
    expect(failure).toContain(`${keyFile} cannot be read`);
    writeFileSync(keyFile, alice.secret);
    await state(here, isCompared);
  });

  it('keeps to its rate of events', async () => {
    const there = await relay();
    const notes = Array.from({ length: 30 }, (_, n) => alice.event({ created_at: now() - n }));
    await published(there, notes);
    const begun = performance.now();
    const here = await relay(peersOf({ urls: [there.url], events_down: '10/s burst 10' }));
    await has(here, notes);
    // 10 at once, and 20 more in 2 s, of which the last one may go at their end.
    expect(performance.now() - begun).toBeGreaterThan(1_800);
  });

  it('is left when its budget of bytes is used up, and says so', async () => {
    const there = await relay();
    const notes = Array.from({ length: 20 }, (_, n) =>
      alice.event({ content: 'x'.repeat(1_000), created_at: now() - n }),
    );
    await published(there, notes);
    const here = await relay(peersOf({ urls: [there.url], bytes_down: '5KiB/day' }));
    const { failure, down } = await state(here, (one) => one.state === 'waiting');
    expect(failure).toMatch(/^its rate is used up for \d+ s$/);
    expect(down.bytes).toBeLessThan(8 * 1024);
    expect((await idsIn(here)).length).toBeLessThan(8);
  });
});

it('a peer is sent events and sends some while each side waits for the OKs of the other', async () => {
  const large = (_: unknown, i: number) =>
    new Author().event({ content: `${i + 10}`.repeat(30_000) });
  // More than the windows: 512 KiB towards the peer, 1 MiB towards the own relay.
  const [ours, theirs] = [Array.from({ length: 20 }, large), Array.from({ length: 40 }, large)];
  const received: string[] = [];
  let subscription: unknown;
  let answer: ((id: string) => void) | null = null;
  const there = await startScriptedRelay(([verb, id], send) => {
    if (verb === 'REQ') {
      subscription = id;
      send(['EOSE', id]);
    } else if (verb === 'EVENT') {
      const event = id as unknown as NostrEvent;
      received.push(event.id);
      answer?.(event.id);
      if (received.length !== WINDOW_EVENTS) return;
      // The window of the peer is full: it owes all OKs, which come after its own events.
      for (const each of theirs) send(['EVENT', subscription, each]);
      answer = (of) => send(['OK', of, true, '']);
      received.forEach(answer);
    }
  });
  stops.push(() => there.stop());
  const here = await relay(peersOf({ urls: [there.url], dir: 'both', repair: false }));
  await state(here, ({ state }) => state === 'live');
  await published(here, ours);
  await has(here, theirs);
  await until(() => received.length === ours.length, 'all events at the peer');
  expect(received.toSorted()).toEqual(ours.map(({ id }) => id).toSorted());
});

describe('peers', () => {
  it('come, change and go with a reload', async () => {
    const [one, two] = [await relay(), await relay()];
    const here = await relay();
    expect(await peerStates(here)).toEqual([]);
    const { live } = await reload(here, { urls: [one.url], name: 'first' });
    expect(live).toEqual([{ key: 'peers', from: '[]', to: '["first"]' }]);
    await state(here, isCompared);
    await reload(here, { urls: [one.url], name: 'first' }, { urls: [two.url], name: 'second' });
    await until(async () => (await peerStates(here)).every(isCompared), 'both');
    expect((await peerStates(here)).map(({ name }) => name)).toEqual(['first', 'second']);
    await reload(here, { urls: [two.url], name: 'second' });
    const [left, came] = [alice.event(), alice.event()];
    await published(one, [left]);
    await published(two, [came]);
    await has(here, [came]);
    expect(await idsIn(here)).toEqual([came.id]);
    await reload(here);
    await until(async () => (await peerStates(here)).length === 0, 'no peer');
    await until(() => !here.relay.metricsText().includes('wok_peer_live{'), 'no metric');
  });

  it('that cannot be reached are named, and connected when they can', async () => {
    const directory = freshDirectory();
    const first = await startRelay({}, directory);
    const { port } = first.relay;
    await first.stop();
    const here = await relay(peersOf({ urls: [first.url], name: 'away' }));
    const { failure } = await state(here, (one) => one.state === 'waiting');
    expect(failure).toContain('ECONNREFUSED');
    expect(here.logged.join('\n')).toContain('peer away: ');
    const second = await relay({ 'io.port': port }, directory);
    await state(here, isCompared);
    const note = alice.event();
    await published(second, [note]);
    await has(here, [note]);
  });

  it('that never answer do not hold up a stop', async () => {
    const silent = await startScriptedRelay(() => {});
    stops.push(() => silent.stop());
    const here = await startRelay(peersOf({ urls: [silent.url], dir: 'both' }));
    await until(() => here.said.some((line) => line.includes('connected')), 'a connection');
    await here.stop();
    expect(here.logged.filter((line) => /deadline|restarted/.test(line))).toEqual([]);
  });

  it('are exchanged with again after the peers worker has died', async () => {
    const there = await relay();
    const here = await relay(peersOf({ urls: [there.url] }));
    await state(here, isCompared);
    await here.relay.kill('peers', 0);
    await until(() => here.logged.some((line) => line.includes('was restarted')), 'a restart');
    const note = alice.event();
    await published(there, [note]);
    await has(here, [note]);
    expect(here.relay.health()).toMatchObject({ healthy: true });
  });

  it('move to the successor in a graceful restart', async () => {
    const there = await relay();
    const { url, out } = await restarted(peersOf({ urls: [there.url] }));
    const note = alice.event();
    await published(there, [note]);
    await has({ url }, [note]);
    expect(out.split('peer ').filter((line) => line.includes('connected'))).toHaveLength(2);
  });
});

/** Starts a relay in its own process, restarts it gracefully, and awaits its peer both times. */
async function restarted(settings: Settings): Promise<WokProcess> {
  const directory = freshDirectory();
  const spawned = WokProcess.spawn(settings, directory);
  const successor = () => /starting a successor {2}pid=(\d+)/.exec(spawned.out)?.[1];
  // Registered before the wait for the end of the output, which relay and successor share.
  onTestFinished(() => {
    const pid = Number(successor());
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  await spawned.listening();
  await state({ directory }, isCompared);
  spawned.signal('SIGUSR2');
  await until(() => spawned.out.split(': compared').length === 3, 'a comparison by the successor');
  return spawned;
}
