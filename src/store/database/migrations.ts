// Schema version and the steps from older versions to it.

import type Database from 'better-sqlite3';
import { StorageError } from './error.ts';
import * as sql from './sql.ts';

/** Schema version that `schema.sql` describes. */
export const SCHEMA_VERSION = 10;

/**
 * Migration steps: step n brings a database from version n to n + 1, inside one transaction. A step
 * is never changed once it was released; `schema.sql` always shows the result of all of them.
 */
const steps: Record<number, (db: Database.Database) => void> = {
  1: (db) => db.exec(sql.TO_VERSION_2),
  2: (db) => db.exec(sql.TO_VERSION_3),
  3: (db) => db.exec(sql.TO_VERSION_4),
  4: (db) => db.exec(sql.TO_VERSION_5),
  5: (db) => db.exec(sql.TO_VERSION_6),
  6: (db) => db.exec(sql.TO_VERSION_7),
  7: (db) => db.exec(sql.TO_VERSION_8),
  8: toVersion9,
  9: (db) => db.exec(sql.TO_VERSION_10),
};

/**
 * Lets the column `json` hold packed bodies. SQLite cannot change the type of a column, but each
 * value has its own type, so it is enough to change the table's definition; the new view makes
 * every connection read it again.
 */
function toVersion9(db: Database.Database): void {
  db.unsafeMode(true);
  try {
    db.pragma('writable_schema = ON');
    db.prepare(sql.LET_BODIES_BE_PACKED).run();
    db.pragma('writable_schema = RESET');
  } finally {
    db.unsafeMode(false);
  }
  db.exec(sql.TO_VERSION_9);
}

/** Brings an older database up to date. @throws StorageError when it is from a newer wok. */
export function migrate(db: Database.Database, file: string): void {
  const found = versionOf(db, file);
  for (let version = found; version < SCHEMA_VERSION; version++) {
    const step = steps[version];
    if (!step) {
      const message = `the database ${file} has the unknown version ${version}`;
      throw new StorageError(message, 'version');
    }
    db.transaction(() => {
      step(db);
      db.pragma(`user_version = ${version + 1}`);
    })();
  }
}

/**
 * Checks that this wok takes the database without a migration, which another process that still
 * reads it by its own schema requires. @throws StorageError when the schema is older or newer.
 */
export function checkUnchanged(db: Database.Database, file: string): void {
  const found = versionOf(db, file);
  if (found === SCHEMA_VERSION) return;
  throw new StorageError(
    `the database ${file} has schema version ${found}, and this wok would bring it to ${SCHEMA_VERSION} under a relay that still reads it; use a plain restart (sudo systemctl restart wok), after a backup`,
    'version',
  );
}

/** @throws StorageError when the version is newer than this wok knows. */
function versionOf(db: Database.Database, file: string): number {
  const found = db.pragma('user_version', { simple: true }) as number;
  if (found <= SCHEMA_VERSION) return found;
  throw new StorageError(
    `the database ${file} has schema version ${found}, newer than this wok's ${SCHEMA_VERSION}; run the wok that made it, or a later one`,
    'version',
  );
}
