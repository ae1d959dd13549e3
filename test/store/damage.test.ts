// Random damage to every kind of page and file of a database: a start works or says in one sentence
// that it is damaged, `wok doctor` finds the damage, and its repair loses nothing that can still be
// read. Relays and commands run in this process; those of each kind of outcome also in their own.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { SCHEMA_VERSION } from '../../src/store/database/migrations.ts';
import { Author, now } from '../support/author.ts';
import { WokProcess } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, startRefusal } from '../support/relay.ts';
import { copyOfDirectory } from '../support/temporary.ts';
import { wok, wokHere } from '../support/wok.ts';

const ROUNDS = Number(process.env.WOK_TEST_ROUNDS ?? 3);
const PAGE = 4096;
const FRAME = PAGE + 24;

const author = new Author();
const LARGE = Array.from({ length: 12 }, (_, n) =>
  author.event({ created_at: now() - 20_000 + n, content: `${n} ${'large '.repeat(3_000)}` }),
);
const EVENTS = [
  ...Array.from({ length: 900 }, (_, n) =>
    author.event({
      created_at: now() - 9_000 + n,
      tags: [
        ['t', `tag ${n % 7}`],
        ...(n % 10 === 0 ? [['expiration', String(now() + 90_000)]] : []),
      ],
      content: `${n} `.repeat(n % 60),
    }),
  ),
  ...LARGE,
];
const TOMBSTONES = Array.from({ length: 300 }, (_, n) => String(n).padStart(64, 'f'));
const DELETION = author.deletion(TOMBSTONES.map((id) => ['e', id]));
const ALL = [...EVENTS, DELETION];
const BY_ID = new Map(ALL.map((event) => [event.id, event]));

interface Page {
  /** Name of the table or index, or `freelist`. */
  name: string;
  pageno: number;
  pagetype: 'internal' | 'leaf' | 'overflow';
}

let original: string;
let pages: Page[];
/**
 * Pages that hold the id of each event: its own, and earlier ones from before SQLite moved its row.
 */
let home: Map<string, Set<number>>;

beforeAll(async () => {
  original = freshDirectory();
  const spare = Array.from({ length: 300 }, (_, n) =>
    author.event({ content: `spare ${n} `.repeat(60) }),
  );
  const lines = [...spare, ...ALL].map((event) => `${JSON.stringify(event)}\n`);
  await wok(['import', '--data', original], lines.join(''));
  const file = join(original, 'wok.db');
  // Makes free pages, bans and an audit log.
  const db = new Database(file);
  db.exec('DELETE FROM posting WHERE seq <= 300; DELETE FROM event WHERE seq <= 300');
  const ban = db.prepare(
    "INSERT INTO listed VALUES ('event', ?, 'ban', 'a reason', 'shell', 1700000000, NULL, NULL)",
  );
  const row = db.prepare(
    "INSERT INTO audit (at, by, action, subject, reason) VALUES (1700000000, 'shell', 'ban event', ?, '')",
  );
  for (let n = 0; n < 120; n++) {
    ban.run(n.toString(16).padStart(64, 'a'));
    row.run(String(n).repeat(10));
  }
  db.pragma('wal_checkpoint(TRUNCATE)');
  pages = db.prepare('SELECT name, pageno, pagetype FROM dbstat').all() as Page[];
  const used = new Set(pages.map(({ pageno }) => pageno));
  const count = db.pragma('page_count', { simple: true }) as number;
  for (let pageno = 2; pageno <= count; pageno++) {
    if (!used.has(pageno)) pages.push({ name: 'freelist', pageno, pagetype: 'leaf' });
  }
  db.close();
  const leaves = new Set(
    pages.filter((one) => one.name === 'event' && one.pagetype === 'leaf').map((one) => one.pageno),
  );
  home = homes(readFileSync(file), leaves);
  expect(home.size).toBe(ALL.length);
  expect(pages.filter(({ name }) => name === 'freelist').length).toBeGreaterThan(5);
});

/** Finds the pages, among the given ones, that hold the ids. */
function homes(bytes: Buffer, among: ReadonlySet<number>): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const { id } of ALL) {
    const wanted = Buffer.from(id, 'hex');
    for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) {
      const page = Math.floor(at / PAGE) + 1;
      if (among.has(page)) found.set(id, (found.get(id) ?? new Set()).add(page));
    }
  }
  return found;
}

