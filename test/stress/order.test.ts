// Tests of order and completeness against a real relay over WebSocket: OK after the commit,
// hand-over of stored to live events, replaceable events, slow clients.

import { setImmediate as turn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { databaseFile } from '../../src/store/database/open.ts';
import { TEST_MILLISECONDS, WAIT_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { Generator } from '../support/generator.ts';
import { History, Judge, Reader } from '../support/history.ts';
import { newestFirst, type RawFilter } from '../support/oracle.ts';
import { Random, testSeed } from '../support/random.ts';
import { ANY_TIME, type Settings, startRelay, type TestRelay } from '../support/relay.ts';

const SEED = testSeed('stress/order');
const ROUNDS = Number(process.env.WOK_TEST_ROUNDS ?? 1);
const NOW = 1_750_000_000;
const POOL = 1_500;
const TOPICS = Array.from({ length: 12 }, (_, n) => `topic-${n}`);
const REGULAR_KINDS = [1, 7, 1000];
const EPHEMERAL_KIND = 20_001;
/** Settings without effective caps, so that a filter without a limit returns all matches. */
const NO_CAPS: Settings = {
  ...ANY_TIME,
  'limits.limit_max': 100_000,
  'limits.limit_default': 100_000,
};
const MANY_SUBSCRIPTIONS: Settings = { 'limits.subscriptions_max': 1000, 'query.workers': 2 };
const STEPS = 500;
const WRITERS = 3;
const READERS = 4;
const IN_FLIGHT_MAX = 150;
const SUBSCRIPTIONS_MAX = 15;
const REUSES_MAX = 8;

/** Signed events of all tests; each test has a relay of its own. */
let pool: { regular: NostrEvent[]; ephemeral: NostrEvent[]; generator: Generator };

beforeAll(() => {
  const random = new Random(SEED);
  const generator = new Generator(random, { now: NOW, sign: true });
  const make = (kind: number, n: number) =>
    generator.event({
      kind,
      created_at: NOW - random.below(60),
      tags: [['t', TOPICS[n % TOPICS.length]!]],
      content: `${n}`,
    });
  pool = {
    regular: Array.from({ length: POOL }, (_, n) => make(random.pick(REGULAR_KINDS), n)),
    ephemeral: Array.from({ length: POOL / 10 }, (_, n) => make(EPHEMERAL_KIND, n)),
    generator,
  };
});

async function withRelay(
  settings: Settings,
  test: (relay: TestRelay) => Promise<void>,
): Promise<void> {
  const relay = await startRelay({ ...NO_CAPS, ...settings });
  try {
    await test(relay);
    expect(relay.logged).toEqual([]);
  } finally {
    await relay.stop();
  }
}

function openLog(relay: TestRelay): Database.Database {
  return new Database(databaseFile(relay.directory), { readonly: true, fileMustExist: true });
}

describe('OK true leaves after the commit', () => {
  it('so that the event is in the file at once, and every connection finds it', () =>
    withRelay({ ...MANY_SUBSCRIPTIONS, 'writer.batch_events_max': 7 }, async (relay) => {
      const db = openLog(relay);
      const isStored = db.prepare('SELECT count(*) FROM nostr_event WHERE id = ?').pluck();
      const reader = await Client.connect(relay.url);
      const found: Promise<{ id: string; ids: string[] }>[] = [];
      const late: string[] = [];
      const writers = await Promise.all(
        Array.from({ length: WRITERS }, () => Client.connect(relay.url)),
      );
      for (const writer of writers) {
        writer.tap = ([verb, id]) => {
          if (verb !== 'OK') return false;
          if (isStored.get(id) !== 1) late.push(String(id));
          found.push(
            reader
              .query({ ids: [id] })
              .then(({ events }) => ({ id: String(id), ids: events.map((event) => event.id) })),
          );
          return true;
        };
      }
      const events = pool.regular.slice(0, 400);
      events.forEach((event, n) => {
        writers[n % WRITERS]!.send(['EVENT', event]);
      });
      while (found.length < events.length) await turn();
      for (const { id, ids } of await Promise.all(found)) expect(ids).toEqual([id]);
      expect(late).toEqual([]);
      db.close();
    }));
});

/** Random load of publishing and subscribing on many connections, and the check of each of them. */
class Storm {
  readonly history = new History();
  readonly #random: Random;
  readonly #relay: TestRelay;
  readonly #regular = [...pool.regular];
  readonly #ephemeral = [...pool.ephemeral];
  #writers: Client[] = [];
  #readers: Reader[] = [];
  #subIds = 0;
  /** Number of uses of an id on a connection, which is the index of its next topic. */
  readonly #uses = new Map<string, number>();

  constructor(random: Random, relay: TestRelay) {
    this.#random = random;
    this.#relay = relay;
  }

  async run(): Promise<void> {
    const { history } = this;
    const { url } = this.#relay;
    this.#writers = await Promise.all(Array.from({ length: WRITERS }, () => Client.connect(url)));
    for (const writer of this.#writers) writer.tap = (message) => history.answered(message);
    this.#readers = await Promise.all(
      Array.from({ length: READERS }, () => Reader.connect(url, history)),
    );
    // Every topic has stored events before the first subscription.
    this.#publish(TOPICS.length * 10);
    await this.#settled();
    for (let step = 0; step < STEPS; step++) {
      this.#step();
      if (this.#random.chance(0.3)) await turn();
      while (history.inFlight > IN_FLIGHT_MAX) await turn();
    }
    await this.#evaluate();
  }

  #publish(count: number): void {
    for (let i = 0; i < count; i++) {
      const ephemeral = this.#random.chance(0.05) ? this.#ephemeral.pop() : undefined;
      const event = ephemeral ?? this.#regular.pop();
      if (event) this.history.publish(this.#random.pick(this.#writers), event);
    }
  }

  #step(): void {
    const random = this.#random;
    if (random.chance(0.5)) this.#publish(random.below(random.chance(0.1) ? 60 : 6));
    const reader = random.pick(this.#readers);
    const { open } = reader;
    if (open.length > 0 && (random.chance(0.25) || open.length >= SUBSCRIPTIONS_MAX)) {
      reader.close(random.pick(open));
    } else if (random.chance(0.5)) {
      this.#again(reader);
    } else {
      reader.req(`once-${++this.#subIds}`, ...this.#filters());
    }
  }

  /** Reuses one of a few subscription ids, in any state of its former subscription. */
  #again(reader: Reader): void {
    const subId = `again-${this.#random.below(4)}`;
    const key = `${this.#readers.indexOf(reader)} ${subId}`;
    const uses = this.#uses.get(key) ?? 0;
    if (uses >= REUSES_MAX) return;
    this.#uses.set(key, uses + 1);
    const filter: RawFilter = { '#t': [TOPICS[uses]!] };
    if (this.#random.chance(0.5)) filter.limit = 1 + this.#random.below(9);
    reader.req(subId, filter);
  }

  #filters(): RawFilter[] {
    const random = this.#random;
    return Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => {
      const filter: RawFilter = {};
      if (random.chance(0.4)) filter['#t'] = random.shuffle(TOPICS).slice(0, 3);
      if (random.chance(0.3)) filter.kinds = [random.pick(REGULAR_KINDS), EPHEMERAL_KIND];
      if (random.chance(0.2)) filter.authors = [random.pick(pool.generator.authors)];
      if (random.chance(0.2)) filter.since = NOW - 30;
      if (random.chance(0.5)) filter.limit = random.below(30);
      return filter;
    });
  }

  /** Waits until every event has its OK. */
  async #settled(): Promise<void> {
    while (this.history.inFlight > 0) await turn();
  }

  async #evaluate(): Promise<void> {
    const { history } = this;
    await this.#settled();
    const db = openLog(this.#relay);
    history.number(db);
    db.close();
    let evaluate = new Judge(history.published.values());
    let waiting = history.watched.filter(({ endedAt }) => endedAt === Number.POSITIVE_INFINITY);
    expect(waiting.length).toBeGreaterThan(5);
    await until(() => {
      waiting = waiting.filter((one) => evaluate.fault(one) !== null);
      return waiting.length === 0;
    }).catch(() => {});
    // One more event for all subscriptions: a duplicate in flight arrives before it.
    await this.#oneMore();
    evaluate = new Judge(history.published.values());
    const faults = history.watched.flatMap((one) => {
      const fault = evaluate.fault(one);
      return fault === null ? [] : [`${one.subId} ${JSON.stringify(one.filters)}: ${fault}`];
    });
    expect([...faults, ...history.faults]).toEqual([]);
    const published = [...history.published.values()];
    const ephemeral = published.filter(({ event }) => event.kind >= EPHEMERAL_KIND);
    expect(ephemeral.length).toBeGreaterThan(10);
    expect(published.filter(({ seq }) => seq === 0)).toEqual(ephemeral);
  }

  async #oneMore(): Promise<void> {
    const last = this.#readers.map((reader) =>
      reader.req('last', { kinds: [EPHEMERAL_KIND + 1], limit: 0 }),
    );
    await until(() => last.every(({ eoseAt }) => eoseAt > 0));
    const event = pool.generator.event({ kind: EPHEMERAL_KIND + 1, created_at: NOW, tags: [] });
    this.history.publish(this.#writers[0]!, event);
    await this.#settled();
    await until(() => last.every(({ live }) => live.length > 0));
  }
}

