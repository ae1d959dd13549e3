// Detects removed, replaced or truncated files of an open SQLite database.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { present } from '../lib/assert.ts';
import { type Db, databaseFile } from '../store/database/open.ts';
import { WAL_FRAME_HEADER_BYTES, WAL_HEADER_BYTES, walHeaderOf } from '../store/database/wal.ts';

const ENDS = ['', '-wal', '-shm'] as const;
type End = (typeof ENDS)[number];

/** Damage to the files of an open database. */
export interface Loss {
  /** Beginning of a sentence: `wok.db-wal was removed`. */
  what: string;
  /**
   * True if the content is gone, not only the name: what the open descriptors read is not what was
   * written.
   */
  destroyed: boolean;
}

/** Identity of a file in the file system. */
export interface Identity {
  dev: number;
  ino: number;
}

/**
 * Returns the file at a path, null if there is none, or undefined if it cannot be examined, which
 * callers take for unchanged.
 */
export function identityAt(path: string): (Identity & { size: number }) | null | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : undefined;
  }
}

/** Returns true if both are the same file. */
export function isSame(a: Identity | null | undefined, b: Identity | null | undefined): boolean {
  return !!a && !!b && a.ino === b.ino && a.dev === b.dev;
}

/**
 * Files that a connection has open, as they lie in the directory: the database, the write-ahead log
 * and the shared memory. They are examined by name (some 5 µs each). SQLite does not notice when
 * one is removed, replaced or truncated, and goes on writing to files that no later process will
 * find.
 *
 * Only the log is opened here: POSIX locks of a process end when it closes the file, through
 * whichever descriptor.
 */
export class DatabaseFiles {
  readonly file: string;
  readonly #db: Db;
  readonly #pageBytes: number;
  readonly #known: Readonly<Record<End, Identity | null>>;
  readonly #sizes: Record<End, number> = { '': 0, '-wal': 0, '-shm': 0 };

  /** @param db has read before, so that the log and the shared memory exist. */
  constructor(db: Db, directory: string) {
    this.file = databaseFile(directory);
    this.#db = db;
    this.#pageBytes = db.pragma('page_size', { simple: true }) as number;
    const at = (end: End) => identityAt(this.file + end) ?? null;
    this.#known = { '': at(''), '-wal': at('-wal'), '-shm': at('-shm') };
  }

  /** Returns true if the open file still has its name. */
  has(end: End): boolean {
    return isSame(identityAt(this.file + end), this.#known[end]);
  }

  /**
   * Returns the damage found, or null. Must be called outside a transaction.
   *
   * @throws what SQLite throws.
   */
  look(): Loss | null {
    let loss: Loss | null = null;
    for (const end of ENDS) {
      const known = this.#known[end];
      const found = identityAt(this.file + end);
      if (known === null || found === undefined) continue;
      const name = `wok.db${end}`;
      if (found === null) loss ??= { what: `${name} was removed`, destroyed: false };
      else if (!isSame(found, known)) {
        loss ??= { what: `${name} was replaced by another file`, destroyed: false };
      } else if (this.#isTruncated(end, found.size)) {
        return { what: `${name} was truncated`, destroyed: true };
      }
    }
    return loss;
  }

  /**
   * Does what `look` does, and checks the header of the log; for periodic calls. @throws what
   * SQLite throws.
   */
  lookCloser(): Loss | null {
    const loss = this.look();
    if (loss !== null) return loss;
    const isLog = this.#sizes['-wal'] < WAL_HEADER_BYTES || this.#logBeginsRight();
    return isLog || this.#frames() === 0
      ? null
      : { what: 'wok.db-wal was overwritten', destroyed: true };
  }

  /**
   * Asks SQLite only when a file has become shorter: checkpoints of other processes empty the log.
   */
  #isTruncated(end: End, size: number): boolean {
    const before = this.#sizes[end];
    this.#sizes[end] = size;
    if (size >= before || end === '-shm') return false;
    if (end === '-wal') {
      const frames = this.#frames();
      const least = WAL_HEADER_BYTES + frames * (this.#pageBytes + WAL_FRAME_HEADER_BYTES);
      return frames > 0 && size < least;
    }
    // VACUUM makes a database smaller, too.
    return size < (this.#db.pragma('page_count', { simple: true }) as number) * this.#pageBytes;
  }

  /** Returns the number of log frames in use. */
  #frames(): number {
    const [state] = this.#db.pragma('wal_checkpoint(NOOP)') as { log: number }[];
    return present(state, 'answer to wal_checkpoint').log;
  }

  #logBeginsRight(): boolean {
    const header = Buffer.alloc(WAL_HEADER_BYTES);
    try {
      const fd = openSync(`${this.file}-wal`, 'r');
      const read = readSync(fd, header);
      closeSync(fd);
      return read < WAL_HEADER_BYTES || walHeaderOf(header) !== null;
    } catch {
      return true;
    }
  }
}
