// Repair of the log, the index and the tombstones of a database with intact pages (`wok doctor
// --repair`).

import { appendFileSync } from 'node:fs';
import type { Config } from '../../config/options.ts';
import { systemClock } from '../../lib/clock.ts';
import { formatCount } from '../../lib/format.ts';
import { jsonOf } from '../../store/body/body.ts';
import { syncFile } from '../../store/database/fsync.ts';
import { closeWriter } from '../../store/database/open.ts';
import * as sql from '../../store/database/sql.ts';
import type { LogRow } from '../check/stored-event.ts';
import { OfflineWriter, openForRepair } from '../offline-writer.ts';
import { unreadableFile } from './database.ts';
import type { LogReport } from './log-check.ts';

const COMMIT_EVENTS = 10_000;

/** Cancellation and progress reports of a repair. */
export interface RepairOptions {
  signal: AbortSignal;
  progress: (step: string, done: number, total: number) => void;
}

/**
 * Repairs log, index and tombstones: takes out events that cannot be read (their text is kept in a
 * file), rebuilds the index if it disagrees with the log, and removes events that the rules of
 * Nostr forbid. Every step is a transaction and may be repeated.
 *
 * @returns sentences about what was done.
 * @throws StorageError when a relay runs on the directory.
 */
export function repairLog(
  storage: Config['storage'],
  report: LogReport,
  { progress }: RepairOptions,
): string[] {
  const done: string[] = [];
  const count = formatCount;
  if (report.unreadable.length > 0) {
    takeOut(storage, report.unreadable);
    done.push(
      `${count(report.unreadable.length)} events were removed; their text is in ${unreadableFile(storage.directory)}.`,
    );
  }
  const writer = new OfflineWriter(storage, systemClock, {
    commitEvents: COMMIT_EVENTS,
    idsExpected: 0,
  });
  try {
    const { missing, wrong, dangling, marked, ahead, unreadable } = report;
    if (ahead || missing + wrong + dangling + marked + unreadable.length > 0) {
      const { head } = writer.log;
      writer.rebuildIndex((seq) => progress('index', seq, head));
      done.push('The index was rebuilt from the log.');
    }
    const forbidden = new Set([...report.repeated, ...report.superseded, ...report.deleted]);
    let removed = 0;
    for (const seq of forbidden) if (writer.remove(seq)) removed++;
    if (removed > 0) {
      done.push(`${count(removed)} duplicate, superseded or deleted events were removed.`);
    }
    writer.close();
  } catch (error) {
    writer.abandon();
    throw error;
  }
  return done;
}

/** Moves rows of the log into the file of unreadable events. */
function takeOut(storage: Config['storage'], seqs: readonly number[]): void {
  const db = openForRepair(storage);
  try {
    const row = db.prepare(sql.SELECT_ROW);
    const remove = db.prepare(sql.DELETE_EVENT);
    const floor = db.prepare(sql.UPSERT_META);
    const { head } = db.prepare(sql.SELECT_HEADS).get() as { head: number };
    const texts = seqs.map((seq) => `${JSON.stringify(readably(row.get(seq) as LogRow))}\n`);
    appendFileSync(unreadableFile(storage.directory), texts.join(''), { mode: 0o600 });
    syncFile(unreadableFile(storage.directory));
    db.transaction(() => {
      for (const seq of seqs) remove.run(seq);
      // A seq is never assigned again, not even that of the last event.
      floor.run('seq_floor', head);
    })();
  } finally {
    closeWriter(db, true);
  }
}

/** Returns a row with its body as text: as JSON, or in hex if it cannot be unpacked. */
function readably(row: LogRow): object {
  try {
    return { ...row, json: jsonOf(row.json) };
  } catch {
    return { ...row, json: Buffer.from(row.json).toString('hex') };
  }
}
