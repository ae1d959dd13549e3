// Page reader for a damaged database: reads the database file and its write-ahead log without
// SQLite. The file format is that of https://sqlite.org/fileformat2.html.

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  type Checksum,
  WAL_FRAME_HEADER_BYTES,
  WAL_HEADER_BYTES,
  walChecksum,
  walHeaderOf,
} from '../../store/database/wal.ts';

const MAGIC = 'SQLite format 3\0';
/** Page size of the databases that wok creates. */
const PAGE_BYTES = 4096;
const PAGE_BYTES_MAX = 65_536;
/** Number of frames from which the salts of a log with a damaged header are guessed. */
const SALT_SAMPLE = 64;

/**
 * Pages of a database in any state, read without SQLite. The content of a page is that of its
 * newest frame in the write-ahead log with a right checksum, or else that of the database file.
 * SQLite stops at the first damaged frame; here each frame is checked on its own.
 */
export class RawPages {
  readonly pageBytes: number;
  /** Number of the last page that exists, in whole or in part. */
  readonly count: number;
  readonly #file: number | null;
  readonly #log: number | null;
  /** Offset in the log of the newest content of a page, by page number. */
  readonly #frames = new Map<number, number>();

  /** @throws errors of the file system. */
  constructor(file: string) {
    this.#file = existsSync(file) ? openSync(file, 'r') : null;
    this.#log = existsSync(`${file}-wal`) ? openSync(`${file}-wal`, 'r') : null;
    const bytes = this.#file === null ? 0 : fstatSync(this.#file).size;
    this.pageBytes = this.#pageBytesOf();
    this.#readLog();
    this.count = Math.max(Math.ceil(bytes / this.pageBytes), ...this.#frames.keys());
  }

  close(): void {
    for (const fd of [this.#file, this.#log]) if (fd !== null) closeSync(fd);
  }

  /** Returns the content of a page, numbered from 1; zeros if there is none. */
  page(number: number): Buffer {
    const page = Buffer.alloc(this.pageBytes);
    const frame = this.#frames.get(number);
    if (frame !== undefined) readSync(this.#log!, page, 0, page.length, frame);
    else if (this.#file !== null) {
      readSync(this.#file, page, 0, page.length, (number - 1) * this.pageBytes);
    }
    return page;
  }

  /** Returns the pages that the database has marked as free; none if that list is damaged. */
  freePages(): ReadonlySet<number> {
    const free = new Set<number>();
    const header = this.page(1);
    if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) return free;
    const expected = header.readUInt32BE(36);
    for (let trunk = header.readUInt32BE(32); trunk !== 0; ) {
      const page = this.page(trunk);
      const leaves = page.readUInt32BE(4);
      const wrong = trunk > this.count || free.has(trunk) || leaves > this.pageBytes / 4 - 2;
      if (wrong) return new Set();
      free.add(trunk);
      for (let n = 0; n < leaves; n++) free.add(page.readUInt32BE(8 + n * 4));
      trunk = page.readUInt32BE(0);
    }
    return free.size === expected ? free : new Set();
  }

  #pageBytesOf(): number {
    const header = Buffer.alloc(WAL_HEADER_BYTES);
    if (this.#file !== null && readSync(this.#file, header, 0, header.length, 0) >= 18) {
      const said = header.readUInt16BE(16);
      const bytes = said === 1 ? PAGE_BYTES_MAX : said;
      const isPower = bytes >= 512 && (bytes & (bytes - 1)) === 0;
      if (header.toString('latin1', 0, MAGIC.length) === MAGIC && isPower) return bytes;
    }
    if (this.#log !== null && readSync(this.#log, header, 0, header.length, 0) === header.length) {
      return walHeaderOf(header)?.pageBytes ?? PAGE_BYTES;
    }
    return PAGE_BYTES;
  }

  #readLog(): void {
    if (this.#log === null) return;
    const head = Buffer.alloc(WAL_HEADER_BYTES);
    readSync(this.#log, head, 0, head.length, 0);
    const header = walHeaderOf(head);
    const salts = header?.salts ?? this.#usualSalts();
    const step = WAL_FRAME_HEADER_BYTES + this.pageBytes;
    const frames = Math.floor((fstatSync(this.#log).size - WAL_HEADER_BYTES) / step);
    const frame = Buffer.alloc(step);
    let before: Checksum | null = header?.checksum ?? null;
    for (let n = 0; n < frames; n++) {
      const at = WAL_HEADER_BYTES + n * step;
      readSync(this.#log, frame, 0, step, at);
      const stored: Checksum = [frame.readUInt32BE(16), frame.readUInt32BE(20)];
      const isRight =
        frame.toString('hex', 8, 16) === salts &&
        (before === null || follows(frame, before, stored, header?.bigEndian));
      if (isRight) this.#frames.set(frame.readUInt32BE(0), at + WAL_FRAME_HEADER_BYTES);
      before = stored;
    }
  }

  /**
   * Returns the most frequent salts among the first frames; later frames may be left of an earlier
   * log.
   */
  #usualSalts(): string {
    const step = WAL_FRAME_HEADER_BYTES + this.pageBytes;
    const seen = new Map<string, number>();
    const salts = Buffer.alloc(8);
    for (let n = 0; n < SALT_SAMPLE; n++) {
      if (readSync(this.#log!, salts, 0, 8, WAL_HEADER_BYTES + n * step + 8) < 8) break;
      const text = salts.toString('hex');
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    return [...seen].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
  }
}

/**
 * Returns true if the checksum of a frame continues that of the frame before it; `bigEndian` is
 * undefined if the byte order is unknown.
 */
function follows(frame: Buffer, before: Checksum, stored: Checksum, bigEndian?: boolean): boolean {
  return [false, true].some((order) => {
    if (bigEndian !== undefined && bigEndian !== order) return false;
    const head = walChecksum(frame.subarray(0, 8), order, before);
    const [a, b] = walChecksum(frame.subarray(WAL_FRAME_HEADER_BYTES), order, head);
    return a === stored[0] && b === stored[1];
  });
}
