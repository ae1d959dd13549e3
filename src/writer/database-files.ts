import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { type Db, databaseFile } from '../storage/open.ts';
import { WAL_FRAME_HEADER_BYTES, WAL_HEADER_BYTES, walHeaderOf } from '../storage/wal.ts';

const ENDS = ['', '-wal', '-shm'] as const;
type End = (typeof ENDS)[number];

/** What has happened to the files of an open database. */
export interface Loss {
  /** As a sentence begins: `wok.db-wal was removed`. */
  what: string;
  /**
   * Their content is gone, and not only their name: what the open descriptors read is not what was
   * written.
   */
  destroyed: boolean;
}

/** A file by what the file system knows it by. */
export interface Identity {
  dev: number;
  ino: number;
}

/**
 * What lies at a path now, or null when nothing does. What cannot be asked is taken for what it
 * was.
 */
export function identityAt(path: string): (Identity & { size: number }) | null | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : undefined;
  }
}

/** Whether both are the same file. */
export function isSame(a: Identity | null | undefined, b: Identity | null | undefined): boolean {
  return !!a && !!b && a.ino === b.ino && a.dev === b.dev;
}

/**
 * The files that a connection has open, as they lie in the directory: its database, the write-ahead
 * log, and the shared memory. They are looked at by name (some 5 µs each); SQLite does not notice
 * when somebody removes, replaces or truncates them, and goes on writing to what no later process
 * will find.
 *
 * The files are not opened here, but for the log: POSIX locks of a process end when it closes a
 * file, whoever of it holds them.
 */
export class DatabaseFiles {
  readonly file: string;
  readonly #db: Db;
  readonly #pageBytes: number;
  readonly #known: Readonly<Record<End, Identity | null>>;
  readonly #sizes: Record<End, number> = { '': 0, '-wal': 0, '-shm': 0 };

  /** `db` has read before, so that the log and the shared memory are there. */
  constructor(db: Db, directory: string) {
    this.file = databaseFile(directory);
    this.#db = db;
    this.#pageBytes = db.pragma('page_size', { simple: true }) as number;
    const at = (end: End) => identityAt(this.file + end) ?? null;
    this.#known = { '': at(''), '-wal': at('-wal'), '-shm': at('-shm') };
  }

  /** Whether the open file still has its name. */
  has(end: End): boolean {
    return isSame(identityAt(this.file + end), this.#known[end]);
  }

  /**
   * What has happened to them, or null; outside of a transaction.
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
   * As `look`, and whether the log still begins as one; for now and then. @throws what SQLite
   * throws.
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
   * Looks closer only when a file is shorter than it was: checkpoints of other processes empty the
   * log.
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

  /** How many frames of the log are in use. */
  #frames(): number {
    const [state] = this.#db.pragma('wal_checkpoint(NOOP)') as { log: number }[];
    return state!.log;
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
