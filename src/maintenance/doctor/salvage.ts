// Salvage of a damaged database (`wok doctor --repair`): builds a new database from everything that
// can still be read and replaces the damaged one with it.

import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Config } from '../../config/options.ts';
import { hashesTo } from '../../protocol/canonical.ts';
import { checkEventShape } from '../../protocol/event-check.ts';
import { jsonOf } from '../../store/body/body.ts';
import { openCopy } from '../../store/database/copy.ts';
import { StorageError } from '../../store/database/error.ts';
import { syncFile } from '../../store/database/fsync.ts';
import { lockDirectory } from '../../store/database/lock.ts';
import { closeWriter, type Db, databaseFile } from '../../store/database/open.ts';
import { removeMarker } from '../../store/database/open-marker.ts';
import { nameBeside } from '../../store/database/presence.ts';
import { isRow } from '../../store/database/row-shapes.ts';
import * as sql from '../../store/database/sql.ts';
import { type LogRow, readStored } from '../check/stored-event.ts';
import { importEvents } from '../import/import.ts';
import { openForRepair } from '../offline-writer.ts';
import { CARVED_TABLES, type CarvedEvent, carve } from './carve.ts';
import { RawPages } from './raw-pages.ts';
import type { RepairOptions } from './repair.ts';

const COMMIT_EVENTS = 10_000;
const FILE_ENDS = ['-wal', '-shm', '-journal', ''];
/** Number of seqs that one piece of a NumberSet covers. */
const PIECE_BITS = 65_536;

/** Result of a salvage. */
interface Salvaged {
  /** Number of events in the new database. */
  events: number;
  /** Number of those that SQLite could not find any more and that were read from raw pages. */
  carved: number;
  /** Number of places in the log at which SQLite found nothing that is an event. */
  places: number;
  /** Path that the damaged database was moved to. */
  damaged: string;
}

/**
 * Builds a new database from what can be read of a damaged one, and replaces the damaged one with
 * it. SQLite reads what it can; then every page, the write-ahead log's included, is searched on its
 * own for rows that SQLite did not find. Every event is checked like one of an imported file. The
 * damaged database is kept.
 *
 * Events that were removed may come back if the list of free pages is damaged, too.
 *
 * @throws StorageError when a relay runs on the directory, or when nothing of wok's can be read at
 * all: then the files stay as they are.
 */
export async function salvage(config: Config, options: RepairOptions): Promise<Salvaged> {
  const { directory } = config.storage;
  const lock = lockDirectory(directory);
  const place = databaseFile(directory);
  const work = join(directory, 'wok.db.salvage');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { mode: 0o700 });
  const pages = new RawPages(place);
  const source = openDamaged(place);
  try {
    const storage = { ...config.storage, directory: work };
    // The tables beside the log come first, because tombstones apply to the events that come after
    // them.
    const rows = carryOver(source, pages, storage, options);
    const reader = new LogReader(source, pages, options);
    const lines = { key: '', name: '', text: Readable.from(reader.lines()) };
    const tally = await importEvents({ ...config, storage }, [lines], {
      verify: true,
      limits: false,
      commitEvents: COMMIT_EVENTS,
      totalBytes: undefined,
      signal: options.signal,
      progress: () => {},
      onRefused: () => {},
    });
    options.signal.throwIfAborted();
    if (tally.added + rows === 0) {
      throw new StorageError(
        `no data of wok could be read from ${place}, which is unchanged; restore a backup (wok restore)`,
        'damaged',
      );
    }
    source?.close();
    const damaged = nameBeside(place, 'damaged');
    replace(place, databaseFile(work), damaged);
    // The new database assigns new seqs.
    removeMarker(directory);
    return { events: tally.added, carved: reader.carved, places: reader.places, damaged };
  } finally {
    if (source?.open) source.close();
    pages.close();
    rmSync(work, { recursive: true, force: true });
    lock.close();
  }
}

/**
 * Replaces a database by a new one and keeps the old one under another name. One of the two is in
 * place at any time.
 */
function replace(place: string, made: string, kept: string): void {
  for (const end of FILE_ENDS) {
    if (!existsSync(place + end)) continue;
    if (end !== '') renameSync(place + end, kept + end);
    else {
      try {
        linkSync(place, kept);
      } catch {
        // The file system has no hard links.
        renameSync(place, kept);
      }
    }
  }
  renameSync(made, place);
  syncFile(place);
}

/** Opens the database with SQLite; returns null if it is absent or too damaged to open. */
function openDamaged(file: string): Db | null {
  if (!existsSync(file)) return null;
  try {
    return openCopy(file);
  } catch (error) {
    if (isDamage(error)) return null;
    throw error;
  }
}