function damaged(): string {
  const directory = freshDirectory();
  copyFileSync(join(original, 'wok.db'), join(directory, 'wok.db'));
  return directory;
}

/** Overwrites bytes with zeros, ones or garbage, or flips some bits; returns the kind of damage. */
function spoil(random: Random, bytes: Buffer, start: number, length: number): string {
  const how = random.pick(['zeros', 'garbage', 'ones', 'bits'] as const);
  if (how === 'zeros') bytes.fill(0, start, start + length);
  else if (how === 'ones') bytes.fill(0xff, start, start + length);
  else if (how === 'garbage') {
    for (let at = start; at < start + length; at++) bytes[at] = random.below(256);
  } else {
    for (let n = 0; n < 1 + random.below(12); n++) {
      bytes[start + random.below(length)]! ^= 1 << random.below(8);
    }
  }
  return how;
}

/**
 * Starts a relay in this process: it comes up and ends in order (true), or says in one sentence
 * that the database is damaged (false).
 */
async function tryStart(directory: string): Promise<boolean> {
  const refusal = await startRefusal(directory);
  if (refusal === null) return true;
  // A schema version made of spoiled bits is newer, or not one of wok.
  expect([exitCodes.damaged, exitCodes.version], refusal.sentence).toContain(refusal.status);
  return false;
}

/** Does the same as `tryStart` in a process, whose output and exit status it checks. */
async function tryProcess(directory: string): Promise<boolean> {
  const relay = WokProcess.spawn({}, directory);
  const started = await relay.listening().then(
    () => true,
    () => false,
  );
  if (started) relay.signal('SIGTERM');
  const { code } = await relay.exited;
  expect(relay.err, 'one sentence').toMatch(started ? /^$/ : /^wok: [^\n]+\n$/);
  // A schema version made of spoiled bits is newer, or not one of wok.
  if (started) expect([exitCodes.ok, exitCodes.damaged], relay.err).toContain(code);
  else expect([exitCodes.damaged, exitCodes.version], relay.err).toContain(code);
  return started;
}

interface Diagnosis {
  code: number | null;
  err: string;
  bad: string[];
  repaired: string[];
}

async function doctor(directory: string, ...flags: string[]): Promise<Diagnosis> {
  const { out, err, code } = await wokHere(['doctor', '--json', '--data', directory, ...flags]);
  expect(err, 'one sentence').toMatch(/^(wok: [^\n]+\n)?$/);
  const { findings, repaired } = JSON.parse(out || '{"findings":[],"repaired":[]}') as {
    findings: { area: string; severity: string; name: string; text: string }[];
    repaired: string[];
  };
  const bad = findings.filter((one) => one.area === 'database' && one.severity === 'bad');
  return { code, err, bad: bad.map(({ name, text }) => `${name}: ${text}`), repaired };
}

async function exported(directory: string): Promise<Set<string>> {
  const { out, err } = await wokHere(['export', '--data', directory]);
  expect(err).toBe('');
  const found = new Set<string>();
  for (const line of out.split('\n').filter((one) => one !== '')) {
    const event = JSON.parse(line) as NostrEvent;
    found.add(event.id);
    const known = BY_ID.get(event.id);
    // An expectation costs more than the comparison, and there are tens of thousands.
    if (known && !isDeepStrictEqual(event, known)) expect(event).toEqual(known);
  }
  return found;
}

/**
 * Repairs, and expects that all of these events are there afterwards, and that the damaged files
 * are kept.
 */
async function expectRepaired(directory: string, events: readonly string[]): Promise<void> {
  const healed = await doctor(directory, '--repair');
  expect([healed.err, healed.bad, healed.code]).toEqual(['', [], exitCodes.ok]);
  const found = await exported(directory);
  expect(events.filter((id) => !found.has(id))).toEqual([]);
  const rebuilt = healed.repaired.some((text) => text.includes('saved into a new database'));
  const kept = readdirSync(directory).some((name) => /^wok\.db\.damaged-\w+$/.test(name));
  expect(kept).toBe(rebuilt);
}

