// Errors of SQLite and the file system, as sentences for the operator and exit codes.

import { type ExitCode, exitCodes } from '../../lib/exit-codes.ts';
import { isNativeLoadFailure, nativeLoadAdvice } from '../../lib/uws.ts';

/** Kind of fault of a database that cannot be used. */
type StorageFault =
  | 'busy'
  | 'unwritable'
  | 'damaged'
  /** The files do not hold what was committed to them. */
  | 'lost'
  | 'version'
  | 'full'
  | 'unusable'
  | 'key'
  | 'input-output'
  | 'native';

/** Error about a database that cannot be used; the message is one sentence for the operator. */
export class StorageError extends Error {
  override name = 'StorageError';
  readonly fault: StorageFault;

  constructor(message: string, fault: StorageFault, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

const STATUS: Readonly<Record<StorageFault, ExitCode>> = {
  busy: exitCodes.busy,
  unwritable: exitCodes.noPermission,
  damaged: exitCodes.damaged,
  lost: exitCodes.damaged,
  version: exitCodes.version,
  full: exitCodes.inputOutput,
  unusable: exitCodes.cannotCreate,
  key: exitCodes.config,
  'input-output': exitCodes.inputOutput,
  native: exitCodes.unavailable,
};

/**
 * Returns the exit code of a process that cannot use its database, or null if the error is no
 * storage error. An error that crossed a thread has lost its class, so only its fields are
 * examined.
 */
export function storageExitCode(error: unknown): ExitCode | null {
  const { name, fault } = error as Partial<StorageError>;
  if (name !== 'StorageError') return null;
  return STATUS[fault ?? 'unusable'] ?? exitCodes.cannotCreate;
}

const DAMAGED = 'is damaged; run wok doctor, or restore a backup with wok restore';

/** Faults and sentences by the `error.code` of SQLite and the file system, with advice. */
const REASONS: Readonly<Record<string, readonly [StorageFault, string]>> = {
  SQLITE_CANTOPEN: [
    'unusable',
    'cannot be opened; does the directory exist, and may this user write there?',
  ],
  SQLITE_NOTADB: ['damaged', 'is not an SQLite database; move it away, or name another directory'],
  SQLITE_CORRUPT: ['damaged', DAMAGED],
  // A page that the write-ahead log should have lies past its end.
  SQLITE_IOERR_SHORT_READ: ['damaged', DAMAGED],
  // Tables or columns are missing or differ from the schema.
  SQLITE_ERROR: ['damaged', DAMAGED],
  SQLITE_SCHEMA: ['damaged', DAMAGED],
  SQLITE_READONLY: [
    'unwritable',
    'is read-only for this user; give the user of wok its files (chown)',
  ],
  SQLITE_BUSY: ['busy', 'is in use by another process; is a second relay running on it?'],
  SQLITE_LOCKED: ['busy', 'is in use by another process; is a second relay running on it?'],
  SQLITE_FULL: ['full', 'cannot grow: the disk is full; free some space'],
  SQLITE_IOERR: ['input-output', 'cannot be read or written: disk I/O error; see the kernel log'],
  ENOSPC: ['full', 'cannot grow: the disk is full; free some space'],
  EDQUOT: ['full', 'cannot grow: the quota of this user is used up'],
  EROFS: ['unwritable', 'is on a file system that is mounted read-only'],
  EACCES: ['unusable', 'cannot be created: this user may not write there'],
  EPERM: ['unusable', 'cannot be created: the system does not allow files there'],
  ENOENT: [
    'unusable',
    'cannot be created: the file system does not support it; name another directory',
  ],
  ENOTDIR: ['unusable', 'cannot be created: a part of its path is a file, not a directory'],
  EISDIR: ['unusable', 'cannot be opened: it is a directory'],
  ELOOP: ['unusable', 'cannot be created: a part of its path is a dangling symbolic link'],
  ENAMETOOLONG: ['unusable', 'cannot be created: its path is too long'],
  EIO: ['input-output', 'cannot be read or written: disk I/O error; see the kernel log'],
};

/** Returns true if an error comes from SQLite, also after it has crossed a thread. */
export function isSqliteError(error: unknown): boolean {
  return /^SQLITE_/.test(String((error as { code?: unknown }).code));
}

/** Returns true if an error is a failure of SQLite or of the file system, or made of one. */
export function isStorageFailure(error: unknown): boolean {
  const { name, code } = error as Error & { code?: unknown };
  return name === 'StorageError' || (typeof code === 'string' && /^(SQLITE_|E[A-Z]+$)/.test(code));
}

/** Returns true for an error of reading the database, which other work of a thread survives. */
export function isReadFailure(error: unknown): error is Error {
  return error instanceof StorageError || isSqliteError(error);
}

/** Returns the error for a failure of SQLite or the file system at this database. */
export function asStorageError(error: unknown, file: string): StorageError {
  if (error instanceof StorageError) return error;
  // better-sqlite3 loads its native part with the first database.
  if (isNativeLoadFailure(error)) {
    return new StorageError(nativeLoadAdvice(error), 'native', { cause: error });
  }
  const cause = error as Error & { code?: string };
  const code = cause.code ?? '';
  // SQLite's extended codes begin with the primary code: SQLITE_IOERR_WRITE.
  const [fault, reason] = REASONS[code] ??
    REASONS[code.split('_', 2).join('_')] ?? ['unusable', `cannot be used: ${cause.message}`];
  return new StorageError(`the database ${file} ${reason}`, fault, { cause });
}
