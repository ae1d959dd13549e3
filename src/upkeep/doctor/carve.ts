import { jsonOf } from '../../storage/body.ts';
import type { RawPages } from './raw-pages.ts';
import { INDEX_LEAF, type RawRow, rowsOf, TABLE_LEAF, type Value } from './records.ts';

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

const isText = (value: Value) => typeof value === 'string';
const isNumber = (value: Value) => typeof value === 'number';
const orNull = (check: (value: Value) => boolean) => (value: Value) =>
  value === null || check(value);
const isKey = (value: Value) => isText(value) && /^[0-9a-f]{64}$/.test(value as string);
const isHash = (value: Value) => value instanceof Uint8Array && value.length === 32;
/** Numbers of rows are smaller, so an index is not taken for a table. */
const isTime = (value: Value) => isNumber(value) && (value as number) > 1_000_000_000;
const oneOf = (pattern: RegExp) => (value: Value) => isText(value) && pattern.test(value as string);

type Shape = readonly (readonly [column: string, check: (value: Value) => boolean])[];

/**
 * What rows look like that keep something out or remember what was done: where SQLite cannot tell
 * any more which table a page belongs to. The key comes first in a table WITHOUT ROWID. The number
 * of a row of the audit log is its rowid.
 */
const SHAPES: readonly (readonly [table: string, leaf: number, shape: Shape])[] = [
  [
    'deleted_id',
    INDEX_LEAF,
    [
      ['id', isHash],
      ['pubkey', isHash],
    ],
  ],
  [
    'deleted_address',
    INDEX_LEAF,
    [
      ['address', oneOf(/^\d{1,5}:[0-9a-f]{64}:/)],
      ['until', isNumber],
    ],
  ],
  [
    'vanished',
    INDEX_LEAF,
    [
      ['pubkey', isKey],
      ['until', isTime],
    ],
  ],
  [
    'listed',
    INDEX_LEAF,
    [
      ['list', oneOf(/^(pubkey|event|kind|ip|author)$/)],
      ['subject', isText],
      ['stance', oneOf(/^(ban|allow)$/)],
      ['reason', isText],
      ['by', isText],
      ['at', isNumber],
      ['expires_at', orNull(isNumber)],
      ['until', orNull(isNumber)],
    ],
  ],
  [
    'quarantined',
    INDEX_LEAF,
    [
      ['id', isKey],
      ['pubkey', isKey],
      ['at', isTime],
      ['why', isText],
      ['json', isText],
    ],
  ],
  [
    'vanish_request',
    INDEX_LEAF,
    [
      ['id', isKey],
      ['pubkey', isKey],
      ['until', isNumber],
      ['relays', isText],
      ['at', isTime],
      ['removed', isNumber],
      ['done_at', orNull(isTime)],
      ['receipt', orNull(isText)],
    ],
  ],
  [
    'audit',
    TABLE_LEAF,
    [
      ['n', (value) => value === null],
      ['at', isTime],
      ['by', isText],
      ['action', isText],
      ['subject', isText],
      ['reason', isText],
    ],
  ],
];

/** The tables whose rows `carve` finds. */
export const CARVED_TABLES: readonly string[] = SHAPES.map(([table]) => table);

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
  const isEvent =
    rowid > 0 &&
    (values.length === 5 || values.length === 6) &&
    seq === null &&
    isNumber(createdAt!) &&
    isNumber(kind!) &&
    orNull(isNumber)(expiresAt!) &&
    orNull(isNumber)(receivedAt) &&
    (body instanceof Buffer || isText(body!));
  if (!isEvent) return null;
  try {
    return { seq: rowid, json: jsonOf(body as string | Buffer) };
  } catch {
    return null;
  }
}

function rowOf(isTable: boolean, { rowid, values }: RawRow): CarvedRow | null {
  for (const [table, where, shape] of SHAPES) {
    if ((where === TABLE_LEAF) !== isTable || shape.length !== values.length) continue;
    if (!shape.every(([, check], n) => check(values[n]!))) continue;
    const row = Object.fromEntries(shape.map(([column], n) => [column, values[n]!]));
    return { table, row: isTable ? { ...row, n: rowid } : row };
  }
  return null;
}
