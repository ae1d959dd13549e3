import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Config } from '../../config/options.ts';
import { systemClock } from '../../lib/clock.ts';
import { formatCount } from '../../lib/format.ts';
import { jsonOf } from '../../storage/body.ts';
import { lockDirectory, openCopy, syncFile } from '../../storage/copy.ts';
import { StorageError } from '../../storage/error.ts';
import { type Db, databaseFile } from '../../storage/open.ts';
import * as sql from '../../storage/sql.ts';
import { OfflineWriter, openForRepair } from '../../writer/offline.ts';
import type { LogRow } from '../check/stored-event.ts';
import { importEvents } from '../import/import.ts';
import { unreadableFile } from './database.ts';
import type { LogReport } from './log-check.ts';

const COMMIT_EVENTS = 10_000;
const FILE_ENDS = ['', '-wal', '-shm'];

/** How a repair tells what it does. */
export interface RepairOptions {
  signal: AbortSignal;
  progress: (step: string, done: number, total: number) => void;
}

/**
 * Puts log, index and tombstones right: takes out events that cannot be read (their text is kept in a
 * file), makes the index anew where it disagrees, and removes what the rules of Nostr forbid. Every
 * step is a transaction, and each may be repeated.
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
      `${count(report.unreadable.length)} events were taken out; their text is in ${unreadableFile(storage.directory)}.`,
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
      done.push('The index was made anew from the log.');
    }
    const forbidden = new Set([...report.repeated, ...report.superseded, ...report.deleted]);
    let removed = 0;
    for (const seq of forbidden) if (writer.remove(seq)) removed++;
    if (removed > 0) {
      done.push(
        `${count(removed)} events were removed that are there twice, superseded or deleted.`,
      );
    }
    writer.close();
  } catch (error) {
    writer.abandon();
    throw error;
  }
  return done;
}

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
      // The number of the last event is never given out again.
      floor.run('seq_floor', head);
    })();
  } finally {
    db.close();
  }
}

/** A row with its body as text: as JSON, or in hex when it cannot be unpacked. */
function readably(row: LogRow): object {
  try {
    return { ...row, json: jsonOf(row.json) };
  } catch {
    return { ...row, json: Buffer.from(row.json).toString('hex') };
  }
}

/** What a salvage brought. */
export interface Salvaged {
  /** Events that the new database has. */
  events: number;
  /** Numbers in the log at which nothing could be read, or nothing that is an event. */
  lost: number;
  /** Where the damaged database is now. */
  damaged: string;
}

/**
 * Makes a new database of what can be read of one whose pages are damaged, and puts it in its place.
 * Every event is checked like one of a stranger's file. The damaged database is kept.
 *
 * @throws StorageError when a relay runs on the directory, or when nothing can be read at all.
 */
export async function salvage(config: Config, options: RepairOptions): Promise<Salvaged> {
  const { directory } = config.storage;
  const lock = lockDirectory(directory);
  const place = databaseFile(directory);
  const work = join(directory, 'wok.db.salvage');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { mode: 0o700 });
  try {
    const source = openCopy(place);
    const storage = { ...config.storage, directory: work };
    // First what stands beside the log: tombstones hold for the events that come after.
    carryOver(source, storage);
    const reader = new LogReader(source, options);
    const tally = await importEvents({ ...config, storage }, Readable.from(reader.lines()), {
      verify: true,
      limits: false,
      commitEvents: COMMIT_EVENTS,
      totalBytes: undefined,
      signal: options.signal,
      progress: () => {},
      onRefused: () => {},
    });
    source.close();
    options.signal.throwIfAborted();
    const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const damaged = `${place}.damaged-${stamp}`;
    for (const end of FILE_ENDS) {
      if (existsSync(place + end)) renameSync(place + end, damaged + end);
    }
    renameSync(databaseFile(work), place);
    syncFile(place);
    return { events: tally.added, lost: reader.lost + tally.refused, damaged };
  } finally {
    rmSync(work, { recursive: true, force: true });
    lock.close();
  }
}

function carryOver(source: Db, storage: Config['storage']): void {
  const target = openForRepair(storage);
  try {
    const tables = target.prepare(sql.SELECT_OTHER_TABLES).pluck().all() as string[];
    for (const table of tables) {
      target.transaction(() => {
        for (const row of readable(source, table)) {
          const columns = Object.keys(row);
          target.prepare(sql.insertRow(table, columns)).run(...Object.values(row));
        }
      })();
    }
  } finally {
    target.close();
  }
}

/** The rows of a table up to the first that cannot be read. */
function* readable(source: Db, table: string): Generator<Record<string, unknown>> {
  try {
    yield* source.prepare(sql.selectAll(table)).iterate() as Iterable<Record<string, unknown>>;
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof StorageError) return error.fault === 'damaged';
  return /^SQLITE_(CORRUPT|IOERR|NOTADB|ERROR)/.test((error as { code?: string }).code ?? '');
}

/** Reads a damaged log number by number. */
class LogReader {
  lost = 0;
  readonly #db: Db;
  readonly #options: RepairOptions;

  constructor(db: Db, options: RepairOptions) {
    this.#db = db;
    this.#options = options;
  }

  *lines(): Generator<Buffer> {
    const head = this.#head();
    const row = this.#db.prepare(sql.SELECT_ROW);
    for (let seq = 1; seq <= head; seq++) {
      if (seq % 1000 === 0) this.#options.progress('reading', seq, head);
      try {
        const found = row.get(seq) as LogRow | undefined;
        if (found === undefined) continue;
        yield Buffer.from(`${jsonOf(found.json).replaceAll('\n', ' ')}\n`);
      } catch (error) {
        if (!isDamage(error)) throw error;
        this.lost++;
      }
    }
  }

  /** The highest number given out, from whatever can still be read. */
  #head(): number {
    let head = 0;
    for (const statement of [sql.SELECT_HEADS, sql.SELECT_MAX_SEQ]) {
      try {
        for (const value of Object.values(this.#db.prepare(statement).get() as object)) {
          head = Math.max(head, Number(value));
        }
      } catch (error) {
        if (!isDamage(error)) throw error;
      }
    }
    return head;
  }
}
