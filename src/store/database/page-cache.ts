// Frees the page caches of SQLite connections on idle threads.

import type Database from 'better-sqlite3';
import { onCalm } from '../../lib/idle-collection.ts';

/** Connections of this thread that have a page cache. */
const connections = new Set<Database.Database>();

/**
 * Frees the page cache of a connection (`storage.cache_mib`) whenever its thread becomes idle: the
 * operating system still has the pages, and reading one again takes 2 µs.
 */
export function shrinkWhenCalm(db: Database.Database): void {
  if (connections.size === 0) onCalm(shrink);
  for (const one of connections) if (!one.open) connections.delete(one);
  connections.add(db);
}

function shrink(): boolean {
  for (const db of connections) if (db.open && !db.inTransaction) db.pragma('shrink_memory');
  return false;
}
