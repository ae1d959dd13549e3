// Database files that are removed, replaced or truncated while the relay runs and before it starts:
// nothing acknowledged is lost without a word. Relays and commands run in their own processes.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { until, WokProcess } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import { freshDirectory, type Settings, startRefusal, startRelay } from '../support/relay.ts';
import { copyOfDirectory } from '../support/temporary.ts';
import { wok, wokHere } from '../support/wok.ts';

const REFUSED = /^error: files of the database of this relay were removed or damaged/;

/** Publisher that keeps the acknowledged events and the refusal, if there was one. */
class Load {
  readonly acknowledged: NostrEvent[] = [];
  refusal = '';
  readonly #author = new Author();
  readonly #publisher: Publisher;

  private constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  static async connect(url: string): Promise<Load> {
    return new Load(await Publisher.connect(url));
  }

  /** Publishes `count` events, 40 at a time; or, if `toTheEnd`, events until one is refused. */
  async publish(count: number, toTheEnd = false): Promise<void> {
    const before = this.#publisher.sent.length;
    await this.#publisher.publish(() => {
      const n = this.#publisher.sent.length - before;
      const over = toTheEnd ? this.#refused() !== '' || n > 20_000 : n >= count;
      return over ? null : this.#author.event({ content: `${n} ${'x'.repeat(300)}` });
    }, 40);
    for (const event of this.#publisher.sent.slice(before)) {
      const verdict = this.#publisher.verdicts.get(event.id);
      if (verdict?.accepted) this.acknowledged.push(event);
    }
    this.refusal = this.#refused();
  }

  close(): void {
    this.#publisher.socket.terminate();
  }

  #refused(): string {
    for (const { accepted, message } of [...this.#publisher.verdicts.values()].slice(-100)) {
      if (!accepted) return message;
    }
    return '';
  }
}

async function health(wok: WokProcess): Promise<string> {
  const response = await fetch(`${wok.httpUrl}/health`);
  return `${response.status} ${await response.text()}`;
}

/**
 * Returns the ids of these events that a relay on the directory does not serve. The relay runs in
 * this process, its workers in threads.
 */
async function lostOf(directory: string, events: readonly NostrEvent[]): Promise<string[]> {
  const relay = await startRelay({}, directory);
  const client = await Client.connect(relay.url);
  const found = new Set<string>();
  for (let at = 0; at < events.length; at += 400) {
    const ids = events.slice(at, at + 400).map(({ id }) => id);
    for (const { id } of (await client.query({ ids, limit: 500 })).events) found.add(id);
  }
  await client.close();
  await relay.stop();
  return events.map(({ id }) => id).filter((id) => !found.has(id));
}

function names(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('wok.'));
}

/** Ways in which files of a running relay go away. */
const REMOVALS: [string, (directory: string) => void][] = [
  ['wok.db-wal is removed', (directory) => rmSync(join(directory, 'wok.db-wal'))],
  ['wok.db is removed', (directory) => rmSync(join(directory, 'wok.db'))],
  ['wok.db-shm is removed', (directory) => rmSync(join(directory, 'wok.db-shm'))],
  [
    'all its files are removed',
    (directory) => {
      for (const name of names(directory)) rmSync(join(directory, name));
    },
  ],
  ['its directory is removed', (directory) => rmSync(directory, { recursive: true })],
  [
    'wok.db-wal is replaced by an older one',
    (directory) => {
      const wal = join(directory, 'wok.db-wal');
      copyFileSync(wal, `${wal}.old`);
      truncateSync(`${wal}.old`, 32 + 4120 * 3);
      renameSync(`${wal}.old`, wal);
    },
  ],
];

