// Checks of `wok doctor` on the contents of the database: pages, schema, rows, signatures, index,
// log and disk space. The database is only read.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/options.ts';
import { formatBytes, formatCount } from '../../lib/format.ts';
import type { SignatureBackend } from '../../protocol/signature/backend.ts';
import { SCHEMA_VERSION } from '../../store/database/migrations.ts';
import { type Db, databaseFile, termKey } from '../../store/database/open.ts';
import { countMalformed, ROW_SHAPES } from '../../store/database/row-shapes.ts';
import * as sql from '../../store/database/sql.ts';
import { TERM_KEY_BYTES, TermHasher } from '../../store/index/terms.ts';
import { pageFaults, sampleDatabase } from '../check/sample.ts';
import { type Finding, findings } from './finding.ts';
import { checkLog, type LogReport } from './log-check.ts';

/** Advice for damaged pages. */
export const PAGES_ADVICE =
  'Restore a backup (wok restore); without one, stop the relay and run wok doctor --repair, which saves the readable events. Check the disk and the memory of this machine.';
const REPAIR = 'Stop the relay and run wok doctor --repair.';
/** Number of events in the sample of a thorough examination. */
const SIGNATURES = 2_000;
/** Number of expired events beyond which the periodic purge has evidently not run. */
const EXPIRED_MAX = 10_000;

/** Result of the examination of a database. */
export interface DatabaseReport {
  findings: Finding[];
  /** null: the log was not checked, or the database is too damaged or too old for that. */
  log: LogReport | null;
  pagesDamaged: boolean;
}

/** Extent of an examination. */
interface Thoroughness {
  /** True to check only the pages and a small sample. */
  quick: boolean;
  progress: (step: string, done: number, total: number) => void;
}

/** Examines a database that is open for reading. */
export function examineDatabase(
  db: Db,
  storage: Config['storage'],
  signature: SignatureBackend,
  { quick, progress }: Thoroughness,
): DatabaseReport {
  const { made, ok, bad, warn } = findings('database');
  const faults = pageFaults(db, quick ? 'quick_check' : 'integrity_check');
  if (faults.length > 0) {
    bad('pages', `The database is damaged. ${faults.join(' ')}`, PAGES_ADVICE);
    return { findings: made, log: null, pagesDamaged: true };
  }
  ok('pages', 'The integrity check of SQLite found no errors.');
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version < SCHEMA_VERSION) {
    warn(
      'version',
      `The schema has version ${version}; this wok's is ${SCHEMA_VERSION}.`,
      'The next start of the relay migrates it; take a backup first.',
    );
    return { findings: made, log: null, pagesDamaged: false };
  }
  if (termKey(db)?.length !== TERM_KEY_BYTES) {
    bad('key', 'The key of the index is missing.', 'Restore a backup (wok restore).');
    return { findings: made, log: null, pagesDamaged: true };
  }
  const strange = malformedRows(db);
  if (strange.length > 0) {
    bad('rows', `Rows of invalid form: ${strange.join(', ')}.`, PAGES_ADVICE);
    return { findings: made, log: null, pagesDamaged: true };
  }
  const sampled = sampleDatabase(db, signature, quick ? 500 : SIGNATURES, (done, total) =>
    progress('signatures', done, total),
  );
  if (sampled.problems.length === 0) {
    ok(
      'signatures',
      `${formatCount(sampled.looked)} events have the right id, signature and postings.`,
    );
  } else {
    bad(
      'signatures',
      `Of ${formatCount(sampled.looked)} events: ${sampled.problems.join('; ')}.`,
      REPAIR,
    );
  }
  // If any event of the sample is wrong, all signatures are checked, so that a repair finds every
  // one.
  const everySignature = sampled.problems.length > 0 ? signature : null;
  const log = quick
    ? null
    : checkLog(db, new TermHasher(termKey(db)), everySignature, (done, total) =>
        progress('log and index', done, total),
      );
  if (log !== null) made.push(...logFindings(log));
  made.push(...stateFindings(db), ...spaceFindings(db, storage));
  return { findings: made, log, pagesDamaged: false };
}

/**
 * Returns the tables beside the log that have damaged rows, with their number; tombstones have a
 * finding of their own.
 */
function malformedRows(db: Db): string[] {
  return Object.keys(ROW_SHAPES).flatMap((table) => {
    const count = table.startsWith('deleted_') ? 0 : countMalformed(db, table);
    return count === 0 ? [] : [`${formatCount(count)} in the table ${table}`];
  });
}

