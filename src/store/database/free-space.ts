// Check of free disk space before a copy.

import { statfsSync } from 'node:fs';
import { StorageError } from './error.ts';

/**
 * Checks the free space of a directory.
 *
 * @throws StorageError when it has no room for a copy of so many bytes.
 */
export function requireFreeSpace(bytes: number, directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= bytes) return;
  const megabytes = (count: number) => `${Math.ceil(count / 1e6)} MB`;
  throw new StorageError(
    `${directory} has ${megabytes(bavail * bsize)} free, and the copy needs ${megabytes(bytes)}; free some space, or name another directory`,
    'full',
  );
}
