import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_MODE } from './data-directory.ts';
import { syncFile } from './sync.ts';

/**
 * Where the two numbers stand that are written with each commit: the line before has this length.
 */
const NUMBERS_AT = 1024;
const DIGITS = 16;
/** In the place of a sentence that is too long for the line. */
const LOST = 'the files of the database were removed, replaced or truncated while it was open';
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** What the marker of a database says that is open, or whose process ended without closing it. */
export interface Marked {
  /** The process that has the database, or had it. */
  pid: number;
  /** The boot of the machine in which it was opened; '' where the system does not say. */
  boot: string;
  /** `storage.synchronous` of that process. */
  synchronous: string;
  /** What has happened to the files of the database while it was open; '' while nothing has. */
  lost: string;
  /** The last number of the log that was committed. */
  head: number;
  /** The last row of the audit log. */
  audit: number;
}

/** The file of the marker in a data directory. */
export function markerFile(directory: string): string {
  return join(directory, 'wok.running');
}

/** The boot that the machine is in; '' where the system does not say. */
export function bootId(): string {
  try {
    return readFileSync(BOOT_ID_FILE, 'utf8').trim();
  } catch {
    return '';
  }
}

/** What the marker of a directory says; null when there is none, or none that can be read. */
export function readMarker(directory: string): Marked | null {
  try {
    const bytes = readFileSync(markerFile(directory));
    const facts = JSON.parse(bytes.toString('utf8', 0, NUMBERS_AT)) as Marked;
    const { pid, boot, synchronous, lost } = facts;
    const [head, audit] = bytes.toString('latin1', NUMBERS_AT).trim().split(/ +/).map(Number);
    const right =
      Number.isInteger(pid) &&
      [boot, synchronous, lost].every((one) => typeof one === 'string') &&
      [head, audit].every((one) => Number.isSafeInteger(one) && one! >= 0);
    return right ? { pid, boot, synchronous, lost, head: head!, audit: audit! } : null;
  } catch {
    return null;
  }
}

/**
 * Removes the marker of a directory: what is in the database from now on is what is to be there.
 *
 * @throws what the file system throws.
 */
export function removeMarker(directory: string): void {
  rmSync(markerFile(directory), { force: true });
}

/**
 * The marker of an open database, a small file beside it. It is there while a writer has the
 * database, and stays when the process is killed. It says up to where the log was committed, so
 * that the next start can tell whether the database still holds all of it: a database whose
 * write-ahead log is gone looks whole.
 *
 * The numbers are written with each commit and not synced (2 µs): they outlast the process. A power
 * cut can leave older ones, which ask for less.
 */
export class OpenMarker {
  readonly #directory: string;
  #facts: Pick<Marked, 'pid' | 'boot' | 'synchronous' | 'lost'>;
  #head = -1;
  #audit = -1;
  #fd: number | null = null;

  /** @throws what the file system throws when the marker cannot be written. */
  constructor(directory: string, synchronous: string, head: number, audit: number) {
    this.#directory = directory;
    this.#facts = { pid: process.pid, boot: bootId(), synchronous, lost: '' };
    this.#write(head, audit);
  }

  /** A transaction was committed, and the log reaches up to `head`. */
  note(head: number): void {
    if (head === this.#head) return;
    this.#head = head;
    this.#writeNumbers();
  }

  /** The last row of the audit log, which is asked for now and then. */
  noteAudit(audit: number): void {
    if (audit === this.#audit) return;
    this.#audit = audit;
    this.#writeNumbers();
  }

  /**
   * Something has happened to the files of the database: the marker is written anew and says so.
   */
  lost(sentence: string): void {
    this.#facts = { ...this.#facts, lost: sentence };
    this.#write(this.#head, this.#audit);
  }

  /** Takes the marker away: the database is closed, and its file holds everything. */
  remove(): void {
    this.close();
    removeMarker(this.#directory);
  }

  /** Leaves the marker where it is. */
  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #writeNumbers(): void {
    if (this.#fd === null) return;
    try {
      writeSync(this.#fd, numbers(this.#head, this.#audit), NUMBERS_AT);
    } catch {
      // What was committed is committed; the numbers before ask for less.
    }
  }

  #write(head: number, audit: number): void {
    this.close();
    const file = markerFile(this.#directory);
    // Not truncated first: what a reader sees is whole at any moment.
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT, FILE_MODE);
    this.#head = head;
    this.#audit = audit;
    let facts = JSON.stringify(this.#facts);
    if (Buffer.byteLength(facts) >= NUMBERS_AT)
      facts = JSON.stringify({ ...this.#facts, lost: LOST });
    const line = Buffer.alloc(NUMBERS_AT, ' ');
    line.write(facts);
    line.write('\n', NUMBERS_AT - 1);
    writeSync(this.#fd, Buffer.concat([line, Buffer.from(numbers(head, audit))]), 0, undefined, 0);
    syncFile(file);
  }
}

function numbers(head: number, audit: number): string {
  return `${String(head).padStart(DIGITS)} ${String(audit).padStart(DIGITS)}\n`;
}