/** Waits until a condition holds. @throws Error after WAIT_MILLISECONDS. */
async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + WAIT_MILLISECONDS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`this did not come to hold: ${holds}`);
    await turn();
  }
}

describe('stored hands over to live', () => {
  const setups: Record<string, Settings> = {
    'with two workers of each and short slices': {
      'ingester.workers': 2,
      'query.workers': 2,
      'query.slice_milliseconds': 1,
      'storage.index_batch_events': 50,
    },
    'with hardly anything to replay': {
      'monitor.replay_events_max': 16,
      'writer.batch_events_max': 16,
      'query.slice_milliseconds': 1,
      'storage.index_batch_events': 500,
    },
    'with small commits and everything indexed': {
      'writer.batch_events_max': 2,
      'storage.index_batch_events': 1,
      'query.workers': 3,
    },
  };
  for (const [name, settings] of Object.entries(setups)) {
    it(name, { timeout: ROUNDS * TEST_MILLISECONDS }, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await withRelay(settings, (relay) => new Storm(new Random(SEED + round), relay).run());
      }
    });
  }
});

describe('a replaceable event', () => {
  it('reaches every subscription in ever newer versions, up to the newest', () =>
    withRelay({ 'query.workers': 2, 'storage.index_batch_events': 20 }, async (relay) => {
      const versions = Array.from({ length: 300 }, (_, n) =>
        pool.generator.event({ kind: 10_002, author: 0, created_at: NOW + n, tags: [] }),
      );
      const writer = await Client.connect(relay.url);
      const readers = await Promise.all([1, 2].map(() => Client.connect(relay.url)));
      const got = new Map<string, number[]>();
      readers.forEach((reader, n) => {
        reader.tap = ([verb, subId, event]) => {
          const key = `${n} ${subId}`;
          if (verb === 'EVENT') got.get(key)!.push((event as NostrEvent).created_at - NOW);
          return true;
        };
      });
      const published: Promise<void>[] = [];
      for (let at = 0; at < versions.length; at += 5) {
        published.push(publishAll(writer, versions.slice(at, at + 5)));
        const n = (at / 5) % readers.length;
        got.set(`${n} sub-${at}`, []);
        readers[n]!.send(['REQ', `sub-${at}`, { kinds: [10_002] }]);
        if (at % 3 === 0) await published.at(-1);
      }
      await Promise.all(published);
      const subscriptions = [...got.values()];
      await until(() => subscriptions.every((list) => list.at(-1) === versions.length - 1));
      const faults = subscriptions.filter((list) =>
        list.some((n, i) => i > 0 && n <= list[i - 1]!),
      );
      expect(faults).toEqual([]);
      expect((await writer.query({})).events).toEqual(versions.slice(-1));
    }));
});

