import { jsonOf } from '../../storage/body.ts';
import { isRow, ROW_SHAPES } from '../../storage/row-shapes.ts';
import type { RawPages } from './raw-pages.ts';
import { type RawRow, rowsOf, TABLE_LEAF, type Value } from './records.ts';

/** An event as it was found on a page; whoever takes it checks id and signature. */
export interface CarvedEvent {
  seq: number;
  json: string;
}

/** A row of a table beside the log, found on a page. */
export interface CarvedRow {
  table: string;
  row: Record<string, Value>;
}

/** Numbers of rows are smaller, so an index is not taken for a table. */
const isTime = (value: unknown) => typeof value === 'number' && value > 1_000_000_000;

/**
 * How the rows of a table are told from those of all others, where SQLite cannot tell any more which
 * table a page belongs to: by their shape, and by `also` where another table or an index has rows of
 * that shape. Tables without `rowid` are WITHOUT ROWID, and their pages are those of indexes.
 */
interface Carved {
  readonly table: string;
  /** The column that is the rowid; it stands as NULL in the row. */
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

/** The tables whose rows `carve` finds: all beside the log. */
export const CARVED_TABLES: readonly string[] = CARVED.map(({ table }) => table);

/**
 * Goes through all pages that are not marked as free and finds what looks like an event or like a
 * row of `CARVED_TABLES`, without the trees of SQLite: neither its header nor any other page has to
 * be right for a row to be found whose own page is.
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

/** A row of the log: seq is its rowid; `received_at` came later than the others. */
function eventOf({ rowid, values }: RawRow): CarvedEvent | null {
  const [seq, createdAt, kind, expiresAt, body, receivedAt = null] = values;
  const isNumber = (value: unknown) => typeof value === 'number';
  const isEvent =
    rowid > 0 &&
    (values.length === 5 || values.length === 6) &&
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
