// The database of a relay (in its own process) beside another process that reads it for long, and
// beside Litestream, simulated by connections of this process: the write-ahead log stays bounded.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../src/maintenance/doctor/finding.ts';
import { Author } from '../support/author.ts';
import { WAIT_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

const PAGE_BYTES = 4096;
const EVENTS_A_ROUND = 40;
const author = new Author();

/**
 * Starts a relay in its own process; returns functions that publish to it and open its database.
 */
async function started(checkpointPages: number) {
  const directory = freshDirectory();
  const relay = await WokProcess.start({ 'storage.checkpoint_pages': checkpointPages }, directory);
  const client = await Client.connect(relay.url);
  const open = () => {
    const db = new Database(join(directory, 'wok.db'), { timeout: WAIT_MILLISECONDS });
    onTestFinished(() => void db.close());
    // As in Litestream, which decides by itself when to copy the log back.
    db.pragma('wal_autocheckpoint = 0');
    return db;
  };
  /** Publishes about 2 MB. */
  const publish = async () => {
    for (let n = 0; n < EVENTS_A_ROUND; n++) {
      const content = `${n} ${Array.from({ length: 5_000 }, () => Math.random().toString(36).slice(2)).join('')}`;
      const [, , accepted, why] = await client.publish(
        author.event({ content: content.slice(0, 60_000) }),
      );
      expect([accepted, why]).toEqual([true, '']);
    }
  };
  const walBytes = () => statSync(join(directory, 'wok.db-wal')).size;
  return { directory, relay, client, open, publish, walBytes };
}

it('another reader keeps the write-ahead log long, and when it has gone the log is short again', async () => {
  const pages = 500;
  const { open, publish, walBytes } = await started(pages);
  const reader = open();
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM event').get();
  for (let round = 0; round < 4; round++) await publish();
  expect(walBytes()).toBeGreaterThan(2 * pages * PAGE_BYTES);
  reader.exec('COMMIT');
  await until(async () => {
    await publish();
    return walBytes() <= 2 * pages * PAGE_BYTES;
  }, 'the log to begin anew');
});

it('Litestream may hold its read lock, write its tables, and copy the log back', async () => {
  const { directory, relay, client, open, publish, walBytes } = await started(0);
  const [reader, other] = [open(), open()];
  other.exec(`
    CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);
    CREATE TABLE _litestream_lock (id INTEGER);
  `);
  const hold = () => {
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM _litestream_seq').get();
  };
  hold();
  let longest = 0;
  for (let round = 0; round < 8; round++) {
    await publish();
    longest = Math.max(longest, walBytes());
    const publishing = publish();
    // As Litestream does: release the read lock, restart the log with a row of its own, lock again.
    reader.exec('COMMIT');
    other.pragma(`wal_checkpoint(${round % 4 === 3 ? 'TRUNCATE' : 'RESTART'})`);
    other.exec(
      'INSERT INTO _litestream_seq VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET seq = seq + 1',
    );
    hold();
    other.exec('BEGIN IMMEDIATE; INSERT INTO _litestream_lock VALUES (1); ROLLBACK');
    await publishing;
  }
  // Of the 32 MB written: the log was restarted again and again.
  expect(longest).toBeLessThan(20e6);
  expect(longest).toBeGreaterThan(1e6);

  const count = await wok(['scan', '{"limit":1000}', '--count', '--data', directory]);
  expect(count.out.trim()).toBe(String(8 * 2 * EVENTS_A_ROUND));
  client.socket.terminate();
  relay.signal('SIGTERM');
  expect((await relay.exited).code).toBe(0);
  // Only the other connection copies the log back, also after the relay has ended.
  expect(walBytes()).toBeGreaterThan(0);
  reader.exec('COMMIT');
  reader.close();
  other.close();
  const { out } = await wok(['doctor', '--json', '--data', directory]);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  expect(findings.filter(({ area, severity }) => area === 'database' && severity !== 'ok')).toEqual(
    [],
  );
});
