// Backup and restore of the database: copies it while the relay runs, checks the copy, and replaces
// a database by a checked copy.

import { chownSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Config } from '../config/options.ts';
import { loadSignatureBackend } from '../protocol/signature/signature.ts';
import { type CopyOptions, copyDatabase, openCopy, removeCopy } from '../store/database/copy.ts';
import { StorageError } from '../store/database/error.ts';
import { requireFreeSpace } from '../store/database/free-space.ts';
import { syncFile } from '../store/database/fsync.ts';
import { lockDirectory } from '../store/database/lock.ts';
import { databaseFile } from '../store/database/open.ts';
import { removeMarker } from '../store/database/open-marker.ts';
import { nameBeside } from '../store/database/presence.ts';
import { usedBytes } from '../store/database/sizes.ts';
import { type Sampled, sampleDatabase } from './check/sample.ts';

/**
 * Endings of the files of a database: the database itself, its write-ahead log, and its shared
 * memory.
 */
const FILE_ENDS = ['', '-wal', '-shm'];

/** Options of copying and checking a database. */
export interface BackupOptions extends Omit<CopyOptions, 'progress'> {
  /** Number of events to check, chosen at random. */
  sample: number;
  /** True to keep a file of that name that has appeared meanwhile; else it is replaced. */
  keep?: boolean;
  /** Called with the current step and its progress. */
  progress: (step: 'copying' | 'checking', done: number, total: number) => void;
}

/** Result of a copy. */
export interface Copied extends Sampled {
  file: string;
  bytes: number;
}

/** Error about a copy that exists and failed its check. */
class CopyProblem extends Error {
  override name = 'CopyProblem';
  readonly copied: Copied;

  constructor(copied: Copied) {
    super(copied.problems.join('; '));
    this.copied = copied;
  }
}

/**
 * Copies the database to a file while the relay runs, and checks the copy. The file gets its name
 * once the copy is complete and good; a copy that is not good stays beside it as `.part`, because
 * it may be the only one.
 *
 * @throws CopyProblem; StorageError when the database cannot be read or there is no room.
 */
export async function backup(
  storage: Config['storage'],
  backend: Config['ingester']['signature_backend'],
  file: string,
  options: BackupOptions,
): Promise<Copied> {
  const part = `${file}.part`;
  removeCopy(part);
  const db = openCopy(databaseFile(storage.directory));
  try {
    requireFreeSpace(options.compact ? usedBytes(db) : fileBytes(storage), dirname(file));
    await copyDatabase(db, part, {
      ...options,
      progress: (done, total) => options.progress('copying', done, total),
    });
  } finally {
    db.close();
  }
  const copied = await lookAt(part, backend, options).catch((error: unknown) => {
    // A cancelled backup is not kept.
    rmSync(part, { force: true });
    throw error;
  });
  if (copied.problems.length > 0) throw new CopyProblem({ ...copied, file: part });
  if (options.keep && existsSync(file)) {
    rmSync(part);
    throw new StorageError(`${file} exists already; name another file`, 'unusable');
  }
  renameSync(part, file);
  syncFile(file);
  return { ...copied, file };
}

/** Result of `restore`. */
interface Restored extends Copied {
  /** Path that the former database was moved to, or null. */
  replaced: string | null;
}

/**
 * Replaces the database by a backup. The backup is checked first, copied into the data directory
 * and then renamed into place; the former database is kept under another name.
 *
 * @throws CopyProblem when the backup is not good; StorageError when it is no database of wok's, or
 * when a relay runs on the directory.
 */
export async function restore(
  storage: Config['storage'],
  backend: Config['ingester']['signature_backend'],
  file: string,
  options: BackupOptions,
): Promise<Restored> {
  const looked = await lookAt(file, backend, options);
  if (looked.problems.length > 0) throw new CopyProblem(looked);
  const { directory } = storage;
  const place = databaseFile(directory);
  const part = `${place}.part`;
  const lock = lockDirectory(directory);
  try {
    requireFreeSpace(statSync(file).size, directory);
    removeCopy(part);
    const source = openCopy(file);
    await copyDatabase(source, part, {
      ...options,
      progress: (done, total) => options.progress('copying', done, total),
    });
    source.close();
    const replaced = existsSync(place) ? nameBeside(place, 'replaced') : null;
    // The marker records what the former database held, which does not apply to this one.
    removeMarker(directory);
    for (const end of FILE_ENDS) {
      if (replaced !== null && existsSync(place + end)) renameSync(place + end, replaced + end);
      else rmSync(place + end, { force: true });
    }
    renameSync(part, place);
    syncFile(place);
    return { ...looked, file: place, replaced };
  } finally {
    lock.close();
    for (const name of ['wok.db', 'wok.lock']) giveTo(directory, join(directory, name));
  }
}

function fileBytes({ directory }: Config['storage']): number {
  return statSync(databaseFile(directory)).size;
}

/**
 * Gives a file that root restored to the owner of the directory, or the relay could not open it.
 */
function giveTo(directory: string, file: string): void {
  if (process.getuid?.() !== 0 || !existsSync(file)) return;
  const { uid, gid } = statSync(directory);
  chownSync(file, uid, gid);
}

/** Checks a copy: its pages and a sample of its events. */
async function lookAt(
  file: string,
  backend: Config['ingester']['signature_backend'],
  { sample, progress, signal }: BackupOptions,
): Promise<Copied> {
  const signature = await loadSignatureBackend(backend);
  const db = openCopy(file);
  try {
    const report = (done: number, total: number) => progress('checking', done, total);
    const sampled = sampleDatabase(db, signature, sample, report);
    // Signals are delivered only between two turns of the event loop.
    await setImmediate();
    signal.throwIfAborted();
    return { ...sampled, file, bytes: statSync(file).size };
  } finally {
    db.close();
  }
}

/** Returns true if the directory has a database. */
export function hasDatabase(directory: string): boolean {
  return existsSync(join(directory, 'wok.db'));
}
