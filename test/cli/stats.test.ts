// `wok stats`, run as a command, against numbers taken from `wok export` and from the rows of the
// log; the table of groups and the counting as units.

import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { exitCodes, INTERRUPTED } from '../../src/lib/exit-codes.ts';
import { groupEvents } from '../../src/maintenance/statistics.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import { GroupTable } from '../../src/store/database/group-table.ts';
import { openReader } from '../../src/store/database/open.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Generator } from '../support/generator.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, startRelay, testConfig } from '../support/relay.ts';
import { runWok, SIGNAL_AT_ONCE, wok, wokHere } from '../support/wok.ts';

const SEED = testSeed('cli/stats');
const DAY = 86_400;
const LIMITS = { filterValuesMax: 1e6, filterTagsMax: 52 };

const jsonl = (events: readonly unknown[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

async function stored(events: readonly NostrEvent[]): Promise<string> {
  const directory = freshDirectory();
  await wok(['import', '--no-limits', '--data', directory], jsonl(events));
  return directory;
}

interface Row {
  kind?: number;
  name?: string;
  author?: string;
  day?: string;
  events: number;
  bytes: number;
}

interface Answer {
  by: string;
  total: { groups: number; events: number; bytes: number };
  groups: Row[];
  rest: { groups: number; events: number; bytes: number };
}

async function statsOf(directory: string, ...flags: string[]): Promise<Answer> {
  const { out, err, code } = await wokHere(['stats', '--json', '--data', directory, ...flags]);
  expect([err, code], flags.join(' ')).toEqual(['', exitCodes.ok]);
  return JSON.parse(out) as Answer;
}

/** Returns the stored events that `wok export` finds, and the bytes of the body of each. */
async function exported(directory: string, flags: readonly string[]) {
  const { out } = await wokHere(['export', '--reverse', '--data', directory, ...flags]);
  const events = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NostrEvent);
  const db = new Database(join(directory, 'wok.db'), { readonly: true });
  const rows = db.prepare(
    'SELECT octet_length(event.json) AS bytes, id FROM event JOIN nostr_event USING (seq)',
  );
  const bytes = new Map(
    (rows.all() as { id: string; bytes: number }[]).map((row) => [row.id, row.bytes]),
  );
  db.close();
  return events.map((event) => ({ event, bytes: bytes.get(event.id)! }));
}

const KEY_OF = {
  kind: ({ kind }: NostrEvent) => kind,
  author: ({ pubkey }: NostrEvent) => pubkey,
  day: (event: NostrEvent) => new Date(event.created_at * 1000).toISOString().slice(0, 10),
};

type By = keyof typeof KEY_OF;

/** Checks all groups of a selection against the export of the same. */
async function expectSame(directory: string, by: By, flags: readonly string[]): Promise<void> {
  const wanted = new Map<string | number, { events: number; bytes: number }>();
  const found = await exported(directory, flags);
  for (const { event, bytes } of found) {
    const key = KEY_OF[by](event);
    const group = wanted.get(key) ?? { events: 0, bytes: 0 };
    wanted.set(key, { events: group.events + 1, bytes: group.bytes + bytes });
  }
  const { groups, total, rest } = await statsOf(directory, '--by', by, '--top', '0', ...flags);
  const what = `by ${by} ${flags.join(' ')}`;
  const got = new Map(groups.map((row) => [row[by]!, { events: row.events, bytes: row.bytes }]));
  expect(got, what).toEqual(wanted);
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  expect(total, what).toEqual({ groups: wanted.size, events: found.length, bytes });
  expect(rest, what).toEqual({ groups: 0, events: 0, bytes: 0 });
  const order = groups.map((row) => (by === 'day' ? row.day! : row.events));
  expect(order, what).toEqual([...order].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)));
}

