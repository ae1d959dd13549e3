// Guard of the files of the writer's open database. Owned by the writer thread.

import { existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { present } from '../lib/assert.ts';
import type { Log as Logger } from '../log/log.ts';
import { cellOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { copyDatabase } from '../store/database/copy.ts';
import { makeDataDirectory } from '../store/database/data-directory.ts';
import { asStorageError } from '../store/database/error.ts';
import { requireFreeSpace } from '../store/database/free-space.ts';
import { lockFile } from '../store/database/lock.ts';
import { closeWriter, type Db, lockAgain, markerOf } from '../store/database/open.ts';
import type { OpenMarker } from '../store/database/open-marker.ts';
import { nameBeside } from '../store/database/presence.ts';
import * as sql from '../store/database/sql.ts';
import { DatabaseFiles, type Identity, identityAt, isSame, type Loss } from './database-files.ts';

/** Interval of checks apart from those before transactions; each takes some 20 µs. */
const LOOK_MILLISECONDS = 250;
/** Intervals of the next attempt to save and of the next log line while a trouble lasts. */
const RETRY_MILLISECONDS = 1_000;
const REPEAT_MILLISECONDS = 60_000;

const LOST = cellOf('wok_database_files_lost');
const REFUSAL: Refusal =
  'error: files of the database of this relay were removed or damaged; the event was not stored';

/**
 * Reports what is wrong, for `/health` and the log; '' when all is well. `hold`: the process must
 * not be ended, because only it can reach what is not saved yet, or because a start would end at
 * once.
 */
export type TellTrouble = (text: string, hold: boolean) => void;

/**
 * Watches the files of the writer's database. When one is removed, replaced or truncated, whatever
 * is committed from then on would be lost with the process. So from that moment on nothing is
 * committed, and all that was is saved: into the database file if it is in its place, else as a new
 * file, which takes its place if nothing is there.
 */
export class FileGuard {
  readonly #db: Db;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #tell: TellTrouble;
  readonly #meter: Meter;
  readonly #files: DatabaseFiles;
  readonly #marker: OpenMarker;
  readonly #audit;
  readonly #timer: NodeJS.Timeout;
  #lock: Identity | null;
  #loss: Loss | null = null;
  /** File that holds everything that was committed. */
  #saved: { path: string; file: Identity } | null = null;
  #saving: Promise<void> | null = null;
  #saidAt = 0;
  #triedAt = 0;

  constructor(db: Db, directory: string, logger: Logger, meter: Meter, tell: TellTrouble) {
    this.#db = db;
    this.#directory = directory;
    this.#logger = logger;
    this.#tell = tell;
    this.#meter = meter;
    this.#audit = db.prepare(sql.SELECT_MAX_AUDIT).pluck();
    this.#audit.get();
    this.#files = new DatabaseFiles(db, directory);
    this.#marker = markerOf(db);
    this.#lock = identityAt(lockFile(directory)) ?? null;
    this.#timer = setInterval(() => this.#tick(), LOOK_MILLISECONDS);
    tell('', false);
    meter.set(LOST, 0);
  }

  /** Examines the files before a transaction. Returns why there must be none, or null. */
  refusal(): Refusal | null {
    if (this.#loss === null) this.#look(() => this.#files.look());
    return this.#loss === null ? null : REFUSAL;
  }

  /** Records a commit; `head` is the seq of the last event in the log. */
  committed(head: number): void {
    this.#marker.note(head);
  }

  /** Resolves when everything committed is where a start finds it, as far as that can be done. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#loss === null) this.#look(() => this.#files.lookCloser());
    if (this.#loss === null || (this.#loss as Loss).destroyed) return;
    if (!this.#isSaved()) this.#save();
    await this.#saving;
  }

  /** Closes the database. Returns why its write-ahead log could not be copied back, or null. */
  close(checkpoint: boolean): Error | null {
    clearInterval(this.#timer);
    if (this.#loss === null) {
      this.#noteAudit();
      return closeWriter(this.#db, checkpoint);
    }
    if (!this.#loss.destroyed || !this.#files.has('')) return closeWriter(this.#db, false);
    // SQLite copies a log back when the last connection closes, even one that is not what it wrote,
    // but not into a database that is not in its place.
    const aside = `${this.#files.file}.closing`;
    renameSync(this.#files.file, aside);
    try {
      return closeWriter(this.#db, false);
    } finally {
      renameSync(aside, this.#files.file);
    }
  }

  #tick(): void {
    try {
      if (this.#loss === null) {
        this.#look(() => this.#files.lookCloser());
        this.#lookAtLock();
        if (this.#loss === null) this.#noteAudit();
        return;
      }
      const now = performance.now();
      if (!this.#loss.destroyed && !this.#isSaved() && now - this.#triedAt >= RETRY_MILLISECONDS) {
        this.#save();
      }
      if (now - this.#saidAt >= REPEAT_MILLISECONDS) this.#say();
    } catch (error) {
      this.#logger.error('the database files could not be checked', {
        error: String(error),
      });
    }
  }

  #look(look: () => Loss | null): void {
    let loss: Loss | null;
    try {
      loss = look();
    } catch {
      // The next transaction meets the same error of SQLite and answers its events with it.
      return;
    }
    if (loss === null) return;
    this.#loss = loss;
    this.#meter.set(LOST, 1);
    this.#say();
    if (!loss.destroyed) this.#save();
  }

  #noteAudit(): void {
    try {
      this.#marker.noteAudit(this.#audit.get() as number);
    } catch {
      // A page of the audit log is damaged; queries of the audit log report it.
    }
  }

  /** Locks the directory again: without its file the lock keeps no process out. */
  #lookAtLock(): void {
    const path = lockFile(this.#directory);
    const found = identityAt(path);
    if (this.#loss !== null || found === undefined || isSame(found, this.#lock)) return;
    this.#logger.warn('wok.lock was removed or replaced while the relay runs; it is created again');
    try {
      lockAgain(this.#db, this.#directory);
      this.#lock = identityAt(path) ?? null;
    } catch (error) {
      this.#logger.error('the directory cannot be locked again', { error: String(error) });
      const what = 'wok.lock was replaced, and another process has locked it';
      this.#look(() => ({ what, destroyed: false }));
    }
  }

  #isSaved(): boolean {
    return this.#saved !== null && isSame(identityAt(this.#saved.path), this.#saved.file);
  }

  /** Copies the log back at once if that is enough; else begins a copy of the database. */
  #save(): void {
    if (this.#saving !== null) return;
    this.#triedAt = performance.now();
    this.#saved = null;
    try {
      // Also makes the open file whole for an operator who copies it out of /proc.
      const [done] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      if (this.#files.has('')) {
        if (present(done, 'answer to wal_checkpoint').busy === 0) this.#savedInPlace();
        return;
      }
    } catch (error) {
      this.#problem(error as Error);
      if (this.#files.has('')) return;
    }
    this.#saving = this.#copy()
      .catch((error: Error) => this.#problem(error))
      .finally(() => {
        this.#saving = null;
      });
  }

  #savedInPlace(): void {
    const { file } = this.#files;
    // A foreign log would be copied over the database by the next start.
    if (!this.#files.has('-wal')) setAside(file, '-wal');
    this.#isIn(file);
  }

  async #copy(): Promise<void> {
    const { file } = this.#files;
    makeDataDirectory(this.#directory);
    this.#say();
    const part = `${file}.part`;
    requireFreeSpace(this.#bytes(), this.#directory);
    rmSync(part, { force: true });
    await copyDatabase(this.#db, part, {
      bytesPerSecond: 0,
      compact: false,
      progress: () => {},
      signal: new AbortController().signal,
    });
    let place = file;
    try {
      if (!existsSync(file)) for (const end of ['-wal', '-shm'] as const) setAside(file, end);
      linkSync(part, file);
      rmSync(part);
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EEXIST';
      place = taken ? nameBeside(file, 'saved') : file;
      if (!taken && existsSync(file)) throw error;
      renameSync(part, place);
    }
    this.#isIn(place);
  }

  #bytes(): number {
    const pragma = (name: string) => this.#db.pragma(name, { simple: true }) as number;
    return pragma('page_count') * pragma('page_size');
  }

  #isIn(path: string): void {
    const file = identityAt(path);
    if (!file) return;
    this.#saved = { path, file };
    this.#say();
  }

  #problem(error: Error): void {
    const { message } = asStorageError(error, this.#files.file);
    this.#logger.error('stored events could not be saved, trying again', { error: message });
  }

  /** Reports the loss in the log, in /health, and in the marker for the doctor. */
  #say(): void {
    this.#saidAt = performance.now();
    const { what, destroyed } = present(this.#loss, 'loss that is reported');
    const { file } = this.#files;
    const inPlace = this.#saved?.path === file;
    const then = destroyed
      ? 'events stored since the last checkpoint may be lost; stop the relay and run wok doctor --repair'
      : this.#saved === null
        ? `only this process (${process.pid}) can read the stored events, and it is saving them; do not end it`
        : inPlace
          ? `all stored events are saved in ${file}; restart the relay`
          : `all stored events are saved in ${this.#saved.path}, and another file is at ${file}; stop the relay and run wok restore with the right one`;
    const text = `${what} while the relay runs: new events are refused; ${then}`;
    this.#logger.error(text);
    this.#tell(text, !inPlace);
    try {
      this.#marker.lost(text);
    } catch (error) {
      this.#logger.error('the marker of the open database cannot be written', {
        error: String(error),
      });
    }
  }
}

/** Renames a file beside the database, if it exists. */
function setAside(file: string, end: '-wal' | '-shm'): void {
  if (existsSync(file + end)) renameSync(file + end, nameBeside(file, 'stray') + end);
}
