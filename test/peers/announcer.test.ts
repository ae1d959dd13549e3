// Announcement of the relay (NIP-66) and relays found by relay lists (NIP-65): real relays over
// real sockets; the tags of an announcement as a unit.

import { afterEach, describe, expect, it } from 'vitest';
import { announcement } from '../../src/peers/announcer.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { peerStates } from '../support/peer-states.ts';
import { until } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';

const alice = new Author();
const bob = new Author();

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function relay(settings: Settings = {}): Promise<TestRelay> {
  const started = await startRelay(settings, freshDirectory());
  stops.push(() => started.stop());
  return started;
}

async function published({ url }: TestRelay, ...events: NostrEvent[]): Promise<void> {
  const client = await Client.connect(url);
  for (const event of events) expect((await client.publish(event))[2]).toBe(true);
  client.socket.terminate();
}

/** Resolves with the newest event that a relay has of a filter. */
async function found({ url }: TestRelay, filter: object): Promise<NostrEvent> {
  const client = await Client.connect(url);
  let event: NostrEvent | undefined;
  await until(async () => {
    [event] = (await client.query(filter)).events;
    return event !== undefined;
  }, JSON.stringify(filter));
  client.socket.terminate();
  return event as NostrEvent;
}

describe('an announcement', () => {
  it('is published here and to other relays, with what a client meets', async () => {
    const other = await relay();
    const here = await relay({ 'info.name': 'Here', 'auth.required': 'write' });
    await here.relay.reload(
      testConfig(here.directory, {
        'info.name': 'Here',
        'auth.required': 'write',
        'identity.announce': true,
        'identity.announce_urls': [other.url],
        'identity.urls': [here.url],
      }),
    );
    const event = await found(here, { kinds: [30_166] });
    const { self, supported_nips: nips } = JSON.parse(
      (await http(here.httpUrl, { accept: 'application/nostr+json' })).body,
    );
    expect(event.pubkey).toBe(self);
    expect(JSON.parse(event.content)).toMatchObject({ name: 'Here', supported_nips: nips });
    expect(event.tags).toContainEqual(['d', `${here.url}/`]);
    expect(event.tags).toContainEqual(['R', 'writes']);
    expect(event.tags).toContainEqual(['R', '!payment']);
    expect(event.tags).toContainEqual(['n', 'clearnet']);
    expect(event.tags.filter(([name]) => name === 'N').map(([, nip]) => Number(nip))).toEqual(nips);
    for (const name of ['rtt-open', 'rtt-read'])
      expect(Number(event.tags.find(([tag]) => tag === name)?.[1])).toBeGreaterThan(0);
    expect((await found(other, { kinds: [30_166] })).id).toBe(event.id);
    expect(here.relay.health()).toMatchObject({ healthy: true });
  });

  it('is not made without an address, or by one that cannot be reached, and says why', async () => {
    const here = await relay({ 'identity.announce': true });
    const warned = (text: string) =>
      until(() => here.logged.some((line) => line.includes(text)), `${text} in the log`);
    await warned('identity.urls has no public address');
    const urls = ['ws://127.0.0.1:9/'];
    await here.relay.reload(
      testConfig(here.directory, { 'identity.announce': true, 'identity.urls': urls }),
    );
    await warned('http://127.0.0.1:9/ cannot be fetched');
    const client = await Client.connect(here.url);
    expect((await client.query({ kinds: [30_166] })).events).toEqual([]);
  });

  it('has the network, the topics and the requirements of the document', () => {
    const limitation = { auth_required: false, payment_required: true, min_pow_difficulty: 20 };
    const facts = {
      document: { supported_nips: [1, 11], tags: ['art'], limitation },
      openMilliseconds: 12,
      readMilliseconds: 3,
    };
    const { kind, tags, created_at } = announcement('ws://abc.onion', facts, 7);
    expect([kind, created_at]).toEqual([30_166, 7]);
    expect(tags).toEqual([
      ['d', 'ws://abc.onion/'],
      ['n', 'tor'],
      ['N', '1'],
      ['N', '11'],
      ['R', '!auth'],
      ['R', '!writes'],
      ['R', 'payment'],
      ['R', 'pow'],
      ['t', 'art'],
      ['rtt-open', '12'],
      ['rtt-read', '3'],
    ]);
    const broken = { ...facts, document: { supported_nips: 'all', limitation: 5, tags: {} } };
    expect(announcement('wss://a.b.i2p/x', broken, 7).tags.slice(0, 3)).toEqual([
      ['d', 'wss://a.b.i2p/x'],
      ['n', 'i2p'],
      ['rtt-open', '12'],
    ]);
  });
});

describe('relays of relay lists', () => {
  const listOf = (author: Author, ...tags: string[][]) =>
    author.event({ kind: 10_002, content: '', tags: tags.map((tag) => ['r', ...tag]) });
  const entry = (more: object = {}) => ({
    peers: JSON.stringify([
      {
        relay_lists: 2,
        filter: JSON.stringify({ authors: [alice.pubkey, bob.pubkey], kinds: [1] }),
        ...more,
      },
    ]),
    'peer_lists.any_address': true,
  });

  it('are peers, those that most authors write to first, for the events of these', async () => {
    const [both, one, third] = [await relay(), await relay(), await relay()];
    const ofBob = bob.event({ created_at: now() - 30 });
    const [fromBoth, fromOne] = [alice.event(), alice.event()];
    await published(both, ofBob, fromBoth, new Author().event(), alice.event({ kind: 7 }));
    // Bob does not write there.
    await published(one, fromOne, bob.event());
    await published(third, alice.event());
    const here = await relay();
    await published(
      here,
      listOf(alice, [both.url], [one.url, 'write'], [third.url, 'read']),
      listOf(bob, [`${both.url}/`, 'write'], [third.url, 'read'], ['no address']),
      listOf(new Author(), [third.url]),
    );
    await here.relay.reload(testConfig(here.directory, entry()));
    const client = await Client.connect(here.url);
    const ids = async () =>
      (await client.query({ kinds: [1, 7] })).events.map(({ id }) => id).sort();
    const wanted = [ofBob, fromBoth, fromOne].map(({ id }) => id).sort();
    await until(async () => (await ids()).length >= 3, 'the events');
    await until(
      async () => (await peerStates(here)).every(({ comparedAt }) => comparedAt !== null),
      'comparisons',
    );
    expect(await ids()).toEqual(wanted);
    expect((await peerStates(here)).map(({ name }) => name)).toEqual([
      `relay-lists ${both.url}/`,
      `relay-lists ${one.url}/`,
    ]);
    expect(here.relay.metricsText()).toContain('wok_peer_events_total{peer="other"');
  });

  it('are none that are no public addresses', async () => {
    const here = await relay();
    await published(
      here,
      listOf(
        alice,
        ['ws://relay.example.org'],
        ['wss://127.0.0.1'],
        ['wss://[::1]:7777'],
        ['wss://10.1.2.3'],
        ['wss://2130706433'],
        ['wss://localhost'],
        ['wss://db.internal'],
        ['wss://user@host.org'],
      ),
    );
    await here.relay.reload(
      testConfig(here.directory, { ...entry(), 'peer_lists.any_address': false }),
    );
    expect(await peerStates(here)).toEqual([]);
  });
});
