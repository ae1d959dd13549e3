// Carving: finds events and rows on the raw pages of a damaged database by their shape alone,
// without the B-trees of SQLite.

import { jsonOf } from '../../store/body/body.ts';
import { isRow, ROW_SHAPES } from '../../store/database/row-shapes.ts';
import type { RawPages } from './raw-pages.ts';
import { type RawRow, rowsOf, TABLE_LEAF, type Value } from './records.ts';

/** Event as found on a page; its id and signature are unchecked. */
export interface CarvedEvent {
  seq: number;
  json: string;
}

/** Row of a table beside the log, as found on a page. */
interface CarvedRow {
  table: string;
  row: Record<string, Value>;
}

/**
 * Returns true for a plausible time in seconds. Row numbers are smaller, so rows of an index are
 * not mistaken for rows of a table.
 */
const isTime = (value: unknown) => typeof value === 'number' && value > 1_000_000_000;

/**
 * Rule by which the rows of one table are recognized if SQLite can no longer tell which table a
 * page belongs to: by their shape, and by `also` if another table or an index has rows of the same
 * shape. Tables without `rowid` are WITHOUT ROWID, and their pages are index pages.
 */
interface Carved {
  readonly table: string;
  /** Column that is the rowid; it is stored as NULL in the row. */
  readonly rowid?: string;
  readonly also?: (row: Readonly<Record<string, Value>>) => boolean;
}

const CARVED: readonly Carved[] = [
  { table: 'deleted_id' },
  { table: 'deleted_address' },
  { table: 'vanished', also: ({ until }) => isTime(until) },
  { table: 'listed' },
  { table: 'quarantined', also: ({ at }) => isTime(at) },
  {
    table: 'vanish_request',
    also: ({ at, done_at }) => isTime(at) && (done_at === null || isTime(done_at)),
  },
  { table: 'setting', also: ({ name }) => String(name).startsWith('info.') },
  { table: 'role' },
  { table: 'role_of', also: ({ at }) => isTime(at) },
  { table: 'report', also: ({ at }) => isTime(at) },
  { table: 'invite_use', also: ({ expires_at }) => expires_at === 0 || isTime(expires_at) },
  { table: 'audit', rowid: 'n', also: ({ at }) => isTime(at) },
  { table: 'decision', rowid: 'n', also: ({ at }) => isTime(at) },
];

/** Names of the tables of which `carve` finds rows: all beside the log. */
export const CARVED_TABLES: readonly string[] = CARVED.map(({ table }) => table);

/**
 * Searches all pages that are not marked as free for rows that look like an event or like a row of
 * `CARVED_TABLES`. It does not use the B-trees of SQLite, so a row is found if its own page is
 * intact, even when the header of the database and all other pages are damaged.
 */
export function* carve(
  pages: RawPages,
  progress: (done: number, total: number) => void,
): Generator<CarvedEvent | CarvedRow> {
  const free = pages.freePages();
  for (let number = 2; number <= pages.count; number++) {
    if (number % 1000 === 0) progress(number, pages.count);
    if (free.has(number)) continue;
    const page = pages.page(number);
    for (const row of rowsOf(pages, page)) {
      const isTable = page[0] === TABLE_LEAF;
      const found = (isTable ? eventOf(row) : null) ?? rowOf(isTable, row);
      if (found !== null) yield found;
    }
  }
}

/** Returns a row of the log as an event, or null. seq is the rowid. */
function eventOf({ rowid, values }: RawRow): CarvedEvent | null {
  const [seq, createdAt, kind, expiresAt, body, receivedAt] = values;
  const isNumber = (value: unknown) => typeof value === 'number';
  const isEvent =
    rowid > 0 &&
    values.length === 6 &&
    seq === null &&
    isNumber(createdAt) &&
    isNumber(kind) &&
    (expiresAt === null || isNumber(expiresAt)) &&
    (receivedAt === null || isNumber(receivedAt)) &&
    (body instanceof Buffer || typeof body === 'string');
  if (!isEvent) return null;
  try {
    return { seq: rowid, json: jsonOf(body as string | Buffer) };
  } catch {
    return null;
  }
}

/** Returns a row as one of the first table of `CARVED` that it fits, or null. */
function rowOf(isTable: boolean, { rowid, values }: RawRow): CarvedRow | null {
  for (const { table, rowid: key, also } of CARVED) {
    const shape = ROW_SHAPES[table]!;
    if ((key !== undefined) !== isTable || shape.length !== values.length) continue;
    const row = Object.fromEntries(shape.map(([column], n) => [column, values[n]!]));
    if (key !== undefined) {
      if (row[key] !== null) continue;
      row[key] = rowid;
    }
    if (isRow(table, row) && (also?.(row) ?? true)) return { table, row };
  }
  return null;
}
