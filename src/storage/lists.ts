import { type ListEntry, type ListName, Lists, listNames, type Stance } from '../policy/lists.ts';
import { StorageError } from './error.ts';
import type { Db } from './open.ts';
import * as sql from './sql.ts';

/** One row of the table `listed`. */
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

/** Whether a row is one that wok wrote: of a damaged page SQLite gives whatever stands there. */
export function isListed({
  list,
  subject,
  stance,
}: Partial<Record<keyof ListedRow, unknown>>): boolean {
  return (
    listNames.includes(list as ListName) &&
    typeof subject === 'string' &&
    (stance === 'ban' || stance === 'allow')
  );
}

/** The lists as they stand in the database. @throws StorageError when a row is damaged. */
export function loadLists(db: Db): Lists {
  const lists = new Lists();
  const rows = db.prepare(sql.SELECT_LISTED).all() as ListedRow[];
  if (!rows.every(isListed)) {
    throw new StorageError(
      `the database ${db.name} is damaged: a row of the table listed is none; run wok doctor, or restore a backup with wok restore`,
      'damaged',
    );
  }
  lists.update({ t: 'all', entries: rows.map(entryOf) });
  return lists;
}