/** Copies the tables beside the log; returns the number of rows copied. */
function carryOver(
  source: Db | null,
  pages: RawPages,
  storage: Config['storage'],
  { progress }: RepairOptions,
): number {
  const target = openForRepair(storage);
  let rows = 0;
  try {
    const put = (table: string, row: Record<string, unknown>) => {
      if (!isRow(table, row)) return;
      try {
        rows += target
          .prepare(sql.insertRow(table, Object.keys(row)))
          .run(...Object.values(row)).changes;
      } catch (error) {
        // A row that violates the constraints of its table was damaged.
        if (!isDamage(error)) throw error;
      }
    };
    const tables = target.prepare(sql.SELECT_OTHER_TABLES).pluck().all() as string[];
    const unread = new Set<string>();
    for (const table of tables) {
      target.transaction(() => {
        const whole = source !== null && readTable(source, target, table, (row) => put(table, row));
        if (!whole) unread.add(table);
      })();
    }
    if (CARVED_TABLES.some((table) => unread.has(table))) {
      target.transaction(() => {
        for (const found of carve(pages, (done, total) => progress('pages', done, total))) {
          if ('table' in found && unread.has(found.table)) put(found.table, found.row);
        }
      })();
    }
  } finally {
    closeWriter(target, true);
  }
  return rows;
}

/**
 * Reads a table from its beginning and, if it is damaged, from its end, too. Returns true if all of
 * it was read in one pass.
 */
function readTable(
  source: Db,
  target: Db,
  table: string,
  take: (row: Record<string, unknown>) => void,
): boolean {
  const columns = target.pragma(`table_info("${table}")`) as { name: string; pk: number }[];
  const key = columns
    .filter(({ pk }) => pk > 0)
    .sort((a, b) => a.pk - b.pk)
    .map(({ name }) => name);
  for (const statement of [sql.selectAll(table), sql.selectAllBackwards(table, key)]) {
    try {
      const rows = source.prepare(statement).iterate() as Iterable<Record<string, unknown>>;
      for (const row of rows) take(row);
      return statement === sql.selectAll(table);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return false;
}

function isDamage(error: unknown): boolean {
  if (error instanceof StorageError) return error.fault === 'damaged' || error.fault === 'lost';
  const { code = '' } = error as { code?: string };
  return /^SQLITE_(CORRUPT|IOERR|NOTADB|ERROR|CONSTRAINT|MISMATCH|RANGE)/.test(code);
}

/**
 * Reader of the events of a damaged database: first those that SQLite finds, in the order of the
 * log, then those that only raw pages hold.
 */
class LogReader {
  /** Number of places at which SQLite found nothing that is an event. */
  places = 0;
  /** Number of events that were found on raw pages only. */
  carved = 0;
  readonly #source: Db | null;
  readonly #pages: RawPages;
  readonly #options: RepairOptions;
  readonly #read = new NumberSet();

  constructor(source: Db | null, pages: RawPages, options: RepairOptions) {
    this.#source = source;
    this.#pages = pages;
    this.#options = options;
  }

  *lines(): Generator<Buffer> {
    const { progress } = this.#options;
    if (this.#source !== null) {
      for (const row of this.#rows(this.#source)) {
        if (typeof readStored(row) === 'string') {
          this.places++;
          continue;
        }
        this.#read.add(row.seq);
        yield lineOf(jsonOf(row.json));
      }
    }
    for (const found of carve(this.#pages, (done, total) => progress('pages', done, total))) {
      if ('table' in found || this.#read.has(found.seq) || !isWhole(found)) continue;
      this.carved++;
      yield lineOf(found.json);
    }
  }

  /**
   * Reads rows in order of seq. After a damaged place it continues with the next seq that SQLite
   * finds, in growing steps.
   */
  *#rows(source: Db): Generator<LogRow> {
    const next = this.#prepare(source);
    if (next === null) return;
    let step = 0;
    for (let after = 0; after + step < Number.MAX_SAFE_INTEGER; ) {
      try {
        const row = next.get(after + step, Number.MAX_SAFE_INTEGER, 1) as LogRow | undefined;
        if (row === undefined) return;
        after = row.seq;
        step = 0;
        if (after % 1000 === 0) this.#options.progress('reading', 0, 1);
        yield row;
      } catch (error) {
        if (!isDamage(error)) throw error;
        if (step === 0) this.places++;
        step = Math.max(step * 2, 1);
      }
    }
  }

  #prepare(source: Db) {
    try {
      return source.prepare(sql.SELECT_LOG);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.places++;
      return null;
    }
  }
}

function lineOf(json: string): Buffer {
  return Buffer.from(`${json.replaceAll('\n', ' ')}\n`);
}

/** Returns true if the text is an event with the right id; the import checks the signature. */
function isWhole({ json }: CarvedEvent): boolean {
  try {
    const event = checkEventShape(JSON.parse(json));
    return typeof event !== 'string' && hashesTo(event);
  } catch {
    return false;
  }
}

/** Set of natural numbers that lie close together, with one bit each. */
class NumberSet {
  readonly #pieces = new Map<number, Uint8Array>();

  add(number: number): void {
    const key = Math.floor(number / PIECE_BITS);
    let piece = this.#pieces.get(key);
    if (piece === undefined) {
      piece = new Uint8Array(PIECE_BITS / 8);
      this.#pieces.set(key, piece);
    }
    const bit = number % PIECE_BITS;
    piece[bit >> 3]! |= 1 << (bit & 7);
  }

  has(number: number): boolean {
    const bit = number % PIECE_BITS;
    const piece = this.#pieces.get(Math.floor(number / PIECE_BITS));
    return piece !== undefined && (piece[bit >> 3]! & (1 << (bit & 7))) !== 0;
  }
}
