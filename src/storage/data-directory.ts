import { closeSync, openSync } from 'node:fs';
import { makeDirectory } from '../lib/make-directory.ts';

/**
 * The permissions of a data directory and of the files in it, less those of the umask: other users
 * of the machine must not read private messages and the audit log. SQLite gives the permissions of
 * the database to its log and its shared memory.
 */
const DIRECTORY_MODE = 0o750;
export const FILE_MODE = 0o640;

/** Makes a data directory that its user alone may write to, unless it is there. */
export function makeDataDirectory(directory: string): void {
  makeDirectory(directory, DIRECTORY_MODE);
}

/** Makes an empty file, which SQLite takes for an empty database, unless it is there. */
export function makeFile(file: string): void {
  closeSync(openSync(file, 'a', FILE_MODE));
}