describe('while the relay runs', () => {
  it.each(REMOVALS)('%s: nothing acknowledged is lost, and it is said', async (_, remove) => {
    const directory = join(freshDirectory(), 'data');
    mkdirSync(directory);
    const relay = await WokProcess.start({ 'log.format': 'json' }, directory);
    const load = await Load.connect(relay.url);
    await load.publish(400);
    expect(load.refusal).toBe('');
    const going = load.publish(0, true);
    remove(directory);
    await going;
    expect(load.refusal).toMatch(REFUSED);
    await until(async () => /^503 .* saved in /.test(await health(relay)), 'all to be saved');
    expect(await health(relay)).toMatch(/while the relay runs: new events are refused/);
    // The log comes through a pipe, so it may be read after the answer of /health.
    await until(() => /all stored events are saved in/.test(relay.out), 'the log to say so');
    // Stored events are still served, and ephemeral ones pass.
    const client = await Client.connect(relay.url);
    const ids = load.acknowledged.slice(-50).map(({ id }) => id);
    expect((await client.query({ ids })).events.length).toBe(50);
    expect((await client.publish(new Author().event({ kind: 20_001 })))[2]).toBe(true);
    const doctor = await wokHere(['doctor', '--quick', '--data', directory]);
    expect(doctor.out).toMatch(
      new RegExp(`BAD +database files +Process ${relay.pid} reported: wok\\.db`),
    );
    expect(doctor.code).toBe(exitCodes.damaged);
    load.close();
    await relay.kill();
    expect(await lostOf(directory, load.acknowledged)).toEqual([]);
    const after = await wokHere(['doctor', '--data', directory]);
    expect(after.out).not.toMatch(/^BAD {3}database/m);
  });

  it('another file takes the place of wok.db: it stays, and what was stored is beside it', async () => {
    const other = freshDirectory();
    const events = [new Author().event()];
    await wok(['import', '--data', other], `${JSON.stringify(events[0])}\n`);
    const directory = freshDirectory();
    const relay = await WokProcess.start({}, directory);
    const load = await Load.connect(relay.url);
    await load.publish(300);
    renameSync(join(other, 'wok.db'), join(directory, 'wok.db'));
    await load.publish(0, true);
    await until(async () => /saved in .*wok\.db\.saved-/.test(await health(relay)), 'a copy');
    load.close();
    await relay.kill();
    const saved = names(directory).find((name) => name.startsWith('wok.db.saved-'))!;
    const restored = await wokHere([
      'restore',
      join(directory, saved),
      '--data',
      directory,
      '--force',
    ]);
    expect(restored.err).toBe('');
    expect(await lostOf(directory, load.acknowledged)).toEqual([]);
  });

  it('saves what was stored when it is told to stop at once', async () => {
    const directory = freshDirectory();
    const relay = await WokProcess.start({}, directory);
    const load = await Load.connect(relay.url);
    await load.publish(300);
    for (const name of names(directory)) rmSync(join(directory, name));
    relay.signal('SIGTERM');
    expect((await relay.exited).code).toBe(exitCodes.ok);
    expect(await lostOf(directory, load.acknowledged)).toEqual([]);
  });
});

describe('while the relay runs, and its files are damaged', () => {
  it.each<[string, (directory: string) => void]>([
    ['wok.db-wal is truncated', (directory) => truncateSync(join(directory, 'wok.db-wal'), 0)],
    [
      'wok.db-wal is overwritten',
      (directory) => {
        const wal = join(directory, 'wok.db-wal');
        writeFileSync(wal, Buffer.alloc(statSync(wal).size), { flag: 'r+' });
      },
    ],
    ['wok.db is truncated', (directory) => truncateSync(join(directory, 'wok.db'), 4096 * 5)],
  ])(
    '%s: it acknowledges nothing more, and the next start says what is lost',
    async (what, damage) => {
      const directory = freshDirectory();
      const relay = await WokProcess.start({ 'storage.index_batch_events': 100 }, directory);
      const load = await Load.connect(relay.url);
      await load.publish(100);
      // Moves the events so far from the log into the database itself.
      const other = new Database(join(directory, 'wok.db'));
      other.pragma('wal_checkpoint(TRUNCATE)');
      other.close();
      const kept = [...load.acknowledged];
      await load.publish(200);
      damage(directory);
      await load.publish(0, true);
      expect(load.refusal, relay.out).toMatch(REFUSED);
      expect(await health(relay)).toMatch(/^503 .*(truncated|overwritten).* may be lost/);
      load.close();
      relay.signal('SIGTERM');
      await relay.exited;
      const again = WokProcess.spawn({}, directory);
      expect((await again.exited).code).toBe(exitCodes.damaged);
      expect(again.err).toMatch(/^wok: [^\n]+\n$/);
      const repaired = await wokHere(['doctor', '--repair', '--data', directory]);
      expect(repaired.err).toBe('');
      if (repaired.code !== exitCodes.ok) {
        const accepted = await wokHere(['doctor', '--accept-loss', '--data', directory]);
        expect(accepted.out).toMatch(
          /Loss accepted: the database .* lacks \d+ of the stored events/,
        );
      }
      const lost = await lostOf(directory, kept);
      // Of a truncated database, only the part in front of the cut is there.
      if (!what.startsWith('wok.db is')) expect(lost).toEqual([]);
    },
  );
});

