// Schema version, its checks, and the steps from released versions to it.

import type Database from 'better-sqlite3';
import { StorageError } from './error.ts';

/**
 * Migration steps: `STEPS[n - 1]` brings a database from version n to n + 1, inside one
 * transaction. To change the schema, change `schema.sql` and its `user_version`, append the step
 * that leads to the same, and test it on a database that the last release made. A released step
 * never changes.
 */
const STEPS: readonly Step[] = [];

type Step = (db: Database.Database) => void;

/** Schema version that `schema.sql` describes. */
export const SCHEMA_VERSION = 1 + STEPS.length;

/** Highest version that databases had before the first release, which began at 1 again. */
const LAST_DEVELOPMENT_VERSION = 10;

/**
 * Brings a database of an older release up to date by the steps that it lacks.
 *
 * @throws StorageError when its version is unknown or newer.
 */
export function migrate(db: Database.Database, file: string, steps = STEPS): void {
  const found = versionOf(db, file, 1 + steps.length);
  if (found < 1) {
    throw new StorageError(`the database ${file} has the unknown version ${found}`, 'version');
  }
  steps.slice(found - 1).forEach((step, at) => {
    db.transaction(() => {
      step(db);
      db.pragma(`user_version = ${found + at + 1}`);
    })();
  });
}

/**
 * Checks that this wok takes the database without a migration, which another process that still
 * reads it by its own schema requires. @throws StorageError when the schema is older or newer.
 */
export function checkUnchanged(db: Database.Database, file: string): void {
  const found = versionOf(db, file, SCHEMA_VERSION);
  if (found === SCHEMA_VERSION) return;
  throw new StorageError(
    `the database ${file} has schema version ${found}, and this wok would migrate it to ${SCHEMA_VERSION} while a relay still reads it; use a plain restart (sudo systemctl restart wok), after a backup`,
    'version',
  );
}

/**
 * Returns the error for a schema version that is newer than this wok's. `what` names the database
 * in the sentence.
 */
export function newerSchema(what: string, version: number): StorageError {
  const advice =
    version > LAST_DEVELOPMENT_VERSION
      ? 'run the version of wok that wrote it, or a later one'
      : 'run the version of wok that wrote it; if that was a development version, export its events with it (wok export) and import them here (wok import)';
  return new StorageError(
    `${what} has schema version ${version}, newer than this wok's ${SCHEMA_VERSION}; ${advice}`,
    'version',
  );
}

/** @throws StorageError when the version is newer than the newest that this wok knows. */
function versionOf(db: Database.Database, file: string, newest: number): number {
  const found = db.pragma('user_version', { simple: true }) as number;
  if (found <= newest) return found;
  throw newerSchema(`the database ${file}`, found);
}