const seed = testSeed('store/damage');

describe('a damaged page', () => {
  const random = new Random(seed);

  /** Returns the ids of the events that a spoiled page may take with it. */
  function lostWith({ name, pageno, pagetype }: Page): Set<string> {
    if (name !== 'event') return new Set();
    if (pagetype === 'overflow') return new Set([...LARGE, DELETION].map(({ id }) => id));
    return new Set([...home].filter(([, pages]) => pages.has(pageno)).map(([id]) => id));
  }

  async function round(page: Page, start = 0, length = PAGE, attempt = tryStart): Promise<void> {
    const directory = damaged();
    const file = join(directory, 'wok.db');
    const bytes = readFileSync(file);
    const how = spoil(random, bytes, (page.pageno - 1) * PAGE + start, length);
    writeFileSync(file, bytes);
    process.stdout.write(
      `store/damage: ${how} on ${page.name} ${page.pagetype} ${page.pageno}+${start}\n`,
    );
    // A spoiled schema version cannot be distinguished from a newer one.
    const version = bytes.readUInt32BE(60);
    const started = await attempt(directory);
    const sick = await doctor(directory);
    if (version > SCHEMA_VERSION && version < 0x8000_0000 && sick.code === exitCodes.version)
      return;
    expect([exitCodes.ok, exitCodes.damaged]).toContain(sick.code);
    if (!started) expect(sick.bad.length).toBeGreaterThan(0);
    const lost = lostWith(page);
    await expectRepaired(
      directory,
      ALL.map(({ id }) => id).filter((id) => !lost.has(id)),
    );
  }

  it.each(['event', 'posting', 'listed', 'deleted_id', 'audit', 'freelist'])(
    'of %s',
    async (name) => {
      const kinds = new Set(
        pages.filter((one) => one.name === name).map(({ pagetype }) => pagetype),
      );
      for (const pagetype of kinds) {
        const some = pages.filter((one) => one.name === name && one.pagetype === pagetype);
        await round(random.pick(some));
      }
    },
  );

  it('with the header and the schema', async () => {
    const schema: Page = { name: 'sqlite_schema', pageno: 1, pagetype: 'leaf' };
    await round(schema, 0, PAGE, tryProcess);
    await round(schema, 0, 100, tryProcess);
    await round(schema, 100, PAGE - 100, tryProcess);
  });

  it(`at random, ${ROUNDS} times`, { timeout: ROUNDS * 120_000 }, async () => {
    for (let n = 0; n < ROUNDS; n++) {
      const name = random.pick([...new Set(pages.map((one) => one.name))]);
      const page = random.pick(pages.filter((one) => one.name === name));
      const start = random.below(PAGE - 16);
      if (random.chance(0.5)) await round(page);
      else await round(page, start, 1 + random.below(PAGE - start));
    }
  });

  it('keeps tombstones, bans and the audit log, where SQLite cannot open the database any more', async () => {
    const directory = damaged();
    const bytes = readFileSync(join(directory, 'wok.db'));
    bytes.fill(0, 0, PAGE);
    writeFileSync(join(directory, 'wok.db'), bytes);
    await expectRepaired(
      directory,
      ALL.map(({ id }) => id),
    );
    const db = new Database(join(directory, 'wok.db'), { readonly: true });
    const count = (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect([count('deleted_id'), count('listed')]).toEqual([TOMBSTONES.length, 120]);
    expect(count('audit')).toBeGreaterThanOrEqual(120);
    db.close();
  });
});

/** Values of the rows of invalid form. */
const KEY = author.pubkey;
const ID = 'ab'.repeat(32);
const AT = 1_700_000_000;
const GARBAGE = Buffer.from('00ff10', 'hex');

/**
 * Writes rows into a table whatever the types of its columns are: SQLite does not check them on
 * reading.
 */
function put(directory: string, table: string, ...rows: Record<string, unknown>[]): void {
  const file = join(directory, 'wok.db');
  const changeSchema = (change: (text: string) => string): string => {
    const db = new Database(file);
    db.unsafeMode(true);
    const text = db.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(table);
    const changed = change(text as string);
    db.pragma('writable_schema = ON');
    db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(changed, table);
    const version = db.pragma('schema_version', { simple: true }) as number;
    db.pragma(`schema_version = ${version + 1}`);
    db.close();
    return text as string;
  };
  const strict = changeSchema((text) =>
    text
      .replace(/--[^\n]*/g, '')
      .replace(/(?<!PRIMARY )\b(INTEGER|TEXT|BLOB|ANY)\b(?! PRIMARY KEY,)|\bNOT NULL\b/g, '')
      .replace(/\) STRICT,?/, ')'),
  );
  const db = new Database(file);
  for (const row of rows) {
    const names = Object.keys(row).map((name) => `"${name}"`);
    const places = names.map(() => '?');
    db.prepare(`INSERT OR REPLACE INTO ${table} (${names}) VALUES (${places})`).run(
      // A number would be bound as REAL.
      ...Object.values(row).map((value) =>
        Number.isInteger(value) ? BigInt(value as number) : value,
      ),
    );
  }
  db.close();
  changeSchema(() => strict);
}