function logFindings(log: LogReport): Finding[] {
  const { made, ok, bad, warn } = findings('database');
  const count = formatCount;
  if (log.unreadable.length > 0) {
    bad(
      'events',
      `${count(log.unreadable.length)} of ${count(log.events)} events are invalid; ${log.unreadableWhy}.`,
      `${REPAIR} It removes them and keeps their text in a file.`,
    );
  } else ok('events', `${count(log.events)} events have the right form and id.`);
  if (log.missing > 0) {
    const text = `The index lacks ${count(log.missing)} postings: some filters do not find all events.`;
    bad('index-missing', text, REPAIR);
  }
  if (log.wrong > 0) {
    bad('index-wrong', `The index has ${count(log.wrong)} postings that match no event.`, REPAIR);
  }
  if (log.dangling > 0) {
    const text = `The index has ${count(log.dangling)} postings of removed events: they cost space and time.`;
    warn('index-dangling', text, REPAIR);
  }
  if (log.missing + log.wrong + log.dangling === 0) ok('index', 'The index agrees with the log.');
  const rules: [string, number[], string][] = [
    ['repeated', log.repeated, 'are duplicates'],
    ['superseded', log.superseded, 'are superseded by a newer version'],
    ['tombstones', log.deleted, 'were deleted by their authors but are still stored'],
  ];
  for (const [name, seqs, what] of rules) {
    if (seqs.length > 0) bad(name, `${count(seqs.length)} events ${what}.`, REPAIR);
  }
  if (rules.every(([, seqs]) => seqs.length === 0)) {
    ok('rules', 'No event is duplicate, superseded or deleted.');
  }
  return made;
}

function stateFindings(db: Db): Finding[] {
  const { made, ok, bad, warn, note } = findings('database');
  const { head, indexed } = db.prepare(sql.SELECT_HEADS).get() as { head: number; indexed: number };
  const behind = head - indexed;
  if (!Number.isInteger(indexed) || indexed > head) {
    bad(
      'indexed',
      `The index claims to reach seq ${indexed}, but the log ends at ${head}.`,
      REPAIR,
    );
  } else if (behind > 200_000) {
    warn(
      'indexed',
      `The index is ${formatCount(behind)} events behind the log.`,
      'Start the relay: it catches up at the start. If the relay is running, see its log.',
    );
  } else ok('indexed', `The index is ${formatCount(behind)} events behind the log.`);
  const sweep = db.prepare(sql.COUNT_SWEEP).get() as { rows: number; living: number };
  if (sweep.living > 0) {
    bad('sweep', `${formatCount(sweep.living)} stored events are marked as removed.`, REPAIR);
  } else if (sweep.rows > 0) {
    note('sweep', `${formatCount(sweep.rows)} removed events are not yet swept from the index.`);
  }
  const expired = db
    .prepare(sql.COUNT_EXPIRED)
    .pluck()
    .get(Math.floor(Date.now() / 1000)) as number;
  if (expired > EXPIRED_MAX) {
    note(
      'expired',
      `${formatCount(expired)} expired events (NIP-40) wait to be removed.`,
      'The relay removes them while it runs.',
    );
  }
  const strange = db.prepare(sql.COUNT_STRANGE_TOMBSTONES).pluck().get() as number;
  const tombstones = db.prepare(sql.COUNT_TOMBSTONES).pluck().get() as number;
  if (strange > 0)
    warn('tombstones', `${formatCount(strange)} tombstones have an invalid form and no effect.`);
  else ok('tombstones', `${formatCount(tombstones)} tombstones of deletions.`);
  return made;
}

function spaceFindings(
  db: Db,
  { directory, checkpoint_pages: checkpoint }: Config['storage'],
): Finding[] {
  const { made, ok, warn, note } = findings('database');
  const pragma = (name: string) => db.pragma(name, { simple: true }) as number;
  const pageSize = pragma('page_size');
  const pages = pragma('page_count');
  const free = pragma('freelist_count');
  const text = `${formatBytes(pages * pageSize)} in ${formatCount(pages)} pages, ${formatBytes(free * pageSize)} of it free for new events.`;
  if (free > pages / 2 && pages * pageSize > 1e9) {
    note('size', text, 'Stop the relay and run wok compact to give it back.');
  } else ok('size', text);
  const wal = `${databaseFile(directory)}-wal`;
  const walBytes = existsSync(wal) ? statSync(wal).size : 0;
  if (walBytes > Math.max(checkpoint * pageSize * 10, 1e9)) {
    warn(
      'wal',
      `The write-ahead log has ${formatBytes(walBytes)}.`,
      'A long read transaction (a backup, a sqlite3 shell) blocks the checkpoint; end it.',
    );
  } else ok('wal', `The write-ahead log has ${formatBytes(walBytes)}.`);
  return made;
}

/** Names of files in a data directory that an interrupted backup, restore or repair leaves. */
export const LEFTOVERS = /^wok\.db\.(part|salvage|new)/;

/** Returns the path of the file that receives the texts of events that are taken out of the log. */
export function unreadableFile(directory: string): string {
  return join(directory, 'wok.db.unreadable.jsonl');
}
