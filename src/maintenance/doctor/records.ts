// Decoder of SQLite's record format: reads the rows of one raw page, including overflow pages, and
// leaves out rows that are damaged.

import type { RawPages } from './raw-pages.ts';

/**
 * Types of pages that hold rows: leaves of tables, and leaves and interior pages of tables WITHOUT
 * ROWID, which are stored as indexes.
 */
export const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
const INDEX_INTERIOR = 0x02;
/** Upper bound of a payload, in bytes; no event and no other row is longer. */
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;

export type Value = null | number | string | Buffer;

/** Row as stored on a page. */
export interface RawRow {
  /** 0 on pages of tables WITHOUT ROWID. */
  rowid: number;
  values: Value[];
}

/**
 * Returns the complete rows of a page; none for a page of another type. Rows that cannot be read
 * are left out.
 */
export function* rowsOf(pages: RawPages, page: Buffer): Generator<RawRow> {
  const type = page[0];
  if (type !== TABLE_LEAF && type !== INDEX_LEAF && type !== INDEX_INTERIOR) return;
  const isInner = type === INDEX_INTERIOR;
  // Interior pages have a page number at the end of the header, and one before each row.
  const header = isInner ? 12 : 8;
  const cells = page.readUInt16BE(3);
  for (let n = 0; n < cells && header + n * 2 + 2 <= page.length; n++) {
    const at = page.readUInt16BE(header + n * 2);
    const row = at < header ? null : rowAt(pages, page, isInner ? at + 4 : at, type);
    if (row !== null) yield row;
  }
}

function rowAt(pages: RawPages, page: Buffer, start: number, type: number): RawRow | null {
  try {
    let [length, at] = varint(page, start);
    let rowid = 0;
    if (type === TABLE_LEAF) [rowid, at] = varint(page, at);
    const payload = payloadAt(pages, page, at, length, type);
    const values = payload === null ? null : valuesOf(payload);
    return values === null ? null : { rowid, values };
  } catch (error) {
    // A cell that points outside the page is no row.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * Returns a payload, from its page and its overflow pages; null if the chain of pages is broken.
 */
function payloadAt(
  pages: RawPages,
  page: Buffer,
  at: number,
  length: number,
  type: number,
): Buffer | null {
  if (length > PAYLOAD_BYTES_MAX) return null;
  const usable = page.length;
  const most = type === TABLE_LEAF ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (length <= most) return at + length > usable ? null : page.subarray(at, at + length);
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = least + ((length - least) % (usable - 4));
  const local = wanted <= most ? wanted : least;
  const pieces = [page.subarray(at, at + local)];
  let left = length - local;
  let next = page.readUInt32BE(at + local);
  while (left > 0) {
    if (next < 2 || next > pages.count) return null;
    const overflow = pages.page(next);
    pieces.push(overflow.subarray(4, 4 + Math.min(left, usable - 4)));
    left -= usable - 4;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(pieces);
}

/**
 * Returns the values of a record; null if it is malformed.
 *
 * @throws RangeError for a value that lies outside the record.
 */
function valuesOf(record: Buffer): Value[] | null {
  let [headerEnd, at] = varint(record, 0);
  let body = headerEnd;
  const values: Value[] = [];
  while (at < headerEnd) {
    let type: number;
    [type, at] = varint(record, at);
    const bytes = type >= 12 ? Math.floor((type - 12) / 2) : [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type];
    if (bytes === undefined || body + bytes > record.length) return null;
    values.push(valueAt(record, type, body, bytes));
    body += bytes;
  }
  return at === headerEnd && body === record.length ? values : null;
}

function valueAt(record: Buffer, type: number, at: number, bytes: number): Value {
  if (type >= 12) {
    return type % 2 === 0
      ? record.subarray(at, at + bytes)
      : record.toString('utf8', at, at + bytes);
  }
  if (type === 0) return null;
  if (type === 7) return record.readDoubleBE(at);
  if (type >= 8) return type - 8;
  if (type === 6) return Number(record.readBigInt64BE(at));
  return record.readIntBE(at, bytes);
}

/**
 * Reads a variable-length integer and returns its end, too.
 *
 * @throws RangeError beyond 2^53 - 1, which is no length and no row number of ours.
 */
function varint(bytes: Buffer, start: number): [value: number, end: number] {
  let value = 0;
  for (let n = 0; n < 9; n++) {
    const byte = bytes.readUInt8(start + n);
    value = n === 8 ? value * 256 + byte : value * 128 + (byte & 0x7f);
    if (byte < 0x80 || n === 8) {
      if (!Number.isSafeInteger(value)) throw new RangeError('a number that is too large');
      return [value, start + n + 1];
    }
  }
  throw new RangeError('a number that does not end');
}
