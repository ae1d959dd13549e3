// Disk usage of a database.

import { statfsSync, statSync } from 'node:fs';
import { type Db, databaseFile } from './open.ts';

/** Disk usage of the database, in bytes. */
interface DatabaseSizes {
  file: number;
  /** Free pages inside the file, which are used again. */
  free: number;
  writeAheadLog: number;
  /** Free disk space for this user. */
  diskFree: number;
}

export function databaseSizes(db: Db, directory: string): DatabaseSizes {
  const file = databaseFile(directory);
  const pages = db.pragma('freelist_count', { simple: true }) as number;
  const pageBytes = db.pragma('page_size', { simple: true }) as number;
  const { bavail, bsize } = statfsSync(directory);
  return {
    // Missing only if it was removed while open (`writer/file-guard.ts`).
    file: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    free: pages * pageBytes,
    writeAheadLog: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    diskFree: bavail * bsize,
  };
}
