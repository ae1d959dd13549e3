// Unit tests of the migrations and of schema.sql, on databases in memory.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { packageRoot, schemaFile } from '../src/paths.ts';
import { migrate, SCHEMA_VERSION } from '../src/store/database/migrations.ts';

interface Part {
  type: string;
  name: string;
  tbl_name: string;
}

/** Returns every table with its columns, and every index, trigger and view. */
function shapeOf(db: Database.Database): unknown {
  const parts = db
    .prepare('SELECT type, name, tbl_name FROM sqlite_schema ORDER BY type, name')
    .all() as Part[];
  return parts.map((part) => ({ ...part, columns: db.pragma(`table_xinfo("${part.name}")`) }));
}

it('every step from the first schema on leads to what schema.sql says, and keeps the events', () => {
  const old = new Database(':memory:');
  old.exec(readFileSync(join(packageRoot, 'test/fixtures/schema-1.sql'), 'utf8'));
  old.prepare("INSERT INTO event VALUES (1, 2, 3, NULL, '{}')").run();
  expect(() => old.exec("INSERT INTO event VALUES (2, 2, 3, NULL, x'01')")).toThrow('TEXT');
  migrate(old, 'old');
  const fresh = new Database(':memory:');
  fresh.exec(readFileSync(schemaFile, 'utf8'));
  expect(old.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
  expect(fresh.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
  expect(shapeOf(old)).toEqual(shapeOf(fresh));
  expect(old.prepare('SELECT seq, json, received_at FROM event').raw().all()).toEqual([
    [1, '{}', null],
  ]);
  // The table accepts packed bodies, and the schema is write-protected again.
  old.exec("INSERT INTO event VALUES (2, 2, 3, NULL, x'01', NULL)");
  expect(old.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(() => old.exec('UPDATE sqlite_schema SET sql = sql')).toThrow('may not be modified');
  const viewOf = (db: Database.Database) =>
    String(db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'nostr_event'").pluck().get());
  const words = (text: string) => text.split(/\s+/);
  expect(words(viewOf(old))).toEqual(words(viewOf(fresh)));
});

it('the audit log refuses to be changed', () => {
  const db = new Database(':memory:');
  db.exec(readFileSync(schemaFile, 'utf8'));
  db.prepare(
    "INSERT INTO audit (at, by, action, subject, reason) VALUES (1, 'a', 'b', 'c', 'd')",
  ).run();
  expect(() => db.prepare("UPDATE audit SET reason = ''").run()).toThrow('never changed');
});