describe('a client that reads slowly', () => {
  const KIB = 1024;
  const notes = (count: number, bytes: number, created_at: (n: number) => number) =>
    Array.from({ length: count }, (_, n) =>
      pool.generator.event({
        kind: 1,
        created_at: created_at(n),
        tags: [],
        content: `${n} ${'x'.repeat(bytes)}`,
      }),
    );

  it('gets what was written meanwhile once it reads on, each event once', () =>
    withRelay(
      {
        'monitor.replay_events_max': 16,
        'writer.batch_events_max': 16,
        'io.outbound_bytes_max': 1024 * KIB,
      },
      async (relay) => {
        const writer = await Client.connect(relay.url);
        // More bytes than the socket buffers at both ends of a connection hold.
        const stored = notes(350, 60_000, (n) => NOW - n);
        await publishAll(writer, stored);
        const reader = await Client.connect(relay.url);
        reader.tap = ([verb]) => {
          if (verb === 'EVENT') reader.socket.pause();
          return false;
        };
        reader.send(['REQ', 'slow', { limit: 1000 }, { kinds: [EPHEMERAL_KIND] }]);
        await until(() => reader.socket.isPaused);
        const after = [...pool.regular.slice(0, 300), ...notes(60, 60_000, (n) => NOW + 1 + n)];
        await publishAll(writer, after);
        reader.tap = () => false;
        reader.socket.resume();
        const { events } = await reader.stored('slow');
        expect(idsOf(events)).toEqual(idsOf(stored.sort(newestFirst)));
        const live = [];
        while (live.length < after.length) live.push(await reader.live('slow'));
        expect(idsOf(live).sort()).toEqual(idsOf(after).sort());
        // The subscription is live now, and no event came twice.
        const [signal] = pool.ephemeral as [NostrEvent];
        await writer.publish(signal);
        expect(await reader.live('slow')).toEqual(signal);
        await reader.sync();
        expect(reader.inbox).toEqual([]);
      },
    ));

  it('is not cut off by its own answer, whatever is in it', () =>
    withRelay({ 'io.outbound_bytes_max': 512 * KIB }, async (relay) => {
      const writer = await Client.connect(relay.url);
      // All in one second, which the query worker reads as a whole.
      const stored = notes(300, 30_000, () => NOW);
      await publishAll(writer, stored);
      const reader = await Client.connect(relay.url);
      for (const filter of [{}, { limit: 200 }]) {
        const { events } = await reader.query(filter);
        const expected = stored.sort(newestFirst).slice(0, filter.limit ?? 300);
        expect(idsOf(events)).toEqual(idsOf(expected));
      }
      expect(relay.relay.counters.slowClientsClosed).toBe(0);
    }));
});

