// Mirrors that converge: two relays with differences each way, a third one that begins empty, and
// what is deleted, replaced, vanished and expired on one side meanwhile. Real relays over real
// sockets, written to all the time. WOK_TEST_ROUNDS multiplies the number of events.

import { afterEach, describe, expect, it } from 'vitest';
import type { PeerStatus } from '../../src/messages/admin-peers.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { TEST_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { peerStates } from '../support/peer-states.ts';
import { until } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, type Settings, startRelay, type TestRelay } from '../support/relay.ts';
import { idsByNeg } from '../support/syncing.ts';
import { wok, wokHere } from '../support/wok.ts';

const ROUNDS = Number(process.env.WOK_TEST_ROUNDS ?? 1);
const EVENTS = 1_500 * ROUNDS;
const LIVE = 60;
const random = new Random(testSeed('stress/mirrors'));
const authors = Array.from({ length: 5 }, () => new Author());

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function relay(directory: string, settings: Settings = {}): Promise<TestRelay> {
  const started = await startRelay(settings, directory);
  stops.push(() => started.stop());
  return started;
}

async function directoryWith(events: readonly NostrEvent[]): Promise<string> {
  const directory = freshDirectory();
  const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  expect((await wok(['import', '--data', directory], lines)).code).toBe(0);
  return directory;
}

const note = (n: number) =>
  random.pick(authors).event({ created_at: now() - 1_000 - (n % 5_000), content: `note ${n}` });

async function compared({ directory, said, logged }: TestRelay): Promise<void> {
  let states: PeerStatus[] = [];
  const isCompared = async () => {
    states = await peerStates({ directory });
    return states.length > 0 && states.every(({ comparedAt }) => comparedAt !== null);
  };
  try {
    await until(isCompared, 'comparisons');
  } catch (error) {
    const known = JSON.stringify({ states, said, logged });
    throw new Error(`${(error as Error).message}; ${known}`);
  }
}

async function publishAll(client: Client, events: readonly NostrEvent[]): Promise<void> {
  for (const event of events) client.send(['EVENT', event]);
  for (const { id } of events) expect((await client.ok(id))[2]).toBe(true);
}

/** Resolves with the ids of all relays when they have the same ones. */
async function equal(relays: readonly TestRelay[]): Promise<string[]> {
  const clients = await Promise.all(relays.map(({ url }) => Client.connect(url)));
  let ids: string[][] = [];
  await until(async () => {
    ids = await Promise.all(clients.map((client) => idsByNeg(client, {})));
    return ids.every((one) => String(one) === String(ids[0]));
  }, 'equal relays');
  for (const { socket } of clients) socket.terminate();
  return ids[0] as string[];
}

describe('mirrors', () => {
  it(`of ${EVENTS} events with differences of 5 % each way end equal, a third one with them`, {
    timeout: (1 + ROUNDS) * TEST_MILLISECONDS,
  }, async () => {
    const all = Array.from({ length: EVENTS }, (_, n) => note(n));
    const [one, two] = [
      all.filter(() => random.chance(0.95)),
      all.filter(() => random.chance(0.95)),
    ];
    const there = await relay(await directoryWith(two));
    const peer = (url: string) => JSON.stringify([{ urls: [url], dir: 'both' }]);
    const here = await relay(await directoryWith(one), { peers: peer(there.url) });
    const third = await relay(freshDirectory(), { peers: peer(here.url) });
    // Written to on all three while they are compared.
    const relays = [here, there, third];
    const clients = await Promise.all(relays.map(({ url }) => Client.connect(url)));
    const live = Array.from({ length: LIVE }, () => random.pick(authors).event());
    for (const [n, event] of live.entries())
      expect((await clients[n % 3]!.publish(event))[2]).toBe(true);
    await Promise.all([compared(here), compared(third)]);
    const wanted = new Set([...one, ...two, ...live].map(({ id }) => id));
    expect(await equal(relays)).toEqual([...wanted].sort());
  });

  it('bring nothing back that was deleted, replaced, vanished or expired on one side', async () => {
    const [author, gone] = [new Author(), new Author()];
    const old = (draft: object) => author.event({ created_at: now() - 500, ...draft });
    const [deleted, kept] = [old({}), old({})];
    const profile = old({ kind: 0, content: '{"name":"old"}' });
    const page = old({ kind: 30_023, tags: [['d', 'page']] });
    const expiring = old({ tags: [['expiration', String(now() + 2)]] });
    const ofGone = Array.from({ length: 20 }, (_, n) =>
      gone.event({ created_at: now() - 100 - n }),
    );
    const both = [deleted, kept, profile, page, expiring, ...ofGone];
    const there = await relay(await directoryWith(both));
    const directory = await directoryWith(both);
    const here = await relay(directory);
    const client = await Client.connect(here.url);
    const renewed = author.event({ kind: 0, content: '{"name":"new"}' });
    const removal = author.deletion([
      ['e', deleted.id],
      ['a', `30023:${author.pubkey}:page`],
    ]);
    const vanish = gone.event({ kind: 62, tags: [['relay', 'ALL_RELAYS']] });
    await publishAll(client, [renewed, removal, vanish]);
    const theirs = await Client.connect(there.url);
    await until(
      async () => (await theirs.query({ ids: [expiring.id] })).events.length === 0,
      'the expiration',
    );
    // What the other side still has is offered, and stays out; it learns of everything.
    for (let times = 0; times < 2; times++) {
      const { code, err } = await wokHere(['sync', there.url, '--data', directory]);
      expect(code, err).toBe(0);
    }
    const wanted = [kept, renewed, removal, vanish].map(({ id }) => id).sort();
    expect(await equal([here, there])).toEqual(wanted);
  });
});
