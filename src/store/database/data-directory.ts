// Creates the data directory and files in it, with their permissions.

import { closeSync, openSync } from 'node:fs';
import { makeDirectory } from '../../lib/make-directory.ts';

/**
 * Permissions of a data directory and of the files in it, less those of the umask: other users of
 * the machine must not read private messages and the audit log. SQLite gives the permissions of the
 * database to its log and its shared memory.
 */
const DIRECTORY_MODE = 0o750;
export const FILE_MODE = 0o640;

/** Creates a data directory that only its user may write to, unless it exists. */
export function makeDataDirectory(directory: string): void {
  makeDirectory(directory, DIRECTORY_MODE);
}

/** Creates an empty file, which SQLite takes for an empty database, unless it exists. */
export function makeFile(file: string): void {
  closeSync(openSync(file, 'a', FILE_MODE));
}
