// Reads ban and allow lists from the database.

import type { Db } from '../store/database/open.ts';
import { isRow, strangeRow } from '../store/database/row-shapes.ts';
import * as sql from '../store/database/sql.ts';
import { type ListEntry, type ListName, Lists, type Stance } from './lists.ts';

/** Row of the table `listed`. */
export interface ListedRow {
  list: ListName;
  subject: string;
  stance: Stance;
  reason: string;
  by: string;
  at: number;
  expires_at: number | null;
  until: number | null;
}

export function entryOf({ list, subject, stance, expires_at, until }: ListedRow): ListEntry {
  return { list, subject, stance, expiresAt: expires_at ?? 0, until: until ?? 0 };
}

/** Returns the lists as stored in the database. @throws StorageError when a row is damaged. */
export function loadLists(db: Db): Lists {
  const lists = new Lists();
  const rows = db.prepare(sql.SELECT_LISTED).all() as ListedRow[];
  if (!rows.every((row) => isRow('listed', { ...row }))) throw strangeRow(db, 'listed');
  lists.update({ t: 'all', entries: rows.map(entryOf) });
  return lists;
}
