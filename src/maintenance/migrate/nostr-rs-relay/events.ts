// Events of nostr-rs-relay, read from its SQLite database.

import { setImmediate } from 'node:timers/promises';
import { exitCodes } from '../../../lib/exit-codes.ts';
import { openForeign } from '../../../store/database/foreign.ts';
import type { Db } from '../../../store/database/open.ts';
import { statusOf } from '../files.ts';
import { type EventSource, SourceError } from '../source.ts';
import type { NostrRsRelayReading } from './config.ts';
import {
  COUNT_EVENTS,
  EVENT_COLUMNS,
  SELECT_ADMITTED,
  SELECT_EVENTS,
  SELECT_FROM_POSTGRES,
  SELECT_LAST_ID,
} from './sql.ts';

/** Events of one read transaction: a long one would keep their write-ahead log from shrinking. */
const PAGE_EVENTS = 1_000;
/** Rows before the end of the first pass that the second one reads again: ids may be used again. */
const OVERLAP_ROWS = 1_000;
const COLUMNS = ['id', 'content', 'hidden', 'first_seen'];

/** Row of the table `event`. */
interface Row {
  readonly id: number;
  readonly content: string;
}

/**
 * Returns the events of a nostr-rs-relay, which may run meanwhile.
 *
 * @throws SourceError if the database is not there, or is not one of nostr-rs-relay.
 */
export function nostrRsRelayEvents({ database, isPostgres }: NostrRsRelayReading): EventSource {
  if (isPostgres) {
    throw new SourceError(
      `wok does not read the PostgreSQL database of nostr-rs-relay. Write its events into a file: psql --no-align --tuples-only --command "${SELECT_FROM_POSTGRES}" > events.jsonl, and name it with --events events.jsonl.`,
      exitCodes.refused,
    );
  }
  if (statusOf(database) === undefined) {
    throw new SourceError(
      `there is no database ${database}; name it, or its directory, with --database.`,
      exitCodes.refused,
    );
  }
  let last = 0;
  const reading = <T>(read: (db: Db) => T): T => withDatabase(database, read);
  return {
    name: database,
    async count() {
      return reading((db) => db.prepare(COUNT_EVENTS).get() as { events: number; hidden: number });
    },
    all(signal, since = 0) {
      last = reading((db) => db.prepare(SELECT_LAST_ID).pluck().get() as number);
      return [{ name: '', bytes: pages(database, 0, since, signal) }];
    },
    later: (signal) => [{ name: '', bytes: pages(database, last - OVERLAP_ROWS, 0, signal) }],
    async admitted() {
      return reading((db) => db.prepare(SELECT_ADMITTED).pluck().all() as string[]);
    },
  };
}

/** Yields the events after a row id that came at a time (seconds) or later. */
async function* pages(
  file: string,
  afterId: number,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const db = opened(file);
  try {
    const select = db.prepare(SELECT_EVENTS);
    for (let after = afterId; !signal.aborted; ) {
      const rows = failing(file, () => select.all(after, since, PAGE_EVENTS) as Row[]);
      const last = rows.at(-1);
      if (last === undefined) return;
      yield Buffer.from(rows.map(({ content }) => `${content}\n`).join(''));
      after = last.id;
      // Signals are handled between two turns of the event loop.
      await setImmediate();
    }
  } finally {
    db.close();
  }
}

function withDatabase<T>(file: string, read: (db: Db) => T): T {
  const db = opened(file);
  try {
    return failing(file, () => read(db));
  } finally {
    db.close();
  }
}

function opened(file: string): Db {
  const db = failing(file, () => openForeign(file));
  try {
    const columns = failing(file, () => db.prepare(EVENT_COLUMNS).pluck().all() as string[]);
    if (COLUMNS.every((name) => columns.includes(name))) return db;
    throw new SourceError(
      `${file} is no database of nostr-rs-relay, or of a very old one: start a current nostr-rs-relay on it once, or name another file with --database.`,
      exitCodes.refused,
    );
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Runs `work`, and turns the errors of SQLite into sentences. @throws SourceError */
function failing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    if (!code.startsWith('SQLITE_')) throw error;
    if (code === 'SQLITE_NOTADB') {
      throw new SourceError(`${file} is not an SQLite database.`, exitCodes.refused);
    }
    if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)/.test(code)) {
      throw new SourceError(
        `${file} cannot be read (${message}). Run the command as the user of nostr-rs-relay, or make a copy (sqlite3 ${file} ".backup copy.db") and name it with --database.`,
        exitCodes.noPermission,
      );
    }
    throw new SourceError(`${file} cannot be read: ${message}.`, exitCodes.refused);
  }
}
