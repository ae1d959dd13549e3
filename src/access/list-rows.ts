// Reads ban and allow lists from the database.

import { entryOf, type ListedRow } from '../store/database/listed.ts';
import type { Db } from '../store/database/open.ts';
import { isRow, malformedRow } from '../store/database/row-shapes.ts';
import * as sql from '../store/database/sql.ts';
import { AccessLists } from './lists.ts';

/** Returns the lists as stored in the database. @throws StorageError when a row is damaged. */
export function loadLists(db: Db): AccessLists {
  const lists = new AccessLists();
  const rows = db.prepare(sql.SELECT_LISTED).all() as ListedRow[];
  if (!rows.every((row) => isRow('listed', { ...row }))) throw malformedRow(db, 'listed');
  lists.update({ t: 'all', entries: rows.map(entryOf) });
  return lists;
}
