// `wok info`, run as a command: alone, beside a relay, beside a process that has the lock, and on
// databases that it cannot read.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { exitCodes, INTERRUPTED } from '../../src/lib/exit-codes.ts';
import { isLocked, lockDirectory } from '../../src/store/database/lock.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { freshDirectory, startRelay } from '../support/relay.ts';
import { runWok, SIGNAL_AT_ONCE, wok, wokHere } from '../support/wok.ts';

const START = 1_700_000_000;

async function filled(count: number): Promise<string> {
  const directory = freshDirectory();
  const author = new Author();
  const lines = Array.from(
    { length: count },
    (_, n) => `${JSON.stringify(author.event({ created_at: START + n }))}\n`,
  );
  await wok(['import', '--data', directory], lines.join(''));
  return directory;
}

async function infoOf(directory: string): Promise<Record<string, unknown>> {
  const { out, err, code } = await wokHere(['info', '--json', '--data', directory]);
  expect([err, code]).toEqual(['', exitCodes.ok]);
  return JSON.parse(out);
}

describe('wok info', () => {
  it('tells what is in a database that no relay runs on', async () => {
    const directory = await filled(500);
    await wokHere(['delete', '--data', directory, '--until', String(START + 399)]);
    const facts = await infoOf(directory);
    const file = join(directory, 'wok.db');
    expect(facts).toMatchObject({
      database: file,
      schemaVersion: 1,
      databaseBytes: statSync(file).size,
      pageBytes: 4096,
      pages: statSync(file).size / 4096,
      events: 100,
      oldestCreatedAt: START + 400,
      newestCreatedAt: START + 499,
      seq: 500,
      unindexed: 0,
      locked: false,
      relay: false,
      pid: null,
    });
    expect(facts.freePages).toBeGreaterThan(20);
    expect(facts.freeBytes).toBe((facts.freePages as number) * 4096);
    const { out, code } = await wok(['info', '--data', directory]);
    expect(code).toBe(exitCodes.ok);
    expect(out).toMatch(
      new RegExp(
        [
          `^database {4}${file}, schema version 1`,
          'size {8}[\\d.]+ kB in the file, \\d+ B in the write-ahead log',
          'pages {7}\\d+ of 4096 bytes, \\d+ of them free; wok compact gives back [\\d.]+ kB or more',
          'events {6}100, 0 of them not indexed yet; last seq 500',
          'created_at {2}2023-11-14T22:20:00Z to 2023-11-14T22:21:39Z',
          'relay {7}none runs on the directory\n$',
        ].join('\n'),
      ),
    );
  });

  it('tells of events in the log and the index while a relay runs', async () => {
    const directory = await filled(50);
    // The index, and what it still holds of removed events, stay as they are.
    const relay = await startRelay({ 'storage.index_delay_milliseconds': 600_000 }, directory);
    const client = await Client.connect(relay.url);
    const author = new Author();
    const latest = now();
    for (let n = 9; n >= 0; n--) await client.publish(author.event({ created_at: latest - n }));
    await wokHere(['delete', '--data', directory, '--until', String(START + 9)]);
    expect(await infoOf(directory)).toMatchObject({
      events: 50,
      oldestCreatedAt: START + 10,
      newestCreatedAt: latest,
      unindexed: 10,
      seq: 60,
      locked: true,
      relay: true,
      pid: process.pid,
    });
    const { out } = await wokHere(['info', '--data', directory]);
    expect(out).toContain(`relay       runs, process ${process.pid}\n`);
    expect((await client.publish(author.event()))[2]).toBe(true);
    client.socket.terminate();
    await relay.stop();
    expect(await infoOf(directory)).toMatchObject({ events: 51, locked: false });
  });

  it('works on an empty database', async () => {
    const directory = await filled(0);
    const facts = await infoOf(directory);
    expect(facts).toMatchObject({
      events: 0,
      oldestCreatedAt: null,
      newestCreatedAt: null,
      seq: 0,
    });
    const { out } = await wokHere(['info', '--data', directory]);
    expect(out).toContain('events      0, 0 of them not indexed yet; last seq 0\nrelay ');
  });
});

describe('wok info says', () => {
  it('that another process has the lock, and does not take it', async () => {
    const directory = await filled(1);
    const held = lockDirectory(directory);
    expect(await infoOf(directory)).toMatchObject({ locked: true, relay: false, pid: null });
    const { out } = await wokHere(['info', '--data', directory]);
    expect(out).toContain('a process has the lock: a command that writes, or a relay that ');
    held.close();
    expect(isLocked(directory)).toBe(false);
    lockDirectory(directory).close();
  });

  it('which version a newer database has', async () => {
    const directory = await filled(1);
    const db = new Database(join(directory, 'wok.db'));
    db.pragma('user_version = 77');
    db.close();
    const { out, code } = await wokHere(['info', '--data', directory]);
    expect(out).toContain('schema version 77\n');
    expect(out).toContain('events      not counted: this wok has another schema version\n');
    expect(code).toBe(exitCodes.ok);
  });

  it('that there is no database, or none of wok', async () => {
    const none = await wokHere(['info', '--data', freshDirectory()]);
    expect(none.err).toContain('there is no database in ');
    expect(none.code).toBe(exitCodes.refused);
    const directory = freshDirectory();
    const db = new Database(join(directory, 'wok.db'));
    db.exec('CREATE TABLE a (b)');
    db.close();
    const other = await wokHere(['info', '--data', directory]);
    expect(other.err).toContain("is a database, but not one of wok's");
    expect(other.code).toBe(exitCodes.damaged);
  });

  it('nothing more after Ctrl-C', async () => {
    const directory = await filled(1);
    // A count of one event has one slice; the signal comes before or after it.
    const { out, code } = await runWok(['info', '--data', directory], { preload: SIGNAL_AT_ONCE });
    expect([exitCodes.ok, INTERRUPTED]).toContain(code);
    if (code === INTERRUPTED) expect(out).toBe('');
  });
});
