// Facts about a database for `wok info`, read beside a running relay: sizes, pages, number and
// times of the events.

import { setImmediate } from 'node:timers/promises';
import { StorageError } from '../store/database/error.ts';
import { SCHEMA_VERSION } from '../store/database/migrations.ts';
import { type Db, databaseFile } from '../store/database/open.ts';
import { databaseSizes } from '../store/database/sizes.ts';
import * as sql from '../store/database/sql.ts';
import { TERM_ALL } from '../store/index/terms.ts';
import { StoredCount } from '../store/read/stored-count.ts';

/** Facts about a database. */
export interface DatabaseFacts {
  database: string;
  /** `PRAGMA user_version`. */
  schemaVersion: number;
  /** Size of the database without its write-ahead log. */
  databaseBytes: number;
  writeAheadLogBytes: number;
  pageBytes: number;
  /** Pages of the database, those that are only in the write-ahead log included. */
  pages: number;
  freePages: number;
  /** Bytes of the free pages: `wok compact` gives back that much or more. */
  freeBytes: number;
  /** null: the schema has a version whose tables this wok does not know. */
  content: ContentFacts | null;
}

/** Facts about the events of a database. */
export interface ContentFacts {
  /** Number of stored events, counted in the index (`StoredCount`). */
  events: number;
  /** Seconds since 1970; null without events. */
  oldestCreatedAt: number | null;
  newestCreatedAt: number | null;
  /** Last seq assigned. */
  seq: number;
  /** Number of stored events that the index does not hold yet. */
  unindexed: number;
}

/**
 * Reads the facts about a database.
 *
 * @param progress is called with the number of events counted so far.
 * @throws StorageError when the file is a database, but not one of wok's; what `signal` throws.
 */
export async function databaseFacts(
  db: Db,
  directory: string,
  { signal, progress }: { signal: AbortSignal; progress: (events: number) => void },
): Promise<DatabaseFacts> {
  const database = databaseFile(directory);
  const schemaVersion = db.pragma('user_version', { simple: true }) as number;
  if (schemaVersion < 1) {
    throw new StorageError(`${database} is a database, but not one of wok's`, 'damaged');
  }
  const { file, writeAheadLog, pageBytes, pages, freePages, free } = databaseSizes(db, directory);
  const facts = {
    database,
    schemaVersion,
    databaseBytes: file,
    writeAheadLogBytes: writeAheadLog,
    pageBytes,
    pages,
    freePages,
    freeBytes: free,
  };
  if (schemaVersion !== SCHEMA_VERSION) return { ...facts, content: null };
  const count = new StoredCount(db);
  let events = count.step();
  while (events === null) {
    progress(count.counted);
    // Signals are handled between two turns of the event loop.
    await setImmediate();
    signal.throwIfAborted();
    events = count.step();
  }
  const { head, indexed } = db.prepare(sql.SELECT_HEADS).get() as { head: number; indexed: number };
  const time = (text: string) => db.prepare(text).pluck().get(TERM_ALL, indexed) as number | null;
  const content = {
    events,
    oldestCreatedAt: time(sql.SELECT_OLDEST_TIME),
    newestCreatedAt: time(sql.SELECT_NEWEST_TIME),
    seq: Math.max(head, indexed),
    unindexed: db.prepare(sql.COUNT_LOG_BEHIND).pluck().get(indexed) as number,
  };
  return { ...facts, content };
}
