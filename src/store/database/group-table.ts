// Numbers of events and bytes by group, in a temporary database: any number of groups takes a fixed
// amount of memory.

import Database from 'better-sqlite3';
import { asStorageError, StorageError } from './error.ts';
import * as sql from './sql.ts';

/**
 * Page cache in KiB, which holds about two million groups named by public keys. SQLite writes
 * further groups to a temporary file, some 55 bytes each, and removes its name as soon as it is
 * open, so that nothing is left of it however the process ends.
 */
const CACHE_KIB = 128 * 1024;

/** Key of a group: a number, or bytes in hex. */
export type GroupKey = number | string;

/** Group of events. */
export interface Group {
  key: GroupKey;
  events: number;
  bytes: number;
}

/** Group as a row of the table. */
interface StoredGroup extends Omit<Group, 'key'> {
  key: number | Buffer;
}

/** Sum of several groups. */
export interface GroupSum {
  /** Number of the groups. */
  groups: number;
  events: number;
  bytes: number;
}

/** Table of groups of events. */
export class GroupTable {
  readonly #db: Database.Database;
  readonly #add;
  readonly #addAll;

  constructor() {
    // An empty name: a database in a temporary file of its own.
    this.#db = new Database('');
    this.#db.pragma('journal_mode = OFF');
    this.#db.pragma('synchronous = OFF');
    this.#db.pragma('temp_store = FILE');
    this.#db.pragma(`cache_size = ${-CACHE_KIB}`);
    this.#db.exec(sql.CREATE_GROUPS);
    this.#add = this.#db.prepare(sql.ADD_TO_GROUP);
    this.#addAll = this.#db.transaction((groups: Iterable<Group>) => {
      for (const { key, events, bytes } of groups) this.#add.run(stored(key), events, bytes);
    });
  }

  /** Adds events to their groups. @throws StorageError when the temporary file cannot grow. */
  add(groups: Iterable<Group>): void {
    try {
      this.#addAll(groups);
    } catch (error) {
      throw asTemporaryFileError(error);
    }
  }

  sum(): GroupSum {
    return this.#db.prepare(sql.SUM_OF_GROUPS).get() as GroupSum;
  }

  /**
   * Returns the groups, those with the most events or with the highest keys first, at most `limit`
   * of them; 0: all. They are sorted outside of memory as well.
   */
  *sorted(by: 'events' | 'key', limit: number): Generator<Group> {
    const text = by === 'events' ? sql.SELECT_GROUPS_BY_EVENTS : sql.SELECT_GROUPS_BY_KEY;
    const rows = this.#db.prepare(text).iterate(limit === 0 ? -1 : limit) as Iterable<StoredGroup>;
    for (const { key, events, bytes } of rows) {
      yield { key: typeof key === 'number' ? key : key.toString('hex'), events, bytes };
    }
  }

  close(): void {
    this.#db.close();
  }
}

function stored(key: GroupKey): StoredGroup['key'] {
  return typeof key === 'number' ? key : Buffer.from(key, 'hex');
}

/** Returns the error for a failure of SQLite at its temporary file. */
function asTemporaryFileError(error: unknown): StorageError {
  const { fault } = asStorageError(error, 'of groups');
  const { message } = error as Error;
  return new StorageError(
    `the temporary file of the groups cannot be written (${message}); free some space, or name another directory for it with SQLITE_TMPDIR`,
    fault,
    { cause: error },
  );
}