describe('wok stats', () => {
  it('counts what the export has, by kind, author and day, with every filter', async () => {
    const random = new Random(SEED);
    const latest = now() - 10;
    const generator = new Generator(random, {
      now: latest,
      sign: true,
      timeSpread: 40 * DAY,
      expirations: [4_000_000_000],
    });
    const directory = await stored(Array.from({ length: 500 }, () => generator.event()));
    const { groups } = await statsOf(directory, '--by', 'author');
    const author = groups[0]!.author!;
    const filters = [
      [],
      ['--kinds', '1,7,1059'],
      ['--authors', author],
      ['--since', String(latest - 20 * DAY), '--until', String(latest - 5 * DAY)],
      ['--filter', `{"authors":["${author}"],"kinds":[1]}`, '--filter', '{"kinds":[5]}'],
      ['--filter', '{"limit":7}'],
      ['--filter', '{"#t":["nostr","Nostr"]}'],
      ['--filter', '{"kinds":[]}'],
    ];
    for (const flags of filters) {
      for (const by of ['kind', 'author', 'day'] as const) await expectSame(directory, by, flags);
    }
    expect((await statsOf(directory, '--filter', '{"limit":7}')).total.events).toBe(7);
    const plain = await statsOf(directory);
    expect(plain.by).toBe('kind');
    const info = JSON.parse((await wokHere(['info', '--json', '--data', directory])).out);
    expect(plain.total.events).toBe(info.events);
  });

  it('counts events that a running relay has not indexed', async () => {
    const [alice, bob] = [new Author(), new Author()];
    const directory = await stored(
      Array.from({ length: 20 }, (_, n) => alice.event({ created_at: now() - 1000 - n })),
    );
    const relay = await startRelay({ 'storage.index_delay_milliseconds': 600_000 }, directory);
    const client = await Client.connect(relay.url);
    for (let n = 0; n < 30; n++) await client.publish(bob.event({ content: `${n}` }));
    await client.publish(bob.event({ kind: 20_001 }));
    for (const flags of [[], ['--kinds', '1'], ['--since', '1']]) {
      const { groups } = await statsOf(directory, '--by', 'author', ...flags);
      expect(groups.map(({ author, events }) => [author, events])).toEqual([
        [bob.pubkey, 30],
        [alice.pubkey, 20],
      ]);
      await expectSame(directory, 'author', flags);
    }
    client.socket.terminate();
    await relay.stop();
  });
});