function readAll(directory: string, table: string): unknown[] {
  const db = new Database(join(directory, 'wok.db'), { readonly: true });
  const rows = db.prepare(`SELECT * FROM ${table}`).all();
  db.close();
  return rows;
}

const LISTED = { stance: 'ban', reason: '', by: 'shell', at: AT };
const VANISH = { id: ID, pubkey: KEY, until: AT, relays: 'x', at: AT, removed: 0 };

describe('a row of invalid form', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['a key of bytes', 'vanished', { pubkey: GARBAGE, until: AT }],
    ['a time that is text', 'vanished', { pubkey: KEY, until: 'soon' }],
    ['an id of bytes', 'vanish_request', { ...VANISH, id: GARBAGE }],
    ['no key', 'vanish_request', { ...VANISH, pubkey: null }],
    ['an address that is none', 'listed', { ...LISTED, list: 'ip', subject: 'garbage' }],
    ['a list that is none', 'listed', { ...LISTED, list: 'lost', subject: KEY }],
    ['a place that is text', 'meta', { name: 'seq_floor', value: 'garbage' }],
    ['a place beyond any log', 'meta', { name: 'indexed_seq', value: 2 ** 52 }],
  ])('%s in %s ends the start with 72, and a repair leaves it out', async (_, table, row) => {
    const directory = damaged();
    put(directory, table, row);
    const refusal = await startRefusal(directory);
    expect(refusal?.status).toBe(exitCodes.damaged);
    expect(refusal?.sentence).toMatch(
      /^the database \S+ is damaged[^\n]*; run wok doctor, [^\n]+$/,
    );
    const sick = await doctor(directory);
    expect([sick.code, sick.bad.length > 0]).toEqual([exitCodes.damaged, true]);
    await expectRepaired(
      directory,
      ALL.map(({ id }) => id),
    );
    expect(readAll(directory, 'listed')).toHaveLength(120);
    expect(readAll(directory, 'vanished')).toEqual([]);
    expect(await tryStart(directory)).toBe(true);
  });

  it('ends the process of a relay with 72 and one sentence', async () => {
    const directory = damaged();
    put(directory, 'vanished', { pubkey: KEY, until: 'soon' });
    const relay = WokProcess.spawn({}, directory);
    expect((await relay.exited).code).toBe(exitCodes.damaged);
    expect(relay.err).toMatch(/^wok: the database \S+ is damaged[^\n]*; run wok doctor, [^\n]+\n$/);
    const sick = await wok(['doctor', '--json', '--data', directory]);
    expect([sick.code, sick.err]).toEqual([exitCodes.damaged, '']);
    const healed = await wok(['doctor', '--repair', '--data', directory]);
    expect([healed.code, healed.err]).toEqual([exitCodes.ok, '']);
    expect(await tryProcess(directory)).toBe(true);
  });
});