describe('the end of a subscription', () => {
  it('stops its events before the next answer on the connection', () =>
    withRelay({ 'query.workers': 2 }, async (relay) => {
      const writer = await Client.connect(relay.url);
      const reader = await Client.connect(relay.url);
      const events = [...pool.regular];
      for (let round = 0; round < 30; round++) {
        await reader.req('short', { limit: 0 });
        const published = publishAll(writer, events.splice(0, 10));
        if (round % 2 === 0) await turn();
        reader.send(['CLOSE', 'short']);
        await reader.sync();
        reader.inbox.splice(0);
        await published;
        await reader.sync();
        expect(reader.inbox).toEqual([]);
      }
    }));
});

describe('ephemeral events', () => {
  it('reach those who listen, once, and nobody later', () =>
    withRelay({}, async (relay) => {
      const [writer, first, second] = (await Promise.all(
        [1, 2, 3].map(() => Client.connect(relay.url)),
      )) as [Client, Client, Client];
      await first.req('all', {});
      await second.req('kind', { kinds: [EPHEMERAL_KIND] });
      const events = pool.ephemeral.slice(0, 50);
      await publishAll(writer, events);
      const again = await Promise.all(events.map((event) => writer.publish(event)));
      expect(again.every(([, , ok, text]) => ok && String(text).startsWith('duplicate:'))).toBe(
        true,
      );
      for (const [client, subId] of [
        [first, 'all'],
        [second, 'kind'],
      ] as const) {
        const got = [];
        while (got.length < events.length) got.push(await client.live(subId));
        expect(idsOf(got)).toEqual(idsOf(events));
        await client.sync();
        expect(client.inbox).toEqual([]);
      }
      expect((await writer.query({})).events).toEqual([]);
      expect((await writer.count({}))[2]).toEqual({ count: 0 });
      const db = openLog(relay);
      expect(db.prepare('SELECT count(*) FROM event').pluck().get()).toBe(0);
      db.close();
    }));
});

/** Publishes 50 events at a time and expects that each was accepted. */
async function publishAll(writer: Client, events: readonly NostrEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += 50) {
    const some = events.slice(at, at + 50);
    const answers = await Promise.all(some.map((event) => writer.publish(event)));
    for (const answer of answers) expect(answer.slice(2)).toEqual([true, '']);
  }
}

function idsOf(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id);
}
