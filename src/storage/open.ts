import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Config } from '../config/options.ts';
import { makeDirectory } from '../lib/make-directory.ts';
import { schemaFile } from '../paths.ts';
import { jsonOf, type StoredBody } from './body.ts';
import { asStorageError, StorageError } from './error.ts';
import { checkUnchanged, migrate, SCHEMA_VERSION } from './migrations.ts';
import { COUNT_TABLES, SELECT_META, UPSERT_META } from './sql.ts';
import { TERM_KEY_BYTES } from './terms.ts';

/**
 * The permissions of a data directory and of the files in it, less those of the umask: other users of
 * the machine must not read private messages and the audit log. SQLite gives the permissions of the
 * database to its log and its shared memory.
 */
const DIRECTORY_MODE = 0o750;
const FILE_MODE = 0o640;
/** How long a start waits for a predecessor that is just ending. */
const LOCK_MILLISECONDS = 2_000;
/** How long the writer waits for SQLite's own short locks. */
const BUSY_MILLISECONDS = 5_000;

export type Db = Database.Database;

/** The database file of a data directory. */
export function databaseFile(directory: string): string {
  return join(directory, 'wok.db');
}

/**
 * Opens the database for its one writer, makes it if there is none, and brings an older one up to date.
 *
 * @throws StorageError when it cannot be opened, is no wok database, or is from a newer wok.
 */
export function openWriter(storage: Config['storage']): Db {
  const file = databaseFile(storage.directory);
  const isNew = !existsSync(file);
  try {
    makeDataDirectory(storage.directory);
    if (isNew) makeFile(file);
    const db = new Database(file, { timeout: LOCK_MILLISECONDS });
    // Page size and vacuum mode are fixed by the first write.
    if (isNew) db.pragma('page_size = 4096');
    lock(db, storage.directory);
    db.pragma('journal_mode = WAL');
    db.pragma('locking_mode = NORMAL');
    db.pragma('foreign_keys = OFF');
    db.pragma('temp_store = MEMORY');
    tuneWriter(db, storage);
    if (db.pragma('user_version', { simple: true }) === 0) create(db, file);
    else migrate(db, file);
    db.function('json_of', { deterministic: true }, (body) => jsonOf(body as StoredBody));
    return db;
  } catch (error) {
    throw asStorageError(error, file);
  }
}

/** Makes a data directory that its user alone may write to, unless it is there. */
export function makeDataDirectory(directory: string): void {
  makeDirectory(directory, DIRECTORY_MODE);
}

/** Makes an empty file, which SQLite takes for an empty database, unless it is there. */
function makeFile(file: string): void {
  closeSync(openSync(file, 'a', FILE_MODE));
}

/**
 * Holds a lock on the directory until the database is closed or the process ends, however it ends:
 * what the writer keeps in memory is only right while nobody else writes. The database itself stays
 * unlocked for readers. (Measured: no difference in the time of a commit.)
 */
export function lock(db: Db, directory: string): void {
  const file = join(directory, 'wok.lock');
  if (!existsSync(file)) makeFile(file);
  db.prepare('ATTACH ? AS lock').run(file);
  db.pragma('lock.locking_mode = EXCLUSIVE');
  db.pragma(`busy_timeout = ${LOCK_MILLISECONDS}`);
  db.exec('BEGIN EXCLUSIVE; COMMIT');
  db.pragma(`busy_timeout = ${BUSY_MILLISECONDS}`);
}

/** Opens the database for reading only, as every thread but the writer does. */
export function openReader(storage: Config['storage']): Db {
  const file = databaseFile(storage.directory);
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    db.pragma('query_only = ON');
    db.pragma('temp_store = MEMORY');
    tuneReader(db, storage);
    return db;
  } catch (error) {
    throw asStorageError(error, file);
  }
}

/**
 * Opens the database for reading beside the process that owns it and that this one is to take over from.
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

/** Sets what may change while the writer's connection is open; not inside a transaction. */
export function tuneWriter(db: Db, storage: Config['storage']): void {
  db.pragma(`synchronous = ${storage.synchronous}`);
  db.pragma(`cache_size = ${-storage.cache_mib * 1024}`);
  const pages = storage.checkpoint_pages;
  db.pragma(`wal_autocheckpoint = ${pages}`);
  db.pragma(`journal_size_limit = ${pages === 0 ? -1 : pages * 4096 * 2}`);
}

/** Sets what may change while a reading connection is open. */
export function tuneReader(db: Db, storage: Config['storage']): void {
  db.pragma(`cache_size = ${-storage.cache_mib * 1024}`);
}

/** The secret that keys the term hash of this database. */
export function termKey(db: Db): Uint8Array {
  return db.prepare(SELECT_META).pluck().get('term_key') as Buffer;
}

function create(db: Db, file: string): void {
  const tables = db.prepare(COUNT_TABLES).pluck().get();
  if (tables !== 0) {
    throw new StorageError(
      `${file} is a database, but not one of wok's; name another directory`,
      'damaged',
    );
  }
  db.transaction(() => {
    db.exec(readFileSync(schemaFile, 'utf8'));
    const set = db.prepare(UPSERT_META);
    set.run('term_key', randomBytes(TERM_KEY_BYTES));
    set.run('indexed_seq', 0);
  })();
  if (db.pragma('user_version', { simple: true }) !== SCHEMA_VERSION) {
    throw new StorageError('schema.sql and the migrations disagree about the version', 'version');
  }
}
