// Errors of commands that need a database: there is none, or it cannot be used.

import { statSync } from 'node:fs';
import type { Config } from '../config/options.ts';
import { type ExitCode, exitCodes } from '../lib/exit-codes.ts';
import { asStorageError, isStorageFailure, storageExitCode } from '../store/database/error.ts';
import { databaseFile } from '../store/database/open.ts';
import { CommandError } from './command.ts';

/**
 * Checks that there is a database.
 *
 * @throws CommandError if there is none, or if this user may not look into the directory.
 */
export function needDatabase({ directory }: Config['storage']): void {
  try {
    statSync(databaseFile(directory));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') {
      throw new CommandError(
        `this user may not read ${directory}; run the command as the user of the relay.`,
        exitCodes.noPermission,
      );
    }
    throw new CommandError(
      `there is no database in ${directory}; name its directory with --data.`,
      exitCodes.refused,
    );
  }
}

/**
 * Writes a sentence about the failure to standard error and returns the exit status of a command
 * that cannot use the database.
 *
 * @throws `error` itself if it is no failure of SQLite or of the file system.
 */
export function storageFailure(error: unknown, storage: Config['storage']): ExitCode {
  if (!isStorageFailure(error)) throw error;
  const failure = asStorageError(error, databaseFile(storage.directory));
  process.stderr.write(`wok: ${failure.message}\n`);
  return storageExitCode(failure)!;
}
