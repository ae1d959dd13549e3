import { statfsSync, statSync } from 'node:fs';
import { type Db, databaseFile } from './open.ts';

/** What the database takes on disk, in bytes. */
export interface DatabaseSizes {
  file: number;
  /** Pages inside the file that hold nothing and are used again. */
  free: number;
  writeAheadLog: number;
  /** What is left on the disk for this user. */
  diskFree: number;
}

export function databaseSizes(db: Db, directory: string): DatabaseSizes {
  const file = databaseFile(directory);
  const pages = db.pragma('freelist_count', { simple: true }) as number;
  const pageBytes = db.pragma('page_size', { simple: true }) as number;
  const { bavail, bsize } = statfsSync(directory);
  return {
    // Gone only when somebody has taken it away (`writer/file-guard.ts`).
    file: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    free: pages * pageBytes,
    writeAheadLog: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    diskFree: bavail * bsize,
  };
}
