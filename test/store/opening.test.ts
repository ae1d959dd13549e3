// Tests of opening a database by its schema version: a new one, one of this version, older and
// newer ones, and those of development versions; and of schema.sql.

import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import type { Config } from '../../src/config/options.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { schemaFile } from '../../src/paths.ts';
import { openCopy } from '../../src/store/database/copy.ts';
import { storageExitCode } from '../../src/store/database/error.ts';
import { migrate, SCHEMA_VERSION } from '../../src/store/database/migrations.ts';
import {
  closeWriter,
  databaseFile,
  openAsSuccessor,
  openWriter,
} from '../../src/store/database/open.ts';
import { freshDirectory, testConfig } from '../support/relay.ts';

function inMemory(version: number): Database.Database {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  db.exec(readFileSync(schemaFile, 'utf8'));
  db.pragma(`user_version = ${version}`);
  return db;
}

const versionIn = (db: Database.Database) => db.pragma('user_version', { simple: true });

/** Returns the settings of a new data directory with a database. */
function freshStorage(): Config['storage'] {
  const { storage } = testConfig(freshDirectory());
  closeWriter(openWriter(storage), true);
  return storage;
}

function failureOf(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was refused');
}

it('a new database has the version of schema.sql, which is 1, and opens again', () => {
  const storage = freshStorage();
  const db = openWriter(storage);
  expect(SCHEMA_VERSION).toBe(1);
  expect(versionIn(db)).toBe(SCHEMA_VERSION);
  expect(versionIn(inMemory(SCHEMA_VERSION))).toBe(SCHEMA_VERSION);
  closeWriter(db, true);
  openAsSuccessor(storage).close();
  openCopy(databaseFile(storage.directory)).close();
});

it.each([
  [2, /version 2, newer than this wok's 1; .*development version.*wok export.*wok import/],
  [10, /version 10, newer than this wok's 1; .*development version.*wok export.*wok import/],
  [
    11,
    /version 11, newer than this wok's 1; run the version of wok that wrote it, or a later one$/,
  ],
])('one of version %i is refused with the way out, and left as it is', (version, sentence) => {
  const storage = freshStorage();
  const file = databaseFile(storage.directory);
  const db = new Database(file);
  onTestFinished(() => void db.close());
  db.pragma(`user_version = ${version}`);
  for (const open of [
    () => openWriter(storage),
    () => openAsSuccessor(storage),
    () => openCopy(file),
  ]) {
    const failure = failureOf(open);
    expect(failure.message).toMatch(sentence);
    expect(storageExitCode(failure)).toBe(exitCodes.version);
  }
  expect(versionIn(db)).toBe(version);
});

it('one of an older version gets the steps that it lacks, each in its own transaction', () => {
  const db = inMemory(2);
  const steps = ['one', 'two', 'three'].map((name) => (to: Database.Database) => {
    to.exec(`CREATE TABLE ${name} (n)`);
  });
  const made = () =>
    db
      .prepare("SELECT name FROM sqlite_schema WHERE name IN ('one', 'two', 'three')")
      .pluck()
      .all();
  const failing = (to: Database.Database) => {
    to.exec('CREATE TABLE three (n)');
    throw new Error('step 3 failed');
  };
  expect(() => migrate(db, 'db', [steps[0]!, steps[1]!, failing])).toThrow('step 3 failed');
  expect([versionIn(db), made()]).toEqual([3, ['two']]);
  migrate(db, 'db', steps);
  expect([versionIn(db), made()]).toEqual([4, ['two', 'three']]);
  expect(() => migrate(db, 'db', steps.slice(1))).toThrow('newer');
});

it.each([0, -5])('the version %i, which no wok has made, is refused', (version) => {
  expect(() => migrate(inMemory(version), 'db')).toThrow(`unknown version ${version}`);
});

it('the audit log refuses to be changed', () => {
  const db = inMemory(SCHEMA_VERSION);
  db.prepare(
    "INSERT INTO audit (at, by, action, subject, reason) VALUES (1, 'a', 'b', 'c', 'd')",
  ).run();
  expect(() => db.prepare("UPDATE audit SET reason = ''").run()).toThrow('never changed');
});
