// nostr-tools (Relay and SimplePool) as a client of in-process relays over real sockets. With
// WOK_TEST_DATA, also real events, compared with the naive oracle.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Filter } from 'nostr-tools';
import { SimplePool, useWebSocketImplementation as usePoolWebSocket } from 'nostr-tools/pool';
import {
  type EventTemplate,
  finalizeEvent,
  generateSecretKey,
  getPublicKey,
} from 'nostr-tools/pure';
import { Relay, useWebSocketImplementation as useRelayWebSocket } from 'nostr-tools/relay';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { WAIT_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { Oracle, type RawFilter } from '../support/oracle.ts';
import { Random, testSeed } from '../support/random.ts';
import { ANY_TIME, freshDirectory, startRelay, type TestRelay } from '../support/relay.ts';

// Node.js 20 has no WebSocket of its own.
useRelayWebSocket(WebSocket);
usePoolWebSocket(WebSocket);

/** Timeouts of a relay of nostr-tools: a busy machine takes longer than the defaults. */
const PATIENCE = {
  baseEoseTimeout: WAIT_MILLISECONDS,
  publishTimeout: WAIT_MILLISECONDS,
  connectionTimeout: WAIT_MILLISECONDS,
};

const secret = generateSecretKey();
const pubkey = getPublicKey(secret);
let made = 0;

/** Returns a signed event of the last minutes, each dated a second later than the one before. */
function sign(draft: Partial<EventTemplate> = {}): NostrEvent {
  const { kind = 1, tags = [], content = `note ${made}` } = draft;
  const created_at = draft.created_at ?? Math.floor(Date.now() / 1000) - 500 + made++;
  const { id, sig } = finalizeEvent({ kind, tags, content, created_at }, secret);
  return { id, pubkey, created_at, kind, tags, content, sig };
}

/** Returns the fields of an event without those that nostr-tools adds to it. */
function plain(event: NostrEvent): NostrEvent {
  const { id, pubkey, created_at, kind, tags, content, sig } = event;
  return { id, pubkey, created_at, kind, tags, content, sig };
}

/** Subscribes until EOSE, closes, and returns the stored events. */
async function storedBy(relay: Relay, filters: Filter[]): Promise<NostrEvent[]> {
  return new Promise<NostrEvent[]>((resolve, reject) => {
    const events: NostrEvent[] = [];
    const subscription = relay.subscribe(filters, {
      onevent: (event) => events.push(plain(event)),
      oneose: () => {
        subscription.close();
        resolve(events);
      },
      oninvalidevent: reject,
      onclose: (reason) => {
        if (reason !== 'closed by caller') reject(new Error(reason));
      },
    });
  });
}

/** Subscribes until EOSE has come; `heard` fills with live events, `next` waits for so many. */
async function listen(relay: Relay, filter: Filter) {
  const heard: NostrEvent[] = [];
  let wake: () => void = () => {};
  const next = (count: number) =>
    new Promise<void>((resolve) => {
      wake = () => heard.length >= count && resolve();
      wake();
    });
  const subscription = await new Promise<ReturnType<Relay['subscribe']>>((resolve) => {
    const opened = relay.subscribe([filter], {
      onevent: (event) => {
        heard.push(plain(event));
        wake();
      },
      oneose: () => resolve(opened),
    });
  });
  return { heard, next, subscription };
}

/** Registers tests of Relay. */
function relayTests(use: ServerInUse): void {
  describe('Relay', () => {
    let relay: Relay;
    beforeAll(async () => {
      relay = await Relay.connect(use.server.url);
      Object.assign(relay, PATIENCE);
    });
    afterAll(() => relay.close());
    const stored = (...filters: Filter[]) => storedBy(relay, filters);

    it('publishes, is told of duplicates and of what is wrong', async () => {
      const event = sign();
      await expect(relay.publish(event)).resolves.toBe('');
      await expect(relay.publish(event)).resolves.toMatch(/^duplicate: /);
      const forged = { ...sign(), content: 'something else' };
      await expect(relay.publish(forged)).rejects.toThrow(/^invalid: /);
    });

    it('finds what it published, newest first, up to its limit', async () => {
      const events = ['a', 'b', 'c'].map((t) => sign({ kind: 1000, tags: [['t', t]] }));
      for (const event of events) await relay.publish(event);
      events.reverse();
      expect(await stored({ kinds: [1000] })).toEqual(events);
      expect(await stored({ kinds: [1000], limit: 2 })).toEqual(events.slice(0, 2));
      expect(await stored({ kinds: [1000], '#t': ['a', 'b'] })).toEqual(events.slice(1));
      expect(await stored({ ids: [events[0]!.id] }, { '#t': ['a'] })).toEqual([
        ...[events[0], events[2]],
      ]);
      expect(await stored({ authors: ['0'.repeat(64)] })).toEqual([]);
    });

    it('hears of new events until it closes', async () => {
      const { heard, next, subscription } = await listen(relay, { kinds: [1001, 20_001] });
      const events = [1001, 20_001, 1002, 1001].map((kind) => sign({ kind }));
      for (const event of events) await relay.publish(event);
      const wanted = events.filter(({ kind }) => kind !== 1002);
      await next(wanted.length);
      expect(heard).toEqual(wanted);
      subscription.close();
      await relay.publish(sign({ kind: 1001 }));
      await stored({ limit: 1 });
      expect(heard).toEqual(wanted);
    });

    it('counts', async () => {
      for (const kind of [1003, 1003, 1004]) await relay.publish(sign({ kind }));
      expect(await relay.count([{ kinds: [1003] }], {})).toBe(2);
      expect(await relay.count([{ kinds: [1003] }, { kinds: [1003, 1004] }], {})).toBe(3);
    });

    it('is told why a subscription is refused', async () => {
      const reason = await new Promise<string>((resolve) => {
        relay.subscribe([{ search: 'words' }], { onclose: resolve });
      });
      expect(reason).toMatch(/^unsupported: /);
    });

    it('replaces and deletes', async () => {
      const [older, newer] = [sign({ kind: 0 }), sign({ kind: 0 })];
      await relay.publish(newer);
      await expect(relay.publish(older)).rejects.toThrow(/^duplicate: /);
      expect(await stored({ kinds: [0], authors: [pubkey] })).toEqual([newer]);
      await relay.publish(sign({ kind: 5, tags: [['e', newer.id]] }));
      expect(await stored({ kinds: [0], authors: [pubkey] })).toEqual([]);
      await expect(relay.publish(newer)).rejects.toThrow(/^blocked: /);
    });
  });
}

/** Registers tests of SimplePool, with this relay and another one. */
function poolTests(use: ServerInUse): void {
  describe('SimplePool', () => {
    let other: TestRelay;
    let pool: SimplePool;
    beforeAll(async () => {
      other = await startRelay();
      pool = new SimplePool();
    });
    afterAll(async () => {
      pool.destroy();
      await other.stop();
    });

    it('publishes to two relays and queries both', async () => {
      const urls = [use.server.url, other.url];
      const shared = sign({ kind: 1010 });
      const alone = sign({ kind: 1010 });
      expect(await Promise.all(pool.publish(urls, shared))).toEqual(['', '']);
      expect(await Promise.all(pool.publish([other.url], alone))).toEqual(['']);
      const found = await pool.querySync(urls, { kinds: [1010] });
      expect(found.map(plain).sort(byTime)).toEqual([alone, shared]);
      expect(plain((await pool.get(urls, { ids: [alone.id] }))!)).toEqual(alone);
      expect(await pool.get(urls, { ids: ['0'.repeat(64)] })).toBeNull();
    });

    it('hears of new events of both, each once', async () => {
      const urls = [use.server.url, other.url];
      const heard: NostrEvent[] = [];
      const events = Array.from({ length: 10 }, () => sign({ kind: 1011 }));
      await new Promise<void>((resolve, reject) => {
        const subscription = pool.subscribeMany(
          urls,
          { kinds: [1011] },
          {
            onevent: (event) => {
              if (heard.push(plain(event)) < events.length) return;
              subscription.close();
              resolve();
            },
            oneose: () => {
              for (const event of events) Promise.all(pool.publish(urls, event)).catch(reject);
            },
          },
        );
      });
      expect(heard.sort(byTime)).toEqual(events.reverse());
    });
  });
}

/** Relay of the tests; set while one runs. */
interface ServerInUse {
  server: TestRelay;
}

describe('nostr-tools', () => {
  const use = {} as ServerInUse;
  beforeAll(async () => {
    use.server = await startRelay();
  });
  afterAll(() => use.server.stop());

  relayTests(use);
  poolTests(use);
});

const DATA = process.env.WOK_TEST_DATA;
const FILE = DATA === undefined ? '' : join(DATA, 'real-events.jsonl');
if (DATA === undefined) {
  process.stdout.write('relay/nostr-tools: set WOK_TEST_DATA to a folder with real-events.jsonl\n');
}

describe.skipIf(DATA === undefined)('@all real events (WOK_TEST_DATA)', () => {
  const random = new Random(testSeed('relay/nostr-tools'));
  const now = Math.floor(Date.now() / 1000);
  const oracle = new Oracle({ limitDefault: 500, limitMax: 1000 });
  let events: NostrEvent[];
  let server: TestRelay;
  let client: Client;
  beforeAll(async () => {
    expect(existsSync(FILE), `${FILE} exists`).toBe(true);
    events = readFileSync(FILE, 'utf8')
      .trim()
      .split('\n')
      .map((line) => plain(JSON.parse(line) as NostrEvent));
    server = await startRelay({ ...ANY_TIME, 'storage.index_batch_events': 100 }, freshDirectory());
    client = await Client.connect(server.url);
  });
  afterAll(() => server.stop());

  it('are accepted, each by a verdict that the oracle shares', async () => {
    const expected = events.map((event) => oracle.publish(event, now));
    expect(new Set(expected.map(({ reason }) => reason))).toEqual(new Set(['stored']));
    const answers = await Promise.all(events.map((event) => client.publish(event)));
    expect(answers).toEqual(events.map(({ id }) => ['OK', id, true, '']));
  });

  it('are known the second time: duplicates, or replaced meanwhile', async () => {
    const expected = events.map((event) => oracle.publish(event, now));
    expect(expected.filter(({ reason }) => reason === 'duplicate').length).toBeGreaterThan(700);
    const answers = await Promise.all(events.map((event) => client.publish(event)));
    const verdicts = answers.map(([, , ok, text]) => ({ ok, prefix: String(text).split(':')[0] }));
    expect(verdicts).toEqual(expected.map(({ ok, prefix }) => ({ ok, prefix })));
  });

  it('come back as the oracle says, whatever is asked for', async () => {
    const filters = Array.from({ length: 400 }, () => filterFrom(events, random));
    for (let at = 0; at < filters.length; at += 20) {
      await Promise.all(
        filters.slice(at, at + 20).map(async (filter) => {
          const asked = JSON.stringify(filter).slice(0, 1000);
          const answer = await client.query(filter);
          const expected = oracle.query([filter], now);
          expect(idsOf(answer.events), asked).toEqual(idsOf(expected));
          expect(JSON.stringify(answer.events)).toBe(JSON.stringify(expected));
          const [, , counted] = await client.count(filter);
          expect(counted, asked).toEqual({ count: oracle.count([filter], now) });
        }),
      );
    }
  });

  it('come back page by page, from the newest to the oldest', async () => {
    const found = new Set<string>();
    let until = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const { events: page } = await client.query({ until, limit: 100 });
      const before = found.size;
      for (const { id } of page) found.add(id);
      if (found.size === before) break;
      until = page.at(-1)!.created_at;
    }
    expect([...found].sort()).toEqual(idsOf(oracle.all(now)).sort());
  });
});

/** Makes a filter from values in the data. */
function filterFrom(events: readonly NostrEvent[], random: Random): RawFilter {
  const filter: RawFilter = {};
  const some = random.chance(0.2) ? random.shuffle(events).slice(0, 300) : random.sample(events, 5);
  const group = [random.pick(events), ...some];
  if (random.chance(0.4)) filter.authors = group.map((event) => event.pubkey);
  if (random.chance(0.3)) filter.kinds = [...new Set(group.map((event) => event.kind))];
  if (random.chance(0.1)) filter.ids = group.map((event) => event.id);
  if (random.chance(0.4)) {
    const tags = random.shuffle(events).flatMap((event) => event.tags);
    const [name, value] = tags.find(([letter]) => /^[A-Za-z]$/.test(letter ?? '')) ?? [];
    if (value !== undefined) filter[`#${name}`] = [value];
  }
  if (random.chance(0.3)) filter.since = random.pick(events).created_at;
  if (random.chance(0.3)) filter.until = random.pick(events).created_at;
  if (random.chance(0.4)) filter.limit = random.below(60);
  return filter;
}

function byTime(a: NostrEvent, b: NostrEvent): number {
  return b.created_at - a.created_at;
}

function idsOf(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id);
}