describe('while the relay runs, without harm', () => {
  it('wok.lock is removed: it is created again, and still keeps others out', async () => {
    const directory = freshDirectory();
    const relay = await WokProcess.start({}, directory);
    rmSync(join(directory, 'wok.lock'));
    await until(() => existsSync(join(directory, 'wok.lock')), 'the lock');
    const second = WokProcess.spawn({}, directory);
    expect((await second.exited).code).toBe(exitCodes.busy);
    const load = await Load.connect(relay.url);
    await load.publish(10);
    expect(load.refusal).toBe('');
    load.close();
  });

  it('is not alarmed by who copies the log back for it', async () => {
    const directory = freshDirectory();
    const settings: Settings = { 'storage.checkpoint_pages': 0 };
    const relay = await WokProcess.start(settings, directory);
    const load = await Load.connect(relay.url);
    const other = new Database(join(directory, 'wok.db'));
    for (let round = 0; round < 5; round++) {
      await load.publish(100);
      other.pragma('wal_checkpoint(TRUNCATE)');
      expect(statSync(join(directory, 'wok.db-wal')).size).toBe(0);
    }
    await load.publish(100);
    expect(load.refusal).toBe('');
    expect(await health(relay)).toBe('200 ok\n');
    load.close();
    // After the kill, the other connection is the last one and removes the log when it closes.
    await relay.kill();
    other.pragma('wal_checkpoint(TRUNCATE)');
    other.close();
    expect(existsSync(join(directory, 'wok.db-wal'))).toBe(false);
    expect(await lostOf(directory, load.acknowledged)).toEqual([]);
  });
});

/** Directory in which a relay was killed, for the whole file, and its events; see `prepare`. */
const source = freshDirectory();
let events: NostrEvent[] = [];

/** Kills a relay after 50 events; once. */
async function prepare(): Promise<void> {
  if (events.length > 0) return;
  const relay = await WokProcess.start({}, source);
  const load = await Load.connect(relay.url);
  await load.publish(50);
  load.close();
  await relay.kill();
  events = load.acknowledged;
  expect(events).toHaveLength(50);
}

/** Copies the directory in which the relay was killed. */
async function killed(): Promise<string> {
  await prepare();
  return copyOfDirectory(source);
}

async function refusal(directory: string): Promise<string> {
  const refused = await startRefusal(directory);
  expect(refused?.status, refused?.sentence).toBe(exitCodes.damaged);
  return refused!.sentence;
}

/** Does the same as `refusal` with a process of its own, whose output and status it checks. */
async function refusalOfProcess(directory: string): Promise<string> {
  const relay = WokProcess.spawn({}, directory);
  const { code } = await relay.exited;
  expect(code, relay.err).toBe(exitCodes.damaged);
  expect(relay.err).toMatch(/^wok: [^\n]+\n$/);
  return relay.err;
}

