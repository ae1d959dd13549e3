// Checks before a start that a database still holds what was committed to it.

import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { present } from '../../lib/assert.ts';
import { asStorageError, StorageError } from './error.ts';
import { SCHEMA_VERSION } from './migrations.ts';
import { bootId, type Marked, readMarker, removeMarker } from './open-marker.ts';
import { countMalformed } from './row-shapes.ts';
import { COUNT_TABLES, SELECT_HEADS, SELECT_MAX_AUDIT, SELECT_META } from './sql.ts';

/**
 * Other files of a database that wok leaves in its directory: where one exists, there was a
 * database.
 */
const REMAINS = /^wok\.db\.(part|salvage|replaced-|damaged-|saved-)/;

/** Advice on how to go on without the lost data. */
const ACCEPT =
  'put the missing file back, or restore a backup (wok restore); to continue without the missing data, run wok doctor --accept-loss';

const BLANK = 'is empty, it has no tables';

/** Files found where the database should be. */
interface Lying {
  file: string;
  /** Size in bytes; null: there is no such file. */
  bytes: number | null;
  walBytes: number;
  marker: Marked | null;
  remains: string[];
}

/**
 * Returns an unused name for a file kept beside a database, like `wok.db.damaged-20261129T120000Z`.
 */
export function nameBeside(file: string, what: string): string {
  const name = `${file}.${what}-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}.${n}`;
    if (!existsSync(candidate) && !existsSync(`${candidate}-wal`)) return candidate;
  }
}

/**
 * Rejects an empty database file: SQLite takes a file without a byte for a new database, and
 * deletes the write-ahead log beside it.
 *
 * @throws StorageError
 */
export function refuseEmpty(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size === 0) throw emptied(file);
}

/**
 * Checks a directory before its database is opened for writing: whether it holds what was committed
 * the last time. The caller holds the lock of the directory. Nothing is changed, for opening and
 * closing a database copies its write-ahead log back and deletes it, and with it what could still
 * be saved of a damaged one.
 *
 * @returns true if there is a database; false at the first start.
 * @throws StorageError when something is lost, or when the first pages cannot be read.
 */
export function checkPresence(directory: string): boolean {
  const lying = look(directory);
  const gone = goneFile(lying);
  if (gone !== null) throw gone;
  if (lying.bytes === null) return false;
  const missing = missingEvents(lying);
  if (missing !== null) throw missing;
  return true;
}

/** Loss in the files of a database, as a start would find it. */
interface Missing {
  error: StorageError;
  /** True if there is a write-ahead log from which something may be recovered. */
  hasLog: boolean;
}

/**
 * Returns the loss that a start would report, or null. Another process may have the database open.
 */
export function missingOf(directory: string): Missing | null {
  if (!existsSync(directory)) return null;
  try {
    checkPresence(directory);
    return null;
  } catch (error) {
    const failure = error as StorageError;
    return failure.fault === 'lost'
      ? { error: failure, hasLog: look(directory).walBytes > 0 }
      : null;
  }
}

/**
 * Gives up lost data, so that `checkPresence` accepts what is there; the caller holds the lock.
 * Files that cannot be read are kept under other names.
 *
 * @returns sentences about what was given up; none when nothing is missing.
 * @throws StorageError when the database cannot be read at all: that takes a repair.
 */
export function giveUp(directory: string): string[] {
  const lying = look(directory);
  const { file, bytes } = lying;
  const loss = goneFile(lying) ?? (bytes === null ? null : missingEvents(lying));
  if (loss === null) return [];
  if (loss.fault !== 'lost') throw loss;
  const said = [`Loss accepted: ${loss.message.split(';')[0]}.`];
  if (lying.walBytes > 0) {
    const kept = `${nameBeside(file, 'lost')}-wal`;
    copyFileSync(`${file}-wal`, kept);
    said.push(`A copy of the write-ahead log is kept as ${kept}.`);
  }
  if (bytes === 0) rmSync(file);
  else if (bytes !== null && loss.message.includes(BLANK)) {
    renameSync(file, nameBeside(file, 'lost'));
  }
  // Without the database, or beside a blank one, SQLite would take it for the log of the next one.
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  }
  removeMarker(directory);
  return said;
}

