// Compacting of a database: a compacted copy beside a running relay, or the database itself.

import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/options.ts';
import { type ExitCode, exitCodes } from '../lib/exit-codes.ts';
import { asStorageError, isStorageFailure, storageExitCode } from '../store/database/error.ts';
import { requireVacuumSpace } from '../store/database/free-space.ts';
import { closeWriter, databaseFile } from '../store/database/open.ts';
import { usedBytes } from '../store/database/sizes.ts';
import { VACUUM } from '../store/database/sql.ts';
import { backup, type Copied } from './backup.ts';
import { openForRepair } from './offline-writer.ts';

/** Number of events of a copy that are checked. */
const SAMPLE = 1_000;

/** Database to compact, as the task of a worker thread. */
export interface CompactTask {
  storage: Config['storage'];
  backend: Config['ingester']['signature_backend'];
  /** File of the copy; null: the database is compacted in place. */
  file: string | null;
  /** Port for the progress of the check of the copy. */
  progress: MessagePort;
}

/** Progress of the check of a copy, in events. */
export interface CheckProgress {
  done: number;
  total: number;
}

/**
 * Result of a task. A failure is a value, because an error that crosses threads loses its fields.
 */
export type CompactResult =
  | { copied: Copied | null }
  /** Sentence for the user, and the exit status. */
  | { failure: string; status: ExitCode };

/**
 * Compacts a database: rewrites it without its free pages.
 *
 * @throws any error that is no failure of SQLite or of the file system: a bug.
 */
export async function compact(task: CompactTask): Promise<CompactResult> {
  const { storage, file } = task;
  try {
    if (file !== null) return { copied: await compactedCopy(task, file) };
    compactInPlace(storage);
    return { copied: null };
  } catch (error) {
    const { name, message, copied } = error as Error & { copied?: Copied };
    if (name === 'CopyProblem') {
      return { failure: `${copied?.file} is damaged: ${message}`, status: exitCodes.damaged };
    }
    if (!isStorageFailure(error)) throw error;
    const failure = asStorageError(error, databaseFile(storage.directory));
    const status = storageExitCode(failure) ?? exitCodes.inputOutput;
    if (file !== null || status !== exitCodes.busy) return { failure: failure.message, status };
    return { failure: inUse(storage.directory), status };
  } finally {
    task.progress.close();
  }
}

function compactedCopy({ storage, backend, progress }: CompactTask, file: string): Promise<Copied> {
  return backup(storage, backend, file, {
    compact: true,
    keep: true,
    sample: SAMPLE,
    bytesPerSecond: 0,
    // A signal ends the process, this thread with it (`cli/compact.ts`).
    signal: new AbortController().signal,
    progress: (step, done, total) => {
      if (step === 'checking') progress.postMessage({ done, total } satisfies CheckProgress);
    },
  });
}

/**
 * Compacts the database in its file. SQLite does it in one transaction: until the commit the
 * database is the old one, whatever ends the process.
 *
 * @throws StorageError when another process has the database, or when there is no room.
 */
function compactInPlace(storage: Config['storage']): void {
  const db = openForRepair(storage);
  try {
    requireVacuumSpace(usedBytes(db), storage.directory);
    // The new pages may be more than the memory has room for.
    db.pragma('temp_store = FILE');
    db.pragma('synchronous = FULL');
    db.exec(VACUUM);
  } catch (error) {
    closeWriter(db, true);
    throw error;
  }
  const failure = closeWriter(db, true);
  if (failure) throw failure;
}

function inUse(directory: string): string {
  return `another process uses the database in ${directory}; stop the relay (sudo systemctl stop wok) and run wok compact again, or have a compacted copy written beside it: wok compact <file>`;
}
