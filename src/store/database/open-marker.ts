// Marker file of an open database, by which a start detects lost commits. Written by the writer
// thread.

import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_MODE } from './data-directory.ts';
import { syncFile } from './fsync.ts';

/**
 * Offset of the two numbers that are written with each commit, and length of the line before them.
 */
const NUMBERS_AT = 1024;
const DIGITS = 16;
/** Text for a sentence that is too long for the line. */
const LOST = 'the files of the database were removed, replaced or truncated while it was open';
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** Content of the marker of a database that is open, or that a process left without closing it. */
export interface Marked {
  /** Id of the process that has or had the database. */
  pid: number;
  /** Boot of the machine in which it was opened; '' where the system does not tell. */
  boot: string;
  /** `storage.synchronous` of that process. */
  synchronous: string;
  /** Damage to the files of the database while it was open; '' for none. */
  lost: string;
  /** Seq of the last event that was committed. */
  head: number;
  /** Number of the last row of the audit log. */
  audit: number;
}

/** Returns the marker file of a data directory. */
function markerFile(directory: string): string {
  return join(directory, 'wok.running');
}

/** Returns the id of the current boot; '' where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync(BOOT_ID_FILE, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Returns the marker of a directory, or null if there is none that can be read. */
export function readMarker(directory: string): Marked | null {
  try {
    const bytes = readFileSync(markerFile(directory));
    const facts = JSON.parse(bytes.toString('utf8', 0, NUMBERS_AT)) as Marked;
    const { pid, boot, synchronous, lost } = facts;
    const numbers = bytes.toString('latin1', NUMBERS_AT).trim().split(/ +/).map(Number);
    const [head = -1, audit = -1] = numbers;
    const right =
      Number.isInteger(pid) &&
      [boot, synchronous, lost].every((one) => typeof one === 'string') &&
      [head, audit].every((one) => Number.isSafeInteger(one) && one >= 0);
    return right ? { pid, boot, synchronous, lost, head, audit } : null;
  } catch {
    return null;
  }
}

/**
 * Removes the marker of a directory, so that a start takes the database as it is.
 *
 * @throws what the file system throws.
 */
export function removeMarker(directory: string): void {
  rmSync(markerFile(directory), { force: true });
}

/**
 * Marker of an open database, a small file beside it. It exists while a writer has the database,
 * and stays when the process is killed. It tells how far the log was committed, so that the next
 * start can check whether the database still holds all of it: a database whose write-ahead log is
 * gone looks whole.
 *
 * The numbers are written with each commit and not synced (2 µs): they outlast the process. A power
 * cut can leave older numbers, which demand less of the database.
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

  /** Records a commit after which the log reaches up to `head`. */
  note(head: number): void {
    if (head === this.#head) return;
    this.#head = head;
    this.#writeNumbers();
  }

  /** Records the last row of the audit log, which is read now and then. */
  noteAudit(audit: number): void {
    if (audit === this.#audit) return;
    this.#audit = audit;
    this.#writeNumbers();
  }

  /** Rewrites the marker with a sentence about damage to the files of the database. */
  lost(sentence: string): void {
    this.#facts = { ...this.#facts, lost: sentence };
    this.#write(this.#head, this.#audit);
  }

  /** Removes the marker: the database is closed, and its file holds everything. */
  remove(): void {
    this.close();
    removeMarker(this.#directory);
  }

  /** Closes the marker and leaves the file. */
  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #writeNumbers(): void {
    if (this.#fd === null) return;
    try {
      writeSync(this.#fd, numbers(this.#head, this.#audit), NUMBERS_AT);
    } catch {
      // The commit stands; the previous numbers demand less.
    }
  }

  #write(head: number, audit: number): void {
    this.close();
    const file = markerFile(this.#directory);
    // Not truncated first, so that readers see a whole marker at any moment.
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