function look(directory: string): Lying {
  const file = join(directory, 'wok.db');
  try {
    return {
      file,
      bytes: statSync(file, { throwIfNoEntry: false })?.size ?? null,
      walBytes: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      marker: readMarker(directory),
      remains: readdirSync(directory).filter((name) => REMAINS.test(name)),
    };
  } catch (error) {
    throw asStorageError(error, file);
  }
}

function goneFile({ file, bytes, walBytes, marker, remains }: Lying): StorageError | null {
  if (bytes === 0) return emptied(file);
  if (bytes !== null) return null;
  if (marker !== null) {
    return lost(`the database ${file} is missing, although its relay was not stopped`);
  }
  if (walBytes > 0) return lost(`the database ${file} is missing, but its write-ahead log exists`);
  if (remains.length === 0) return null;
  return lost(
    `the database ${file} is missing, and ${remains.sort().at(-1)} was found in its directory`,
  );
}

/** Compares the content of the database with what its marker says was committed. */
function missingEvents({ file, bytes, walBytes, marker }: Lying): StorageError | null {
  let db: Database.Database | null = null;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true });
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version === 0) {
      return db.prepare(COUNT_TABLES).pluck().get() === 0
        ? lost(`the database ${file} ${BLANK}`)
        : new StorageError(`${file} is a database, but not one of wok's`, 'damaged');
    }
    // `migrate` rejects a newer one with a sentence of its own.
    if (version > SCHEMA_VERSION) return null;
    checkForm(db, file);
    if (isCutOff(db, bytes ?? 0)) throw damaged(file);
    if (marker === null) return null;
    const { head, indexed } = db.prepare(SELECT_HEADS).get() as { head: number; indexed: number };
    const audit = db.prepare(SELECT_MAX_AUDIT).pluck().get() as number;
    const missing = marker.head - Math.max(head, indexed);
    if (missing <= 0 && marker.audit <= audit) return null;
    // A power cut may take the newest commits only if they do not wait for the disk.
    if (marker.synchronous !== 'full' && bootId() !== marker.boot && walBytes > 0) return null;
    const what =
      missing > 0
        ? `${missing} of the stored events (up to seq ${marker.head})`
        : `${marker.audit - audit} of the entries of its audit log`;
    const why = walBytes > 0 ? 'is damaged' : 'is missing';
    return lost(
      `the database ${file} lacks ${what}, because its write-ahead log (wok.db-wal) ${why} or it was replaced by an older one`,
    );
  } catch (error) {
    return asStorageError(error, file);
  } finally {
    db?.close();
  }
}

/** Checks what wok relies on and SQLite does not check. @throws StorageError */
function checkForm(db: Database.Database, file: string): void {
  const fact = db.prepare(SELECT_META).pluck();
  const odd =
    fact.get('term_key') === undefined ||
    fact.get('indexed_seq') === undefined ||
    countMalformed(db, 'meta') > 0 ||
    db.pragma('auto_vacuum', { simple: true }) !== 0 ||
    db.pragma('encoding', { simple: true }) !== 'UTF-8';
  if (odd) throw damaged(file);
}

/**
 * Returns true if the file is shorter than its pages, by more of them than the write-ahead log can
 * have.
 */
function isCutOff(db: Database.Database, bytes: number): boolean {
  const pages = db.pragma('page_count', { simple: true }) as number;
  const beyond = pages - Math.floor(bytes / (db.pragma('page_size', { simple: true }) as number));
  if (beyond <= 0) return false;
  const [state] = db.pragma('wal_checkpoint(NOOP)') as { log: number }[];
  return beyond > present(state, 'answer to wal_checkpoint').log;
}

function damaged(file: string): StorageError {
  return asStorageError(Object.assign(new Error(), { code: 'SQLITE_CORRUPT' }), file);
}

function emptied(file: string): StorageError {
  return lost(`the database ${file} is a file of 0 bytes`);
}

function lost(what: string): StorageError {
  return new StorageError(`${what}; ${ACCEPT}`, 'lost');
}
