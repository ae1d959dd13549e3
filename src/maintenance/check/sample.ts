// Check of a database by a random sample of its events, for `wok doctor` and backups.

import type { SignatureBackend } from '../../protocol/signature/backend.ts';
import { type Db, termKey } from '../../store/database/open.ts';
import * as sql from '../../store/database/sql.ts';
import { TermHasher } from '../../store/index/terms.ts';
import { isSigned, type LogRow, PostingCheck, readStored } from './stored-event.ts';

/** Number of problems that are described; more are only counted. */
const NAMED_MAX = 5;

/** Result of a sample check. */
export interface Sampled {
  /** Number of events in the database. */
  events: number;
  /** Number of events checked. */
  looked: number;
  /** Sentences about the faults found; empty if there are none. */
  problems: string[];
}

/**
 * Checks that the pages of a database are consistent, and that some of its events, chosen at
 * random, have the right id and signature and are found by the index.
 */
export function sampleDatabase(
  db: Db,
  signature: SignatureBackend,
  count: number,
  progress: (done: number, total: number) => void,
): Sampled {
  const faults = pageFaults(db, 'quick_check');
  if (faults.length > 0) return { events: 0, looked: 0, problems: faults };
  const { head, indexed } = db.prepare(sql.SELECT_HEADS).get() as { head: number; indexed: number };
  const events = db.prepare(sql.COUNT_EVENTS).pluck().get() as number;
  const postings = new PostingCheck(db, new TermHasher(termKey(db)));
  const problems: string[] = [];
  let bad = 0;
  let looked = 0;
  const say = (row: LogRow, what: string) => {
    if (++bad <= NAMED_MAX) problems.push(`event ${row.seq}: ${what}`);
  };
  for (const row of chosen(db, head, events, count)) {
    if (looked++ % 64 === 0) progress(looked, Math.min(count, events));
    const event = readStored(row);
    if (typeof event === 'string') say(row, event);
    else if (!isSigned(event, signature)) say(row, 'its signature is wrong');
    else if (row.seq <= indexed && postings.missing(event, row) > 0) {
      say(row, 'the index lacks postings of it');
    }
  }
  if (bad > NAMED_MAX) problems.push(`and ${bad - NAMED_MAX} more of ${looked} checked`);
  return { events, looked, problems };
}

/** Returns the faults that SQLite finds in its own pages, as sentences. */
export function pageFaults(db: Db, how: 'quick_check' | 'integrity_check'): string[] {
  try {
    const rows = db.pragma(`${how}(${NAMED_MAX})`) as Record<string, string>[];
    const found = rows.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok');
    return found.map((text) => `SQLite says: ${text.replaceAll('\n', ' ')}`);
  } catch (error) {
    return [`SQLite says: ${(error as Error).message}`];
  }
}

/**
 * Returns up to `count` rows at random, or all rows if there are at most twice as many as wanted.
 */
function* chosen(db: Db, head: number, events: number, count: number): Generator<LogRow> {
  if (count === 0) return;
  if (events <= count * 2) {
    yield* db.prepare(sql.SELECT_LOG).iterate(0, head, -1) as Iterable<LogRow>;
    return;
  }
  const next = db.prepare(sql.SELECT_LOG);
  for (let n = 0; n < count; n++) {
    const row = next.get(Math.floor(Math.random() * head), head, 1) as LogRow | undefined;
    if (row !== undefined) yield row;
  }
}
