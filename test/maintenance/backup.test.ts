// `wok backup` and `wok restore`, run as commands, alone and beside a running relay; the contents
// of databases and copies are compared by `wok export`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { exitCodes, INTERRUPTED } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { inTime } from '../support/pace.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory, startRelay } from '../support/relay.ts';
import { wok, wokHere } from '../support/wok.ts';

function jsonl(events: readonly unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

async function filled(count: number): Promise<{ directory: string; lines: string }> {
  const directory = freshDirectory();
  const author = new Author();
  const events = Array.from({ length: count }, (_, n) =>
    author.event({ created_at: 1_700_000_000 + n, tags: [['t', `tag ${n % 7}`]] }),
  );
  const lines = jsonl(events);
  await wok(['import', '--data', directory], lines);
  return { directory, lines };
}

describe('wok backup and wok restore', () => {
  it('copy one moment of a relay at work, which starts from the copy', async () => {
    const directory = freshDirectory();
    // The index is updated much later than the log: the copy has a tail of unindexed events.
    const settings = { 'storage.index_delay_milliseconds': 600_000 };
    const relay = await startRelay(settings, directory);
    const client = await Client.connect(relay.url);
    const author = new Author();
    const publish = () => client.publish(author.event());
    for (let n = 0; n < 100; n++) await publish();
    const file = join(freshDirectory(), 'copy.db');
    let running = true;
    let sent = 100;
    const busy = (async () => {
      for (; running; sent++) await publish();
    })();
    const made = await wok(['backup', file, '--data', directory, '--rate', '2']);
    running = false;
    await busy;
    expect(made.err).toBe('');
    expect(made.out).toContain('ids, signatures and index are right');
    expect(made.code).toBe(exitCodes.ok);
    expect(statSync(file).mode & 0o077).toBe(0);
    client.socket.terminate();
    await relay.stop();

    const other = freshDirectory();
    const restored = await wok(['restore', file, '--data', other]);
    expect(restored.code).toBe(exitCodes.ok);
    const before = (await wokHere(['export', '--data', directory])).out.split('\n');
    const after = (await wokHere(['export', '--data', other])).out.split('\n');
    expect(after.length).toBeGreaterThan(100);
    expect(after.length).toBeLessThanOrEqual(sent + 1);
    expect(new Set(before)).toEqual(new Set([...before, ...after]));
    const again = await startRelay({}, other);
    const reader = await Client.connect(again.url);
    const [, , counted] = await reader.count({ authors: [author.pubkey] });
    expect(counted).toEqual({ count: after.length - 1 });
    expect((await reader.publish(author.event()))[2]).toBe(true);
    reader.socket.terminate();
    await again.stop();
  });

  it('overwrite nothing without --force, and keep what was there', async () => {
    const { directory, lines } = await filled(20);
    const file = join(freshDirectory(), 'copy.db');
    await wok(['backup', file, '--data', directory]);
    const twice = await wok(['backup', file, '--data', directory]);
    expect(twice.err).toContain('exists already');
    expect(twice.code).toBe(exitCodes.refused);
    expect((await wok(['backup', file, '--data', directory, '--force'])).code).toBe(exitCodes.ok);

    await wok(['import', '--data', directory], jsonl([new Author().event()]));
    const refused = await wok(['restore', file, '--data', directory]);
    expect(refused.err).toContain('--force');
    expect(refused.code).toBe(exitCodes.refused);
    const before = await wokHere(['export', '--data', directory]);
    expect([before.err, before.code]).toEqual(['', exitCodes.ok]);
    expect(before.out).not.toBe(lines);
    const forced = await wok(['restore', file, '--data', directory, '--force']);
    expect([forced.err, forced.code]).toEqual(['', exitCodes.ok]);
    const after = await wokHere(['export', '--data', directory]);
    expect([after.err, after.code]).toEqual(['', exitCodes.ok]);
    expect(after.out).toBe(lines);
    const kept = readdirSync(directory).find((name) => /^wok\.db\.replaced-\w+$/.test(name))!;
    const db = new Database(join(directory, kept), { readonly: true });
    expect(db.prepare('SELECT count(*) FROM event').pluck().get()).toBe(21);
    db.close();
  });
});

describe('wok restore', () => {
  it('refuses a running relay, a file that is no database, and a damaged or forged copy', async () => {
    const { directory } = await filled(400);
    const file = join(freshDirectory(), 'copy.db');
    await wok(['backup', file, '--data', directory]);
    const relay = await WokProcess.start({}, directory);
    const busy = await wok(['restore', file, '--data', directory, '--force']);
    expect(busy.code).toBe(exitCodes.busy);
    await relay.kill();

    const text = join(freshDirectory(), 'notes.txt');
    writeFileSync(text, 'no database '.repeat(1000));
    const other = ['--data', freshDirectory()];
    expect((await wok(['restore', text, ...other])).code).toBe(exitCodes.damaged);

    const damaged = `${file}.damaged`;
    copyFileSync(file, damaged);
    const at = openSync(damaged, 'r+');
    // Middle of the file: pages of the log or of the index.
    writeSync(at, Buffer.alloc(8192, 0x5a), 0, 8192, Math.floor(statSync(file).size / 8192) * 4096);
    closeSync(at);
    const found = await wok(['restore', damaged, ...other]);
    expect(found.err).toContain('is damaged: ');
    expect(found.code).toBe(exitCodes.damaged);

    const forged = `${file}.forged`;
    copyFileSync(file, forged);
    const db = new Database(forged);
    // In a packed body, the signature is bytes 69 to 132.
    db.exec(`UPDATE event
      SET json = CAST(substr(json, 1, 68) || zeroblob(64) || substr(json, 133) AS BLOB)`);
    db.close();
    const caught = await wok(['restore', forged, ...other]);
    expect(caught.err).toContain('its signature is wrong');
    expect(caught.code).toBe(exitCodes.damaged);
    expect(existsSync(join(other[1]!, 'wok.db'))).toBe(false);
  });
});

describe('wok backup', () => {
  it('leaves free pages out with --compact', async () => {
    const { directory } = await filled(1500);
    await wok(['delete', '--data', directory, '--until', '1700001400']);
    const [plain, compact] = ['plain', 'compact'].map((name) => join(freshDirectory(), name));
    await wok(['backup', plain!, '--data', directory]);
    const made = await wok(['backup', compact!, '--compact', '--data', directory]);
    expect(made.code).toBe(exitCodes.ok);
    expect(statSync(compact!).size).toBeLessThan(statSync(plain!).size / 3);
    expect(statSync(compact!).mode & 0o077).toBe(0);
    const other = freshDirectory();
    await wok(['restore', compact!, '--data', other]);
    const [before, after] = await Promise.all(
      [directory, other].map((one) => wokHere(['export', '--data', one])),
    );
    expect(after!.out).toBe(before!.out);
  });

  it('leaves no file behind on Ctrl-C', () =>
    inTime(async (scale, within) => {
      const { directory } = await filled(3000 * scale);
      const target = freshDirectory();
      const child = spawn(process.execPath, [
        join(packageRoot, 'dist/src/wok.js'),
        ...['backup', join(target, 'copy.db'), '--data', directory, '--rate', '1'],
      ]);
      await until(() => readdirSync(target).length > 0, 'the copy to begin');
      // The backup copies one MiB a second.
      const done = within(500 * scale);
      child.kill('SIGINT');
      expect((await once(child, 'close'))[0]).toBe(INTERRUPTED);
      expect(readdirSync(target)).toEqual([]);
      done();
    }));
});

describe('a relay with storage.checkpoint_pages = 0', () => {
  it('leaves it to another process to copy the write-ahead log back', async () => {
    const directory = freshDirectory();
    const relay = await startRelay({ 'storage.checkpoint_pages': 0 }, directory);
    // As with Litestream, another connection has the database open all the while.
    const beside = new Database(join(directory, 'wok.db'));
    beside.prepare('SELECT count(*) FROM event').get();
    const client = await Client.connect(relay.url);
    const author = new Author();
    for (let n = 0; n < 300; n++) {
      await client.publish(author.event({ content: `${n} ${'x'.repeat(60_000)}` }));
    }
    client.socket.terminate();
    await relay.stop();
    // More than the 4,000 pages after which the write-ahead log would have been restarted.
    expect(statSync(join(directory, 'wok.db-wal')).size).toBeGreaterThan(4_100 * 4096);
    expect(statSync(join(directory, 'wok.db')).size).toBeLessThan(100 * 4096);
    beside.close();
    expect(statSync(join(directory, 'wok.db')).size).toBeGreaterThan(4_000 * 4096);
  });
});
