import { statSync } from 'node:fs';
import type { Config } from '../config/options.ts';
import { type ExitCode, exitCodes } from '../lib/exit-codes.ts';
import { asStorageError, storageExitCode } from '../storage/error.ts';
import { databaseFile } from '../storage/open.ts';
import { CommandError } from './command.ts';

/** Ends a command that works on a database where there is none. @throws CommandError */
export function needDatabase({ directory }: Config['storage']): void {
  try {
    statSync(databaseFile(directory));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') {
      throw new CommandError(
        `this user may not look into ${directory}; run the command as the user that the relay runs as.`,
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
 * The status of a command that cannot use the database, after a sentence on standard error.
 *
 * @throws what is no failure of SQLite or of the file system.
 */
export function storageFailure(error: unknown, storage: Config['storage']): ExitCode {
  const { name, code } = error as Error & { code?: unknown };
  const known =
    name === 'StorageError' || (typeof code === 'string' && /^(SQLITE_|E[A-Z]+$)/.test(code));
  if (!known) throw error;
  const failure = asStorageError(error, databaseFile(storage.directory));
  process.stderr.write(`wok: ${failure.message}\n`);
  return storageExitCode(failure)!;
}
