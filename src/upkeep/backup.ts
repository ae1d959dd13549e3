import { chownSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Config } from '../config/options.ts';
import { loadSignatureBackend } from '../protocol/signature/signature.ts';
import { type CopyOptions, copyDatabase, openCopy } from '../storage/copy.ts';
import { lockDirectory } from '../storage/lock.ts';
import { databaseFile } from '../storage/open.ts';
import { removeMarker } from '../storage/open-marker.ts';
import { nameBeside } from '../storage/presence.ts';
import { needRoom } from '../storage/room.ts';
import { syncFile } from '../storage/sync.ts';
import { type Sampled, sampleDatabase } from './check/sample.ts';

/** The files that belong to a database: itself, its write-ahead log, and the memory that is shared. */
const FILE_ENDS = ['', '-wal', '-shm'];

/** How a database is copied and looked at. */
export interface BackupOptions extends Omit<CopyOptions, 'progress'> {
  /** Events whose signatures are checked. */
  sample: number;
  /** Which step it is in, and how far. */
  progress: (step: 'copying' | 'checking', done: number, total: number) => void;
}

/** What was copied. */
export interface Copied extends Sampled {
  file: string;
  bytes: number;
}

/** The copy is there, and something is wrong with it. */
export class CopyProblem extends Error {
  override name = 'CopyProblem';
  readonly copied: Copied;

  constructor(copied: Copied) {
    super(copied.problems.join('; '));
    this.copied = copied;
  }
}

/**
 * Copies the database to a file of its own while the relay runs, and looks at the copy. The file
 * appears under its name when it is whole and good; a copy that is not good stays beside it as
 * `.part`, because it may be all that there is.
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
  rmSync(part, { force: true });
  const db = openCopy(databaseFile(storage.directory));
  try {
    needRoom(statSync(databaseFile(storage.directory)).size, dirname(file));
    await copyDatabase(db, part, {
      ...options,
      progress: (done, total) => options.progress('copying', done, total),
    });
  } finally {
    db.close();
  }
  const copied = await lookAt(part, backend, options).catch((error: unknown) => {
    // A backup that somebody ended is no backup.
    rmSync(part, { force: true });
    throw error;
  });
  if (copied.problems.length > 0) throw new CopyProblem({ ...copied, file: part });
  renameSync(part, file);
  syncFile(file);
  return { ...copied, file };
}

/** What was done by `restore`. */
export interface Restored extends Copied {
  /** Where the database is now that was there before. */
  replaced: string | null;
}

/**
 * Puts a backup in the place of the database. The backup is looked at first and copied beside the
 * place, then takes it at once; what was there before is kept under another name.
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
    needRoom(statSync(file).size, directory);
    rmSync(part, { force: true });
    const source = openCopy(file);
    await copyDatabase(source, part, {
      ...options,
      progress: (done, total) => options.progress('copying', done, total),
    });
    source.close();
    const replaced = existsSync(place) ? nameBeside(place, 'replaced') : null;
    // What the former one held is no measure for this one.
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

/** What root restores belongs to whom the directory belongs, or the relay could not open it. */
function giveTo(directory: string, file: string): void {
  if (process.getuid?.() !== 0 || !existsSync(file)) return;
  const { uid, gid } = statSync(directory);
  chownSync(file, uid, gid);
}

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
    // Signals are heard between two turns of the event loop.
    await setImmediate();
    signal.throwIfAborted();
    return { ...sampled, file, bytes: statSync(file).size };
  } finally {
    db.close();
  }
}

/** Whether there is a database already. */
export function hasDatabase(directory: string): boolean {
  return existsSync(join(directory, 'wok.db'));
}
