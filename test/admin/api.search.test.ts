// The search of the page /admin, compared with the naive oracle, page by page to the end.
// In-process relay, by the page's API.

import { nip19 } from 'nostr-tools';
import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import type { FoundEvent, SearchPage, SearchParams } from '../../src/web/api/events.ts';
import { AdminPage } from '../support/admin-page.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Generator } from '../support/generator.ts';
import { matches, Oracle, type RawFilter } from '../support/oracle.ts';
import { Random, testSeed } from '../support/random.ts';
import { ANY_TIME, freshDirectory, startRelay, type TestRelay } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

const SEED = testSeed('83.search');
const EVENTS = 600;
const SEARCHES = 60;
const PRIVATE = [4, 1059, 21_059];
const WORDS = [
  'nostr',
  'HELLO',
  'hell',
  '日本',
  'quotes "',
  '\\ and',
  '"',
  '\u{1f600}',
  'controls',
  'zzz',
];

const [adminKey, moderatorKey] = [1, 2].map(() => generateSecretKey()) as [Uint8Array, Uint8Array];
const random = new Random(SEED);
const generator = new Generator(random, {
  now: now() - 100,
  sign: true,
  expirations: [4_000_000_000],
});
const oracle = new Oracle({ limitDefault: 1e9, limitMax: 1e9 });
let relay: TestRelay;
let client: Client;
let admin: AdminPage;
let moderator: AdminPage;
let stored: NostrEvent[];

beforeAll(async () => {
  const events = Array.from({ length: EVENTS }, () => generator.event());
  for (const event of events) oracle.publish(event, now());
  const directory = freshDirectory();
  const lines = events.slice(0, EVENTS / 2).map((event) => `${JSON.stringify(event)}\n`);
  await wok(['import', '--data', directory], lines.join(''));
  const keys = {
    'admin.pubkeys': [getPublicKey(adminKey)],
    'admin.moderators': [getPublicKey(moderatorKey)],
  };
  // The second half stays out of the index.
  const settings = { ...keys, ...ANY_TIME, 'storage.index_delay_milliseconds': 600_000 };
  relay = await startRelay(settings, directory);
  client = await Client.connect(relay.url);
  for (const event of events.slice(EVENTS / 2)) await client.publish(event);
  stored = oracle.all(now());
  admin = await AdminPage.open(relay.httpUrl, adminKey);
  moderator = await AdminPage.open(relay.httpUrl, moderatorKey);
});
afterAll(async () => {
  client.socket.terminate();
  await relay.stop();
});

/** Returns the events of all pages of a search, and the pages. */
async function all(
  page: AdminPage,
  params: SearchParams,
): Promise<{ found: FoundEvent[]; pages: SearchPage[] }> {
  const pages: SearchPage[] = [];
  let cursor: string | undefined;
  do {
    const next = await page.ask('search', { ...params, ...(cursor !== undefined && { cursor }) });
    expect(next.events.length).toBeLessThanOrEqual(params.limit ?? 50);
    pages.push(next);
    cursor = next.next ?? undefined;
    expect(pages.length).toBeLessThan(EVENTS + 2);
  } while (cursor !== undefined);
  return { found: pages.flatMap(({ events }) => events), pages };
}

/** Returns the search parameters that stand for a filter. */
function paramsOf({ limit: _, ...filter }: RawFilter): SearchParams {
  const tags: Record<string, string[]> = {};
  const params: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(filter)) {
    if (key.startsWith('#')) tags[key.slice(1)] = value as string[];
    else params[key] = value;
  }
  return { ...params, ...(Object.keys(tags).length > 0 && { tags }) };
}

function hasWords({ content }: NostrEvent, words: string): boolean {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return wanted.every((word) => content.toLowerCase().includes(word));
}

const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => id).sort();
const foundIds = (found: readonly FoundEvent[]) => idsOf(found.map(({ event }) => event));

function expectNewestFirst(found: readonly FoundEvent[]): void {
  for (let i = 1; i < found.length; i++) {
    const [a, b] = [found[i - 1]!, found[i]!];
    const inOrder =
      a.event.created_at > b.event.created_at ||
      (a.event.created_at === b.event.created_at && a.seq > b.seq);
    expect(inOrder).toBe(true);
  }
}