describe('a row of invalid form in another table', () => {
  it('elsewhere keeps nothing from starting; the doctor finds it, and a repair keeps the others', async () => {
    const directory = damaged();
    const role = { id: 'r', label: 'l', description: '', color: 3, order: null };
    const roleOf = { pubkey: KEY, role: 'r', by: 'shell', at: AT };
    const report = {
      target: ID,
      reporter: KEY,
      is_event: 1,
      type: 'spam',
      seq: 1,
      at: AT,
      trusted: 0,
    };
    const rejection = {
      n: 1,
      id: ID,
      pubkey: KEY,
      at: AT,
      action: 'refused',
      rule: 'x',
      by: '',
      text: '',
    };
    const held = { id: ID, pubkey: KEY, at: AT, why: 'links', json: '{}' };
    const use = { nonce: 'n', uses: 1, expires_at: 0 };
    const rows: [string, Record<string, unknown>, Record<string, unknown>][] = [
      ['setting', { name: 'info.name', value: 'A name' }, { name: 'info.icon', value: GARBAGE }],
      ['role', role, { ...role, id: 's', label: null }],
      ['role_of', roleOf, { ...roleOf, role: 's', at: 'then' }],
      ['report', report, { ...report, reporter: GARBAGE }],
      ['decision', rejection, { ...rejection, n: 2, rule: null }],
      ['quarantined', held, { ...held, id: GARBAGE, json: null }],
      ['invite_use', use, { ...use, nonce: 'm', uses: 'many' }],
    ];
    for (const [table, good, bad] of rows) put(directory, table, good, bad);
    expect(await tryStart(directory)).toBe(true);
    expect((await doctor(directory)).bad).toHaveLength(1);
    await expectRepaired(directory, []);
    for (const [table, good] of rows) expect(readAll(directory, table)).toEqual([good]);
    // The rows are found on their pages, too, when SQLite cannot open the database any more.
    const bytes = readFileSync(join(directory, 'wok.db'));
    bytes.fill(0, 0, PAGE);
    writeFileSync(join(directory, 'wok.db'), bytes);
    expect((await doctor(directory, '--repair')).code).toBe(exitCodes.ok);
    for (const [table, good] of rows) expect(readAll(directory, table)).toEqual([good]);
  });
});

describe('a truncated database', () => {
  const random = new Random(seed + 1);
  const CUTS = [0.05, 0.3, 0.6, 0.95];

  it.each(CUTS)(
    'at about %f of its length: what is in front of the cut is saved',
    async (share) => {
      const directory = damaged();
      const file = join(directory, 'wok.db');
      const whole = readFileSync(file).length;
      const length = Math.floor(whole * share) + random.below(PAGE * 2);
      truncateSync(file, length);
      const sick = await doctor(directory);
      expect(sick.code).toBe(exitCodes.damaged);
      await tryStart(directory);
      const inFront = [...home]
        .filter(([, pages]) => [...pages].every((page) => page * PAGE <= length))
        .map(([id]) => id);
      const small = inFront.filter(
        (id) => id !== DELETION.id && !LARGE.some((one) => one.id === id),
      );
      if (small.length > 0) await expectRepaired(directory, small);
      else {
        const { code, err } = await doctor(directory, '--repair');
        if (code !== exitCodes.ok) expect(err).toMatch(/no data of wok could be read/);
      }
    },
  );

  it('with less than a page left has nothing to be saved: it says so and stays', async () => {
    const directory = damaged();
    truncateSync(join(directory, 'wok.db'), 700);
    expect(await tryProcess(directory)).toBe(false);
    const { code, err } = await doctor(directory, '--repair');
    expect(err).toMatch(
      /no data of wok could be read from .*, which is unchanged; restore a backup/,
    );
    expect(code).toBe(exitCodes.damaged);
    expect(readFileSync(join(directory, 'wok.db')).length).toBe(700);
  });
});

/** Directory in which a relay was killed, and the events in its log; see `prepare`. */
let source = '';
let events: NostrEvent[] = [];

/** Runs a relay, fills its log and kills it; once. */
async function prepare(): Promise<void> {
  if (events.length > 0) return;
  const relay = await WokProcess.start({ 'storage.index_batch_events': 200 }, source);
  const publisher = await Publisher.connect(relay.url);
  events = EVENTS.slice(0, 400).map(({ tags, content }) => author.event({ tags, content }));
  let n = 0;
  await publisher.publish(() => events[n++] ?? null, 30);
  for (const { id } of events) expect(publisher.verdicts.get(id)?.accepted).toBe(true);
  publisher.socket.terminate();
  await relay.kill();
}

