// Disk usage of a database.

import { statfsSync, statSync } from 'node:fs';
import { type Db, databaseFile } from './open.ts';

/** Disk usage of the database, in bytes. */
interface DatabaseSizes {
  /** Size of the file without its write-ahead log. */
  file: number;
  pages: number;
  pageBytes: number;
  freePages: number;
  /** Bytes of the free pages inside the file, which are used again. */
  free: number;
  writeAheadLog: number;
  /** Free disk space for this user. */
  diskFree: number;
}

export function databaseSizes(db: Db, directory: string): DatabaseSizes {
  const file = databaseFile(directory);
  const pragma = (name: string) => db.pragma(name, { simple: true }) as number;
  const pageBytes = pragma('page_size');
  const freePages = pragma('freelist_count');
  const { bavail, bsize } = statfsSync(directory);
  return {
    // Missing only if it was removed while open (`writer/file-guard.ts`).
    file: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    pages: pragma('page_count'),
    pageBytes,
    freePages,
    free: freePages * pageBytes,
    writeAheadLog: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    diskFree: bavail * bsize,
  };
}

/** Returns the bytes of the pages that are not free, those in the write-ahead log included. */
export function usedBytes(db: Db): number {
  const pragma = (name: string) => db.pragma(name, { simple: true }) as number;
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}
