// Expected shapes of table rows, by which damaged rows are found.

import type Database from 'better-sqlite3';
import { normalNetwork } from '../../lib/network-set.ts';
import { TERM_KEY_BYTES } from '../index/terms.ts';
import { StorageError } from './error.ts';
import { listNames } from './listed.ts';
import * as sql from './sql.ts';

/** Column value as better-sqlite3 returns it. */
type Value = null | number | string | Uint8Array;

/** Row by column names. */
type Row = Readonly<Record<string, unknown>>;

type Check = (value: Value, row: Row) => boolean;

/** Columns of a table in the order of its rows on disk, with a check of the values of each. */
type RowShape = readonly (readonly [column: string, check: Check])[];

/**
 * Upper bound of a seq: no log gets as long, and a larger number would ask for more memory than
 * there is.
 */
const SEQ_MAX = 2 ** 40;

const isText: Check = (value) => typeof value === 'string';
const isInteger: Check = (value) => Number.isSafeInteger(value);
const orNull =
  (check: Check): Check =>
  (value, row) =>
    value === null || check(value, row);
const isKey: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isHash: Check = (value) => value instanceof Uint8Array && value.length === 32;
const isFlag: Check = (value) => value === 0 || value === 1;
const oneOf =
  (texts: readonly string[]): Check =>
  (value) =>
    texts.includes(value as string);

const isSeq: Check = (value) => Number.isSafeInteger(value) && (value as number) <= SEQ_MAX;

/** Addresses must parse, because io parses them; other subjects are only compared. */
const isSubject: Check = (value, { list }) =>
  typeof value === 'string' && (list !== 'ip' || normalNetwork(value) !== null);

/** Checks by name of the entry; other names are those of a newer wok. */
const META: Readonly<Record<string, Check>> = {
  term_key: (value) => value instanceof Uint8Array && value.length === TERM_KEY_BYTES,
  indexed_seq: isSeq,
  seq_floor: isSeq,
};

/**
 * Row shapes of `meta` and the tables beside the log. SQLite returns whatever a damaged page holds,
 * although the tables are STRICT: it checks types when a row is written, not when it is read.
 */
export const ROW_SHAPES: Readonly<Record<string, RowShape>> = {
  meta: [
    ['name', isText],
    ['value', (value, { name }) => META[name as string]?.(value, {}) ?? true],
  ],
  deleted_id: [
    ['pubkey', isHash],
    ['id', isHash],
  ],
  deleted_address: [
    ['address', (value) => typeof value === 'string' && /^\d{1,5}:[0-9a-f]{64}:/.test(value)],
    ['until', isInteger],
  ],
  audit: [
    ['n', isInteger],
    ['at', isInteger],
    ['by', isText],
    ['action', isText],
    ['subject', isText],
    ['reason', isText],
  ],
  listed: [
    ['list', oneOf(listNames)],
    ['subject', isSubject],
    ['stance', oneOf(['ban', 'allow'])],
    ['reason', isText],
    ['by', isText],
    ['at', isInteger],
    ['expires_at', orNull(isInteger)],
    ['until', orNull(isInteger)],
  ],
  setting: [
    ['name', isText],
    ['value', isText],
  ],
  role: [
    ['id', isText],
    ['label', isText],
    ['description', isText],
    ['color', orNull(isInteger)],
    ['order', orNull(isInteger)],
  ],
  role_of: [
    ['pubkey', isKey],
    ['role', isText],
    ['by', isText],
    ['at', isInteger],
  ],
  report: [
    ['target', isKey],
    ['reporter', isKey],
    ['is_event', isFlag],
    ['type', isText],
    ['seq', isInteger],
    ['at', isInteger],
    ['trusted', isFlag],
  ],
  decision: [
    ['n', isInteger],
    ['id', isText],
    ['pubkey', isText],
    ['at', isInteger],
    ['action', isText],
    ['rule', isText],
    ['by', isText],
    ['text', isText],
  ],
  vanished: [
    ['pubkey', isKey],
    ['until', isInteger],
  ],
  vanish_request: [
    ['id', isKey],
    ['pubkey', isKey],
    ['until', isInteger],
    ['relays', isText],
    ['at', isInteger],
    ['removed', isInteger],
    ['done_at', orNull(isInteger)],
    ['receipt', orNull(isText)],
  ],
  invite_use: [
    ['nonce', isText],
    ['uses', isInteger],
    ['expires_at', isInteger],
  ],
  quarantined: [
    ['id', isKey],
    ['pubkey', isKey],
    ['at', isInteger],
    ['why', isText],
    ['json', isText],
  ],
};

/**
 * Tables whose rows the writer relies on from its start on: with a damaged one it would end, or
 * fail at every transaction. `loadLists` checks `listed`, `presence.ts` checks `meta`. Damage to
 * the other tables does no such harm; wok doctor checks them.
 */
const RELIED_ON = ['vanished', 'vanish_request'] as const;

/**
 * Returns true if wok may have written a row of a table; always true for tables that are not wok's.
 */
export function isRow(table: string, row: Row): boolean {
  return ROW_SHAPES[table]?.every(([column, check]) => check(row[column] as Value, row)) ?? true;
}

/** Checks the rows that the writer relies on. @throws StorageError when one is damaged. */
export function checkRows(db: Database.Database): void {
  for (const table of RELIED_ON) {
    if (countMalformed(db, table) > 0) throw malformedRow(db, table);
  }
}

/** Returns the number of rows of a table that wok cannot have written. */
export function countMalformed(db: Database.Database, table: string): number {
  let strange = 0;
  const rows = db.prepare(sql.selectAll(table)).iterate() as Iterable<Row>;
  for (const row of rows) if (!isRow(table, row)) strange++;
  return strange;
}

/** Returns the error for a table with a row that wok cannot have written. */
export function malformedRow(db: Database.Database, table: string): StorageError {
  return new StorageError(
    `the database ${db.name} is damaged: the table ${table} has a row of invalid form; run wok doctor, or restore a backup with wok restore`,
    'damaged',
  );
}
