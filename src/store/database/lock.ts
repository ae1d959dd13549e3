// Exclusive lock of a data directory, so that one process writes to its database.

import { existsSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { makeDataDirectory, makeFile } from './data-directory.ts';
import { asStorageError, StorageError } from './error.ts';
import { COUNT_TABLES } from './sql.ts';

/** Time that a start waits for a previous process that is just ending. */
const LOCK_MILLISECONDS = 2_000;
/** Time that a connection waits for SQLite's own short locks. */
export const BUSY_MILLISECONDS = 5_000;

/**
 * Returns the lock file of a directory. Its lock tells which process owns the database; nothing is
 * ever written to it.
 */
export function lockFile(directory: string): string {
  return join(directory, 'wok.lock');
}

/**
 * Locks the directory until the database is closed or the process ends, however it ends: the
 * writer's state in memory is only right while no other process writes. The database itself stays
 * unlocked for readers. (Measured: no difference in the time of a commit.)
 *
 * @throws StorageError when another process holds the lock, or when the file cannot be opened.
 */
export function lock(db: Database.Database, directory: string): void {
  const file = lockFile(directory);
  try {
    tryLock(db, file);
  } catch (error) {
    unlock(db);
    const { code = '' } = error as { code?: string };
    if (!/^SQLITE_(NOTADB|CORRUPT)/.test(code)) throw asLockError(error, file);
    // SQLite takes the lock before it reads: a process that holds it would have been busy instead.
    // The file is emptied in its place, so that of two processes that come here one gets the lock.
    try {
      truncateSync(file);
      tryLock(db, file);
    } catch (again) {
      unlock(db);
      throw asLockError(again, file);
    }
  }
}

/** Releases the lock; does nothing for a connection without one. */
export function unlock(db: Database.Database): void {
  try {
    db.exec('DETACH lock');
  } catch {
    // It was not attached.
  }
}

/**
 * Locks a data directory, whatever it contains, until the result is closed.
 *
 * @throws StorageError when another process holds the lock.
 */
export function lockDirectory(directory: string): Database.Database {
  try {
    makeDataDirectory(directory);
  } catch (error) {
    throw asStorageError(error, join(directory, 'wok.db'));
  }
  const db = new Database(':memory:');
  try {
    lock(db, directory);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Returns true if a process holds the lock of a directory: a relay, or a command that writes.
 * Writes nothing; a process that locks the directory at this very moment waits for its end.
 *
 * @throws StorageError when the lock file cannot be read.
 */
export function isLocked(directory: string): boolean {
  const file = lockFile(directory);
  if (!existsSync(file)) return false;
  let db: Database.Database | null = null;
  try {
    db = new Database(file, { readonly: true, timeout: 0 });
    db.prepare(COUNT_TABLES).get();
    return false;
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return true;
    // SQLite asks for the lock before it reads what is in the file.
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return false;
    throw asLockError(error, file);
  } finally {
    db?.close();
  }
}

function tryLock(db: Database.Database, file: string): void {
  db.pragma(`busy_timeout = ${LOCK_MILLISECONDS}`);
  try {
    if (!existsSync(file)) makeFile(file);
    db.prepare('ATTACH ? AS lock').run(file);
    db.pragma('lock.locking_mode = EXCLUSIVE');
    // Without a log the lock is one on the file itself, and is requested before anything is read.
    db.pragma('lock.journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  } finally {
    db.pragma(`busy_timeout = ${BUSY_MILLISECONDS}`);
  }
}

/** Returns the error for a failure at the lock file, which is never a failure of the database. */
function asLockError(error: unknown, file: string): StorageError {
  const { code = '', message } = error as { code?: string; message: string };
  const database = join(file, '..', 'wok.db');
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return asStorageError(error, database);
  // A directory without a database in which this user may make nothing.
  if (code === 'EACCES' && !existsSync(file) && !existsSync(database))
    return asStorageError(error, database);
  const rights = /^SQLITE_(READONLY|PERM)|^E(ACCES|PERM|ROFS)/.test(code);
  return new StorageError(
    `the lock file ${file} cannot be used (${message}); it contains no data: remove it while no relay runs on the directory, and let this user write there`,
    rights ? 'unwritable' : 'unusable',
    { cause: error },
  );
}