// Kept until the end of the file, not of one test.
beforeAll(() => {
  source = freshDirectory();
});

async function copied(): Promise<{ directory: string; wal: Buffer; log: string }> {
  await prepare();
  const directory = copyOfDirectory(source);
  const log = join(directory, 'wok.db-wal');
  return { directory, wal: readFileSync(log), log };
}

/**
 * Returns the ids of the events in the newest frames of pages, without the spoiled part of the
 * log.
 */
function readableIn(wal: Buffer, from: number, to: number): string[] {
  const newest = new Map<number, number>();
  for (let at = 32; at + FRAME <= wal.length; at += FRAME) newest.set(wal.readUInt32BE(at), at);
  const intact = [...newest.values()].filter((at) => at + FRAME <= from || at >= to);
  return events
    .map(({ id }) => id)
    .filter((id) => {
      const wanted = Buffer.from(id, 'hex');
      return intact.some((at) => {
        const page = wal.subarray(at + 24, at + FRAME);
        return page[0] === 0x0d && page.includes(wanted);
      });
    });
}

describe('a damaged write-ahead log', () => {
  const random = new Random(seed + 2);

  it('is not mistaken for an empty one, and its frames are read all the same', async () => {
    for (const [from, to] of [
      [0, 32],
      [32 + FRAME * 2, 32 + FRAME * 3],
    ] as const) {
      const { directory, wal, log } = await copied();
      const readable = readableIn(wal, from, to + FRAME);
      expect(readable.length).toBeGreaterThan(200);
      for (let at = from; at < to; at++) wal[at] = random.below(256);
      writeFileSync(log, wal);
      expect(await tryStart(directory)).toBe(false);
      expect(readFileSync(log)).toEqual(wal);
      const sick = await doctor(directory);
      expect(sick.bad.join()).toMatch(/lacks \d+ of the stored events .* is damaged/);
      await expectRepaired(directory, readable);
    }
  });

  it('cut off anywhere: what is in front of the cut is saved, and what is behind is missed', async () => {
    const { directory, wal, log } = await copied();
    const length = Math.floor(wal.length / 2) + random.below(FRAME);
    truncateSync(log, length);
    expect(await tryProcess(directory)).toBe(false);
    await expectRepaired(directory, readableIn(wal.subarray(0, length), length, length));
  });

  it.each(['wok.db-shm', 'wok.lock', 'wok.running'])(
    'does no harm as garbage in %s',
    async (name) => {
      for (const length of [0, 700, 5000]) {
        const { directory } = await copied();
        const garbage = Buffer.from(Array.from({ length }, () => random.below(256)));
        writeFileSync(join(directory, name), garbage);
        expect(await tryStart(directory)).toBe(true);
        if (length !== 5000) continue;
        const found = await exported(directory);
        expect(events.filter(({ id }) => !found.has(id))).toEqual([]);
        expect((await doctor(directory)).bad).toEqual([]);
      }
    },
  );

  it('garbage in the lock of a relay that runs lets no second one in', async () => {
    const { directory } = await copied();
    const relay = await WokProcess.start({}, directory);
    writeFileSync(join(directory, 'wok.lock'), 'garbage '.repeat(1000));
    const second = WokProcess.spawn({}, directory);
    expect((await second.exited).code).toBe(exitCodes.busy);
    expect(second.err).toMatch(/in use by another process/);
    await relay.kill();
    expect(existsSync(join(directory, 'wok.lock'))).toBe(true);
    rmSync(join(directory, 'wok.lock'));
    expect(await tryStart(directory)).toBe(true);
  });

  it('a lock that cannot be opened is named, and not the database', async () => {
    const { directory } = await copied();
    rmSync(join(directory, 'wok.lock'), { force: true });
    const lock = join(directory, 'wok.lock', 'x');
    mkdirSync(lock, { recursive: true });
    const relay = WokProcess.spawn({}, directory);
    expect((await relay.exited).code).toBe(exitCodes.cannotCreate);
    expect(relay.err).toMatch(
      /^wok: the lock file \S+wok\.lock cannot be used .*it contains no data/,
    );
  });
});