describe('before a start', () => {
  it.each<[string, RegExp, (directory: string) => void]>([
    [
      'the log is gone',
      /lacks 50 of the stored events .*its write-ahead log \(wok.db-wal\) is missing/,
      (directory) => rmSync(join(directory, 'wok.db-wal')),
    ],
    [
      'the log is empty',
      /lacks 50 of the stored events/,
      (directory) => truncateSync(join(directory, 'wok.db-wal'), 0),
    ],
    [
      'the database has no byte',
      /is a file of 0 bytes/,
      (directory) => truncateSync(join(directory, 'wok.db'), 0),
    ],
    [
      'the database is gone',
      /is missing, although its relay was not stopped/,
      (directory) => rmSync(join(directory, 'wok.db')),
    ],
    [
      'the database and its marker are gone',
      /is missing, but its write-ahead log exists/,
      (directory) => {
        for (const name of ['wok.db', 'wok.running']) rmSync(join(directory, name));
      },
    ],
  ])('%s after a kill: it refuses to start, and the flag starts it', async (_, said, damage) => {
    const directory = await killed();
    const wal = readFileSync(join(directory, 'wok.db-wal'));
    damage(directory);
    expect(await refusalOfProcess(directory)).toMatch(said);
    expect(await refusal(directory)).toMatch(said);
    // Neither the start nor the doctor removes the files that are left.
    const doctor = await wokHere(['doctor', '--data', directory]);
    expect(doctor.out).toMatch(/^BAD {3}database missing/m);
    expect(doctor.out).toMatch(/--accept-loss/);
    expect(doctor.code).toBe(exitCodes.damaged);
    const left = join(directory, 'wok.db-wal');
    if (existsSync(left) && statSync(left).size > 0) expect(readFileSync(left)).toEqual(wal);
    const imported = await wokHere(['import', '/dev/null', '--data', directory]);
    expect(imported.code).toBe(exitCodes.damaged);
    const relay = WokProcess.spawn({}, directory, [], ['--accept-loss']);
    await relay.listening();
    expect(relay.err).toMatch(/^wok: Loss accepted: the database/);
    const load = await Load.connect(relay.url);
    await load.publish(5);
    load.close();
    await relay.kill();
    expect(await lostOf(directory, load.acknowledged)).toEqual([]);
  });
});

describe('before a start, after a repair or without harm', () => {
  it('a log without its database is read by doctor --repair', async () => {
    const directory = await killed();
    truncateSync(join(directory, 'wok.db'), 0);
    const { out, code } = await wokHere(['doctor', '--repair', '--data', directory]);
    expect(out).toMatch(/50 events were saved into a new database/);
    expect(code).toBe(exitCodes.ok);
    expect(await lostOf(directory, events)).toEqual([]);
  });

  it('where one was moved away by a repair that did not end', async () => {
    const directory = await killed();
    expect(await lostOf(directory, [])).toEqual([]);
    renameSync(join(directory, 'wok.db'), join(directory, 'wok.db.damaged-20261129T120000Z'));
    expect(await refusal(directory)).toMatch(
      /is missing, and wok.db.damaged-\S+ was found in its directory/,
    );
  });

  it('is not alarmed by a stop, a copy, a backup, a restore, a restart, a marker that is none', async () => {
    const directory = await killed();
    // Killed, then started and stopped in order: the file alone is complete, wherever it is copied.
    expect(await lostOf(directory, events)).toEqual([]);
    expect(existsSync(join(directory, 'wok.running'))).toBe(false);
    expect(existsSync(join(directory, 'wok.db-wal'))).toBe(false);
    const elsewhere = freshDirectory();
    copyFileSync(join(directory, 'wok.db'), join(elsewhere, 'wok.db'));
    expect(await lostOf(elsewhere, events)).toEqual([]);
    const copy = join(freshDirectory(), 'copy.db');
    expect((await wokHere(['backup', copy, '--data', directory])).code).toBe(exitCodes.ok);
    const relay = await WokProcess.start({}, directory);
    const load = await Load.connect(relay.url);
    await load.publish(20);
    load.close();
    await relay.kill();
    rmSync(join(directory, 'wok.db-wal'));
    expect(await refusal(directory)).toMatch(/lacks 20 of/);
    expect((await wokHere(['restore', copy, '--data', directory, '--force'])).code).toBe(
      exitCodes.ok,
    );
    expect(await lostOf(directory, events)).toEqual([]);
    for (const text of ['', 'garbage', '{"pid":1}', '\0'.repeat(2000)]) {
      writeFileSync(join(directory, 'wok.running'), text);
      expect(await lostOf(directory, events)).toEqual([]);
    }
  });
});
