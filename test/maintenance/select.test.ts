// `wok export`, `wok scan` and `wok delete`: `select` as a unit against the naive oracle, the
// commands alone and beside an in-process relay.

import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import { openReader, termKey } from '../../src/store/database/open.ts';
import { TermHasher } from '../../src/store/index/terms.ts';
import { select } from '../../src/store/read/select.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Generator } from '../support/generator.ts';
import { matches, Oracle } from '../support/oracle.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, startRelay, testConfig } from '../support/relay.ts';
import { wok, wokHere } from '../support/wok.ts';

const SEED = testSeed('maintenance/select');
const EVENTS = 600;
const QUERIES = 150;
const NO_LIMITS = { filterValuesMax: 1e6, filterTagsMax: 52 };

function jsonl(events: readonly unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

function parsed(lines: string): NostrEvent[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NostrEvent);
}

const idsOf = (events: readonly NostrEvent[]) => events.map(({ id }) => id).sort();

describe('select', () => {
  it('finds what the oracle finds, in order, from index and tail', async () => {
    const random = new Random(SEED);
    const generator = new Generator(random, {
      now: now() - 100,
      sign: true,
      expirations: [4_000_000_000],
    });
    const oracle = new Oracle({ limitDefault: 1e9, limitMax: 1e9 });
    const events = Array.from({ length: EVENTS }, () => generator.event());
    for (const event of events) oracle.publish(event, now());
    const directory = freshDirectory();
    await wok(['import', '--data', directory], jsonl(events.slice(0, EVENTS / 2)));
    // The second half stays in the tail: the relay is not stopped before everything is read.
    const relay = await startRelay({ 'storage.index_delay_milliseconds': 600_000 }, directory);
    const client = await Client.connect(relay.url);
    for (const event of events.slice(EVENTS / 2)) await client.publish(event);
    const db = openReader(testConfig(directory).storage);
    const hasher = new TermHasher(termKey(db));
    const stored = oracle.all(now());
    expect(stored.length).toBeGreaterThan(EVENTS / 4);
    for (let n = 0; n < QUERIES; n++) {
      const raw = Array.from({ length: 1 + random.below(3) }, () => {
        const { limit: _, ...filter } = generator.filter();
        return filter;
      });
      const filters = raw.map((one) => parseFilter(one, NO_LIMITS) as Filter);
      const direction = random.chance(0.5) ? 'upwards' : 'downwards';
      const found = [...select({ db, hasher, filters, direction, nowSeconds: now() })];
      const got = found.map(({ json }) => JSON.parse(json) as NostrEvent);
      const wanted = stored.filter((event) => raw.some((one) => matches(one, event)));
      expect(idsOf(got), JSON.stringify(raw)).toEqual(idsOf(wanted));
      const times = got.map((event) => event.created_at);
      const sorted = [...times].sort((a, b) => (direction === 'upwards' ? a - b : b - a));
      expect(times).toEqual(sorted);
      const limited = filters.map((one) => ({ ...one, limit: 3 }));
      const few = [...select({ db, hasher, filters: limited, direction, nowSeconds: now() })];
      expect(few.length).toBeGreaterThanOrEqual(Math.min(3, wanted.length));
      expect(few.length).toBeLessThanOrEqual(3 * filters.length);
      if (filters.length === 1) expect(few).toEqual(found.slice(0, 3));
    }
    db.close();
    client.socket.terminate();
    await relay.stop();
  });
});

