// Opens, tunes and closes the database, for its one writer and for readers.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Config } from '../../config/options.ts';
import { present } from '../../lib/assert.ts';
import { schemaFile } from '../../paths.ts';
import { jsonOf, type StoredBody } from '../body/body.ts';
import { TERM_KEY_BYTES } from '../index/terms.ts';
import { makeFile } from './data-directory.ts';
import { asStorageError, StorageError } from './error.ts';
import { syncFile } from './fsync.ts';
import { BUSY_MILLISECONDS, lock, lockDirectory, unlock } from './lock.ts';
import { checkUnchanged, migrate, SCHEMA_VERSION } from './migrations.ts';
import { OpenMarker } from './open-marker.ts';
import { shrinkWhenCalm } from './page-cache.ts';
import { checkPresence, giveUp, refuseEmpty } from './presence.ts';
import { checkRows } from './row-shapes.ts';
import { SELECT_HEADS, SELECT_MAX_AUDIT, SELECT_META, UPSERT_META } from './sql.ts';

export type Db = Database.Database;

/** Markers of the databases that a writer of this thread has open. */
const markers = new WeakMap<Db, OpenMarker>();
/**
 * Connections that hold the lock of the directory, by database. Separate ones, so that no
 * transaction ends the lock.
 */
const locks = new WeakMap<Db, Db>();

/** Returns the database file of a data directory. */
export function databaseFile(directory: string): string {
  return join(directory, 'wok.db');
}

/**
 * Opens the database for its one writer, creates it if there is none, and brings an older one up to
 * date. `closeWriter` closes it.
 *
 * @throws StorageError when it cannot be opened, is no wok database, is from a newer wok, lacks
 *   what was committed to it before, or has a damaged row in a table that the writer relies on.
 */
export function openWriter(storage: Config['storage']): Db {
  const { directory } = storage;
  const file = databaseFile(directory);
  const held = lockDirectory(directory);
  let db: Db | null = null;
  try {
    if (!checkPresence(directory)) createDatabase(file);
    db = new Database(file, { fileMustExist: true });
    db.pragma(`busy_timeout = ${BUSY_MILLISECONDS}`);
    db.pragma('journal_mode = WAL');
    db.pragma('locking_mode = NORMAL');
    db.pragma('foreign_keys = OFF');
    db.pragma('temp_store = MEMORY');
    tuneWriter(db, storage);
    migrate(db, file);
    checkRows(db);
    db.function('json_of', { deterministic: true }, (body) => jsonOf(body as StoredBody));
    const { head } = db.prepare(SELECT_HEADS).get() as { head: number };
    const audit = db.prepare(SELECT_MAX_AUDIT).pluck().get() as number;
    shrinkWhenCalm(db);
    markers.set(db, new OpenMarker(directory, storage.synchronous, head, audit));
    return holding(db, held);
  } catch (error) {
    db?.close();
    held.close();
    throw asStorageError(error, file);
  }
}

/**
 * Gives up the missing part of the database of a directory, as `openWriter` finds it, and creates a
 * new database if none is left.
 *
 * @returns sentences about what was given up; none when nothing is missing.
 * @throws StorageError when another process has the database, or when it is damaged beyond that.
 */
export function acceptLoss(directory: string): string[] {
  const file = databaseFile(directory);
  const held = lockDirectory(directory);
  try {
    const said = giveUp(directory);
    if (said.length > 0 && !existsSync(file)) {
      createDatabase(file);
      said.push(`${file} is a new, empty database.`);
    }
    return said;
  } finally {
    held.close();
  }
}

/** Ties the lock of the directory to a database: closing the database releases the lock. */
function holding(db: Db, held: Db): Db {
  locks.set(db, held);
  const close = db.close.bind(db);
  db.close = () => {
    close();
    held.close();
    return db;
  };
  return db;
}

/**
 * Locks the directory of an open database again, after the lock file was lost. @throws StorageError
 */
export function lockAgain(db: Db, directory: string): void {
  const held = present(locks.get(db), 'lock of an open database');
  unlock(held);
  lock(held, directory);
}

/** Returns the marker of a database that `openWriter` has opened. */
export function markerOf(db: Db): OpenMarker {
  return present(markers.get(db), 'marker of an open database');
}

/**
 * Closes a database that `openWriter` has opened. With `checkpoint` its write-ahead log is copied
 * back before; if all of it was, the file alone is the database, and the marker is removed.
 *
 * @returns why the log could not be copied back, or null; nothing in it is lost then.
 */
export function closeWriter(db: Db, checkpoint: boolean): Error | null {
  const marker = markers.get(db);
  let failure: Error | null = null;
  let whole = false;
  try {
    if (checkpoint) {
      const [done] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      whole = present(done, 'answer to wal_checkpoint').busy === 0;
    }
  } catch (error) {
    failure = error as Error;
  }
  db.close();
  if (whole) marker?.remove();
  else marker?.close();
  return failure;
}

/** Opens the database for reading only, as every thread but the writer does. */
export function openReader(storage: Config['storage']): Db {
  const file = databaseFile(storage.directory);
  try {
    refuseEmpty(file);
    const db = new Database(file, { readonly: true, fileMustExist: true });
    db.pragma('query_only = ON');
    db.pragma('temp_store = MEMORY');
    tuneReader(db, storage);
    shrinkWhenCalm(db);
    return db;
  } catch (error) {
    throw asStorageError(error, file);
  }
}

/**
 * Opens the database for reading while the process that this one takes over from owns it.
 *
 * @throws StorageError also when this wok would change the schema, which takes a plain restart.
 */
export function openAsSuccessor(storage: Config['storage']): Db {
  const db = openReader(storage);
  try {
    checkUnchanged(db, databaseFile(storage.directory));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Applies the settings that may change while the writer's connection is open; not inside a
 * transaction.
 */
export function tuneWriter(db: Db, storage: Config['storage']): void {
  db.pragma(`synchronous = ${storage.synchronous}`);
  db.pragma(`cache_size = ${-storage.cache_mib * 1024}`);
  const pages = storage.checkpoint_pages;
  db.pragma(`wal_autocheckpoint = ${pages}`);
  db.pragma(`journal_size_limit = ${pages === 0 ? -1 : pages * 4096 * 2}`);
}

/** Applies the settings that may change while a reading connection is open. */
export function tuneReader(db: Db, storage: Config['storage']): void {
  db.pragma(`cache_size = ${-storage.cache_mib * 1024}`);
}

/** Returns the secret that keys the term hash of this database. */
export function termKey(db: Db): Uint8Array {
  return db.prepare(SELECT_META).pluck().get('term_key') as Buffer;
}

/**
 * Creates a new database. It appears under its name when it is whole, so that an empty file is
 * never a database that a start has begun.
 */
function createDatabase(file: string): void {
  const made = `${file}.new`;
  for (const end of ['', '-journal']) rmSync(`${made}${end}`, { force: true });
  makeFile(made);
  const db = new Database(made);
  try {
    // Page size and vacuum mode are fixed by the first write.
    db.pragma('page_size = 4096');
    db.transaction(() => {
      db.exec(readFileSync(schemaFile, 'utf8'));
      const set = db.prepare(UPSERT_META);
      set.run('term_key', randomBytes(TERM_KEY_BYTES));
      set.run('indexed_seq', 0);
    })();
    if (db.pragma('user_version', { simple: true }) !== SCHEMA_VERSION) {
      throw new StorageError(
        'schema.sql and the list of migrations disagree about the version',
        'version',
      );
    }
  } finally {
    db.close();
  }
  syncFile(made);
  renameSync(made, file);
  syncFile(file);
}