describe('wok stats shows', () => {
  it('the largest groups, the rest and the sum, with names of kinds', async () => {
    const author = new Author();
    const numbers = { 1: 12, 7: 5, 1111: 2, 4321: 2, 30023: 1 };
    const events = Object.entries(numbers).flatMap(([kind, count]) =>
      Array.from({ length: count }, (_, n) =>
        author.event({ kind: Number(kind), content: 'x'.repeat(100), tags: [['d', `${n}`]] }),
      ),
    );
    const directory = await stored(events);
    const { out, code } = await wokHere(['stats', '--top', '3', '--data', directory]);
    expect(code).toBe(exitCodes.ok);
    expect(out.split('\n').map((line) => line.replaceAll(/\s{2,}/g, ' | ').trim())).toEqual([
      'events | share | bytes | share | kind',
      expect.stringMatching(/^\| 12 \| 55 % \| [\d.]+ kB \| 5\d % \| 1 \(notes\)$/),
      expect.stringMatching(/^\| 5 \| 23 % \| [\d.]+ kB \| 2\d % \| 7 \(reactions\)$/),
      expect.stringMatching(/^\| 2 \| 9\.1 % \| \d+ B \| [\d.]+ % \| 1111 \(comments\)$/),
      expect.stringMatching(/^\| 3 \| 14 % \| \d+ B \| 1\d % \| \(2 kinds more\)$/),
      expect.stringMatching(/^\| 22 \| 100 % \| [\d.]+ kB \| 100 % \| \(5 kinds in all\)$/),
      '',
    ]);
    const lengths = out.split('\n').map((line) => line.search(/kind$|\d+ \(|\(\d+ kind/));
    expect(new Set(lengths.slice(0, 6)).size).toBe(1);
    const { groups, rest } = await statsOf(directory, '--top', '3');
    expect(groups[0]).toMatchObject({ kind: 1, name: 'notes', events: 12 });
    expect(rest).toMatchObject({ groups: 2, events: 3 });
    const all = await wokHere(['stats', '--top', '0', '--data', directory]);
    expect(all.out).toContain('  4321\n');
    expect(all.out).not.toContain('more');
  });

  it('the newest days, whatever created_at is', async () => {
    const author = new Author();
    const times = [0, DAY - 1, DAY, 1_700_000_000, 8_640_000_000_001, Number.MAX_SAFE_INTEGER];
    const directory = await stored(times.map((created_at) => author.event({ created_at })));
    for (const flags of [[], ['--kinds', '1']]) {
      const { groups } = await statsOf(directory, '--by', 'day', ...flags);
      expect(groups.map(({ day, events }) => [day, events])).toEqual([
        ['9007199254713600', 1],
        ['+275760-09-13', 1],
        ['2023-11-14', 1],
        ['1970-01-02', 1],
        ['1970-01-01', 2],
      ]);
    }
    const { groups, rest } = await statsOf(directory, '--by', 'day', '--top', '1');
    expect([groups.length, rest.groups]).toEqual([1, 4]);
  });
});

describe('wok stats says', () => {
  it('nothing but the sum of an empty database', async () => {
    const directory = await stored([]);
    const { out } = await wokHere(['stats', '--by', 'author', '--data', directory]);
    expect(out).toBe(
      'events  share    bytes  share  author\n     0    0 %      0 B    0 %  (0 authors in all)\n',
    );
  });

  it.each<[string[], string]>([
    [['--by', 'pubkey'], '--by must be kind, author or day, not "pubkey".'],
    [['--top', '-1'], '--top needs a value, and -1 looks like a flag.'],
    [['--top', 'all'], '--top must be a whole number from 0 to '],
    [['--kinds', 'one'], '--kinds must be numbers'],
    [['--filter', '{'], '--filter is not JSON'],
    [['now'], 'wok stats cannot use "now". Write wok stats.'],
  ])('what to write instead of %j', async (flags, sentence) => {
    const { out, err, code } = await wokHere(['stats', ...flags, '--data', freshDirectory()]);
    expect(err).toContain(sentence);
    expect([out, code]).toEqual(['', exitCodes.usage]);
  });

  it('nothing after Ctrl-C, and that there is no database', async () => {
    const directory = await stored([new Author().event()]);
    const { out, err, code } = await runWok(['stats', '--data', directory], {
      preload: SIGNAL_AT_ONCE,
    });
    expect([out, err, code]).toEqual(['', '', INTERRUPTED]);
    const none = await wokHere(['stats', '--data', freshDirectory()]);
    expect(none.err).toContain('there is no database in ');
    expect(none.code).toBe(exitCodes.refused);
  });
});

describe('groupEvents', () => {
  it('holds no snapshot between two slices, and ends when it is told', async () => {
    const author = new Author();
    const events = Array.from({ length: 1200 }, (_, n) => author.event({ created_at: now() - n }));
    const directory = await stored(events);
    const db = openReader(testConfig(directory).storage);
    const beside = new Database(join(directory, 'wok.db'));
    for (const filter of [{}, { kinds: [1] }]) {
      const filters = [parseFilter(filter, LIMITS) as Filter];
      const busy: unknown[] = [];
      const signal = new AbortController().signal;
      const progress = () => {
        beside.exec("UPDATE meta SET value = value WHERE name = 'indexed_seq'");
        busy.push(...(beside.pragma('wal_checkpoint(TRUNCATE)') as unknown[]));
      };
      const table = await groupEvents(db, { by: 'author', filters, signal, progress });
      expect(table.sum()).toMatchObject({ groups: 1, events: 1200 });
      expect(busy).toEqual([{ busy: 0, log: 0, checkpointed: 0 }]);
      table.close();
      const controller = new AbortController();
      const stopped = groupEvents(db, {
        by: 'kind',
        filters,
        signal: controller.signal,
        progress: () => controller.abort(),
      });
      await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    }
    beside.close();
    db.close();
  });
});

describe('a table of groups', () => {
  it('adds, sums and sorts numbers and hex keys', () => {
    const table = new GroupTable();
    const keys = Array.from({ length: 3_000 }, (_, n) => n.toString(16).padStart(64, '0'));
    for (let n = 0; n < 3; n++) {
      table.add(keys.map((key, at) => ({ key, events: at < 2 ? 2 - at : 1, bytes: 10 })));
    }
    table.add([{ key: 'ff'.repeat(32), events: 100, bytes: 1 }]);
    expect(table.sum()).toEqual({ groups: 3_001, events: 9_103, bytes: 90_001 });
    expect([...table.sorted('events', 3)]).toEqual([
      { key: 'ff'.repeat(32), events: 100, bytes: 1 },
      { key: keys[0], events: 6, bytes: 30 },
      { key: keys[1], events: 3, bytes: 30 },
    ]);
    expect([...table.sorted('key', 1)][0]!.key).toBe('ff'.repeat(32));
    expect([...table.sorted('events', 0)].length).toBe(3_001);
    table.close();
  });
});