describe('wok export and wok scan', () => {
  it('write what is stored while the relay runs, and import takes it back', async () => {
    const alice = new Author();
    const bob = new Author();
    const start = now() - 1000;
    const events = [
      ...Array.from({ length: 30 }, (_, i) => alice.event({ created_at: start + i, kind: i % 3 })),
      bob.event({ created_at: start + 50, kind: 1, tags: [['t', 'x"y']], content: 'ä\n' }),
      bob.event({ created_at: start + 60, kind: 1059, tags: [['p', alice.pubkey]] }),
    ].filter(({ kind }) => kind !== 0);
    const directory = freshDirectory();
    const relay = await startRelay({}, directory);
    const client = await Client.connect(relay.url);
    for (const event of events) await client.publish(event);
    const data = ['--data', directory];
    const all = await wokHere(['export', ...data]);
    expect(all.code).toBe(exitCodes.ok);
    expect(parsed(all.out)).toEqual(events);
    const reversed = await wokHere(['export', '--reverse', ...data]);
    expect(parsed(reversed.out)).toEqual([...events].reverse());
    const some = await wokHere([
      ...['export', '--kinds', '1,1059', '--since', String(start + 10), ...data],
      ...['--until', new Date((start + 55) * 1000).toISOString(), '--authors', bob.pubkey],
    ]);
    expect(parsed(some.out)).toEqual([events.at(-2)]);
    const scan = await wokHere(['scan', '[{"kinds":[1],"limit":2},{"kinds":[1059]}]', ...data]);
    const ones = events.filter(({ kind }) => kind === 1);
    expect(parsed(scan.out)).toEqual([events.at(-1), ones.at(-1), ones.at(-2)]);
    const count = await wokHere(['scan', '--count', '{"#t":["x\\"y"]}', ...data]);
    expect(count.out).toBe('1\n');
    client.socket.terminate();
    await relay.stop();

    const other = freshDirectory();
    await wok(['import', '--data', other], all.out);
    expect((await wokHere(['export', '--data', other])).out).toBe(all.out);
  });

  it.each<[string[], string]>([
    [['export', '--kinds', 'one'], '--kinds must be numbers'],
    [['export', '--authors', 'npub1x'], '--authors must be public keys'],
    [['export', '--since', 'yesterday'], '--since must be seconds since 1970'],
    [['export', '--filter', '{'], '--filter is not JSON'],
    [['export', '--filter', '{"since":1}', '--since', '1'], '--since is also in --filter'],
    [['scan'], 'wok scan needs <filter>. Write wok scan <filter>.'],
    [['scan', '{"kind":[1]}'], 'unknown elements'],
    [['delete'], 'Give --filter or --age'],
    [['delete', '--age', 'old'], '--age is "old"'],
  ])('%j is refused with a sentence', async (args, sentence) => {
    const { err, code } = await wokHere([...args, '--data', freshDirectory()]);
    expect(err).toContain(sentence);
    expect(code).toBe(exitCodes.usage);
  });

  it('say so where there is no database', async () => {
    const { err, code } = await wokHere(['export', '--data', freshDirectory()]);
    expect(err).toContain('there is no database in ');
    expect(code).toBe(exitCodes.refused);
  });
});

describe('wok delete', () => {
  it.each(['beside a relay', 'alone'])(
    'removes what is meant and nothing else, %s',
    async (how) => {
      const alice = new Author();
      const age = 86_400 * 10;
      const old = Array.from({ length: 700 }, (_, i) =>
        alice.event({ created_at: now() - age - i - 10 }),
      );
      const young = Array.from({ length: 20 }, (_, i) => alice.event({ created_at: now() - i }));
      const directory = freshDirectory();
      const data = ['--data', directory];
      await wok(['import', ...data], jsonl([...old, ...young]));
      const relay = how === 'alone' ? null : await startRelay({}, directory);
      const dry = await wok(['delete', '--age', '10d', '--dry-run', ...data]);
      expect(dry.out).toBe('700 events would be removed.\n');
      const real = await wok(['delete', '--age', '10d', '--reason', 'too old', ...data]);
      expect(real.out).toBe('700 events were removed.\n');
      const left = parsed((await wokHere(['export', ...data])).out);
      expect(idsOf(left)).toEqual(idsOf(young));
      if (relay) {
        const client = await Client.connect(relay.url);
        const { events } = await client.query({ authors: [alice.pubkey], limit: 900 });
        expect(idsOf(events)).toEqual(idsOf(young));
        client.socket.terminate();
        await relay.stop();
      }
      const db = openReader(testConfig(directory).storage);
      const audit = db.prepare('SELECT by, action, subject, reason FROM audit').all();
      expect(audit).toEqual([
        { by: 'shell', action: 'delete', subject: '700 events: --age 10d', reason: 'too old' },
      ]);
      db.close();
      // No tombstones: events removed by the operator may come again.
      const again = await wok(['import', ...data], jsonl(old));
      expect(again.out).toContain('700 events read · 700 added');
    },
  );
});
