// Opens SQLite databases of other programs for reading, for `wok migrate`.

import Database from 'better-sqlite3';
import type { Db } from './open.ts';

const BUSY_MILLISECONDS = 10_000;

/**
 * Opens a database of another program, which may be writing to it, for reading only.
 *
 * @throws the error of SQLite when it cannot be opened.
 */
export function openForeign(file: string): Db {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  db.pragma(`busy_timeout = ${BUSY_MILLISECONDS}`);
  return db;
}
