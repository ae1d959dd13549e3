// Checks of free disk space before a database is copied or rewritten.

import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { StorageError } from './error.ts';

/** Bytes that the write-ahead log takes for each byte of a page: its frames have headers. */
const LOG_FACTOR = 1.01;

/**
 * Checks the free space of a directory.
 *
 * @throws StorageError when it has no room for a copy of so many bytes.
 */
export function requireFreeSpace(bytes: number, directory: string): void {
  const free = freeSpace(directory);
  if (free >= bytes) return;
  throw new StorageError(
    `${directory} has ${megabytes(free)} free, and the copy needs ${megabytes(bytes)}; free some space, or name another directory`,
    'full',
  );
}

/**
 * Checks the free space for a VACUUM: SQLite writes the new pages to a temporary file, then to the
 * write-ahead log, and shrinks the database at the end.
 *
 * @param bytes those of the pages that are not free.
 * @throws StorageError when there is no room.
 */
export function requireVacuumSpace(bytes: number, directory: string): void {
  const temporary = temporaryDirectory();
  const shared = statSync(temporary).dev === statSync(directory).dev;
  const log = bytes * LOG_FACTOR;
  const needs: readonly (readonly [string, number])[] = shared
    ? [[directory, bytes + log]]
    : [
        [directory, log],
        [temporary, bytes],
      ];
  for (const [place, needed] of needs) {
    const free = freeSpace(place);
    if (free >= needed) continue;
    throw new StorageError(
      `${place} has ${megabytes(free)} free, and compacting in place needs ${megabytes(needed)} there; free some space, name another directory for temporary files with SQLITE_TMPDIR, or write a copy elsewhere with wok compact <file>`,
      'full',
    );
  }
}

/** Returns the directory in which SQLite makes its temporary files. */
function temporaryDirectory(): string {
  const { SQLITE_TMPDIR, TMPDIR } = process.env;
  const places = [SQLITE_TMPDIR, TMPDIR, '/var/tmp', '/usr/tmp', '/tmp'];
  return places.find((place) => place !== undefined && isWritable(place)) ?? '.';
}

function isWritable(place: string): boolean {
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return statSync(place).isDirectory();
  } catch {
    return false;
  }
}

function freeSpace(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
