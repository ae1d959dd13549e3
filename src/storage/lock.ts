import { existsSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { makeDataDirectory, makeFile } from './data-directory.ts';
import { asStorageError, StorageError } from './error.ts';

/** How long a start waits for a predecessor that is just ending. */
const LOCK_MILLISECONDS = 2_000;
/** How long a connection waits for SQLite's own short locks. */
export const BUSY_MILLISECONDS = 5_000;

/** The file whose lock says who has the database of a directory. Nothing is ever written to it. */
export function lockFile(directory: string): string {
  return join(directory, 'wok.lock');
}

/**
 * Holds a lock on the directory until the database is closed or the process ends, however it ends:
 * what the writer keeps in memory is only right while nobody else writes. The database itself stays
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

/** Lets go of the lock; of a connection without one, nothing. */
export function unlock(db: Database.Database): void {
  try {
    db.exec('DETACH lock');
  } catch {
    // It was not attached.
  }
}

/**
 * Holds the lock of a data directory, whatever is in it, until the result is closed.
 *
 * @throws StorageError when another process holds it.
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

function tryLock(db: Database.Database, file: string): void {
  db.pragma(`busy_timeout = ${LOCK_MILLISECONDS}`);
  try {
    if (!existsSync(file)) makeFile(file);
    db.prepare('ATTACH ? AS lock').run(file);
    db.pragma('lock.locking_mode = EXCLUSIVE');
    // Without a log: then the lock is one on the file itself, and is asked for before anything is
    // read.
    db.pragma('lock.journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  } finally {
    db.pragma(`busy_timeout = ${BUSY_MILLISECONDS}`);
  }
}

/** The sentence for a failure at the lock file, which is never a failure of the database. */
function asLockError(error: unknown, file: string): StorageError {
  const { code = '', message } = error as { code?: string; message: string };
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return asStorageError(error, join(file, '..', 'wok.db'));
  const rights = /^SQLITE_(READONLY|PERM)|^E(ACCES|PERM|ROFS)/.test(code);
  return new StorageError(
    `the lock file ${file} cannot be used (${message}); it holds no data: remove it while no relay runs on the directory, and let this user write there`,
    rights ? 'unwritable' : 'unusable',
    { cause: error },
  );
}
