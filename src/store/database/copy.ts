// Copies a live database to a file, and opens such copies.

import { rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { asStorageError, StorageError } from './error.ts';
import { syncFile } from './fsync.ts';
import { newerSchema, SCHEMA_VERSION } from './migrations.ts';
import type { Db } from './open.ts';
import { refuseEmpty } from './presence.ts';
import { SELECT_META, VACUUM_INTO } from './sql.ts';

/** Pages copied between two checks of the rate limit: 256 KiB. */
const STEP_PAGES = 64;
const PAGE_BYTES = 4096;

/** Options of a copy. */
export interface CopyOptions {
  /** Bytes a second; 0: no limit. */
  bytesPerSecond: number;
  progress: (doneBytes: number, totalBytes: number) => void;
  /** True to leave out free pages: a smaller copy, made in one step without a rate limit. */
  compact: boolean;
  /** Signal that aborts the copy; nothing is left of it then. */
  signal: AbortSignal;
}

/**
 * Copies a database to a new file while others write to it. The copy is of one moment: one snapshot
 * is held meanwhile, so that the copy never restarts; until it ends, the write-ahead log grows by
 * what is written. The new file is on the disk when the promise resolves, and is one plain file
 * without a log.
 *
 * @throws what SQLite throws; the reason of `signal`.
 */
export async function copyDatabase(from: Db, file: string, options: CopyOptions): Promise<void> {
  const { bytesPerSecond, progress, signal, compact } = options;
  if (compact) {
    compactDatabase(from, file);
    return;
  }
  const began = performance.now();
  from.exec('BEGIN');
  try {
    makeCopyFile(file);
    // A transaction takes its snapshot at the first read.
    from.prepare(SELECT_META).get('indexed_seq');
    await from.backup(file, {
      progress: ({ totalPages, remainingPages }) => {
        signal.throwIfAborted();
        const done = (totalPages - remainingPages) * PAGE_BYTES;
        progress(done, totalPages * PAGE_BYTES);
        const due = bytesPerSecond === 0 ? 0 : (done / bytesPerSecond) * 1000;
        sleep(due - (performance.now() - began));
        return STEP_PAGES;
      },
    });
    signal.throwIfAborted();
    const copy = new Database(file);
    copy.pragma('journal_mode = DELETE');
    copy.close();
    syncFile(file);
  } catch (error) {
    removeCopy(file);
    throw error;
  } finally {
    from.exec('COMMIT');
  }
}

/**
 * Creates the file of a copy, readable by its user only: it has private messages and the key of the
 * index. @throws StorageError
 */
function makeCopyFile(file: string): void {
  try {
    writeFileSync(file, '', { mode: 0o600 });
  } catch (error) {
    throw asStorageError(error, file);
  }
}

function compactDatabase(from: Db, file: string): void {
  try {
    makeCopyFile(file);
    from.prepare(VACUUM_INTO).run(file);
    syncFile(file);
  } catch (error) {
    removeCopy(file);
    throw error;
  }
}

/**
 * Removes an incomplete copy and what SQLite has beside it: a journal that a kill has left would be
 * taken for one of the next copy of that name.
 */
export function removeCopy(file: string): void {
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
}

/** Opens a file that may be a wok database, for reading. @throws StorageError */
export function openCopy(file: string): Db {
  try {
    refuseEmpty(file);
    const db = new Database(file, { readonly: true, fileMustExist: true });
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version < 1)
      throw new StorageError(`${file} is a database, but not one of wok's`, 'damaged');
    if (version > SCHEMA_VERSION) throw newerSchema(file, version);
    return db;
  } catch (error) {
    throw asStorageError(error, file);
  }
}

function sleep(milliseconds: number): void {
  if (milliseconds <= 0) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(milliseconds, 1000));
}