describe('search', () => {
  it('finds what the oracle finds, whatever the size of a page, each event once', async () => {
    expect(stored.length).toBeGreaterThan(EVENTS / 4);
    for (let n = 0; n < SEARCHES; n++) {
      const filter = generator.filter();
      const words = random.below(2) === 0 ? '' : WORDS[random.below(WORDS.length)]!;
      const limit = [7, 50, 200][random.below(3)]!;
      const params = { ...paramsOf(filter), words, limit };
      const { found } = await all(admin, params);
      const { limit: _, ...conditions } = filter;
      const wanted = stored.filter((one) => matches(conditions, one) && hasWords(one, words));
      expect(foundIds(found), `seed ${SEED}, ${JSON.stringify(params)}`).toEqual(idsOf(wanted));
      expectNewestFirst(found);
    }
  });

  it('gives the events as they were published, with their time of arrival', async () => {
    const { found, pages } = await all(admin, { limit: 200 });
    const byId = new Map(stored.map((event) => [event.id, event]));
    for (const { event, receivedAt } of found) {
      expect(event).toEqual(byId.get(event.id));
      // Imported events have no time of arrival.
      if (receivedAt !== null) expect(Math.abs(receivedAt - now())).toBeLessThan(600);
    }
    expect(found.some(({ receivedAt }) => receivedAt !== null)).toBe(true);
    expect(pages.at(-1)).toMatchObject({ next: null, without: [] });
    expect(pages[0]!.searchedTo).toBe(pages[0]!.events.at(-1)!.event.created_at);
  });

  it('hides private kinds from moderators, and says so', async () => {
    const secrets = stored.filter(({ kind }) => PRIVATE.includes(kind));
    expect(secrets.length).toBeGreaterThan(0);
    const { found, pages } = await all(moderator, { limit: 200 });
    expect(foundIds(found)).toEqual(idsOf(stored.filter(({ kind }) => !PRIVATE.includes(kind))));
    expect(pages[0]!.without).toEqual(PRIVATE);
    const [secret] = secrets as [NostrEvent];
    for (const params of [
      { ids: [secret.id] },
      { kinds: [secret.kind] },
      { authors: [secret.pubkey], kinds: PRIVATE },
    ]) {
      const page = await moderator.ask('search', params);
      expect(page.events).toEqual([]);
      expect(foundIds((await admin.ask('search', params)).events)).toContain(secret.id);
    }
    expect((await moderator.ask('search', { kinds: [1] })).without).toEqual([]);
  });
});

describe('parameters of a search', () => {
  it('may be ids and keys as NIP-19 entities', async () => {
    const [event] = stored.filter(({ kind }) => kind === 1) as [NostrEvent];
    const relays = ['wss://relay.example', 'wss://other.example'];
    for (const id of [
      event.id,
      event.id.toUpperCase(),
      nip19.noteEncode(event.id),
      nip19.neventEncode({ id: event.id, relays, author: event.pubkey, kind: 1 }),
      `nostr:${nip19.neventEncode({ id: event.id })}`,
    ]) {
      expect(foundIds((await admin.ask('search', { ids: [id] })).events)).toEqual([event.id]);
    }
    const own = idsOf(stored.filter(({ pubkey }) => pubkey === event.pubkey));
    for (const key of [
      nip19.npubEncode(event.pubkey),
      nip19.nprofileEncode({ pubkey: event.pubkey, relays }),
    ]) {
      const { found } = await all(admin, { authors: [key], limit: 200 });
      expect(foundIds(found)).toEqual(own);
    }
    const reader = new Author();
    const tagged = reader.event({ tags: [['p', reader.pubkey]] });
    await client.publish(tagged);
    oracle.publish(tagged, now());
    stored = oracle.all(now());
    const tags = { p: [nip19.npubEncode(reader.pubkey)] };
    expect(foundIds((await admin.ask('search', { tags })).events)).toEqual([tagged.id]);
  });

  it.each<[string, unknown]>([
    ['no id', { ids: ['xyz'] }],
    ['a key for an id', { ids: [nip19.npubEncode(getPublicKey(adminKey))] }],
    ['an id with a wrong checksum', { ids: [`${nip19.noteEncode('0'.repeat(64)).slice(0, -1)}q`] }],
    ['no key', { authors: ['me'] }],
    ['a kind that is none', { kinds: [70_000] }],
    ['a tag of two letters', { tags: { tt: ['x'] } }],
    ['an e tag that is no id', { tags: { e: ['x'] } }],
    ['a time that is none', { since: 1.5 }],
    ['too large a page', { limit: 201 }],
    ['a cursor that is none', { cursor: 'abc' }],
    [
      'too many values',
      {
        ids: Array(501)
          .fill('0'.repeat(64))
          .map((id, i) => `${i}${id}`.slice(0, 64)),
      },
    ],
    ['something else', { query: 'x' }],
  ])('are refused with a sentence: %s', async (_, params) => {
    const answer = await admin.answer('search', params);
    expect(answer).toMatchObject({ status: 400, body: { error: { kind: 'usage' } } });
  });
});

describe('pages and concurrency of a search', () => {
  it('continue at their position while events come and go', async () => {
    const first = await admin.ask('search', { limit: 7 });
    const before = stored;
    const newer = new Author().event({ created_at: now() + 5 });
    await client.publish(newer);
    const shown = new Set(first.events.map(({ event }) => event.id));
    const [removed] = before.filter(({ id }) => !shown.has(id)) as [NostrEvent];
    await admin.ask('mod.remove', { what: 'event', subject: removed.id });
    const found = [...first.events];
    for (let cursor = first.next; cursor !== null; ) {
      const page = await admin.ask('search', { limit: 7, cursor });
      found.push(...page.events);
      cursor = page.next;
    }
    const wanted = before.filter(({ id }) => id !== removed.id);
    expect(foundIds(found)).toEqual(idsOf(wanted));
    expect(new Set(foundIds(found)).size).toBe(found.length);
  });

  it('are bounded: at most four searches at once', async () => {
    const asked = Array.from({ length: 7 }, () => admin.answer('search', { words: 'zzz' }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    expect(statuses).toContain(200);
    expect((await admin.answer('search', {})).status).toBe(200);
  });
});
