import type { Config } from '../config/options.ts';
import type { ExitCode } from '../lib/exit-codes.ts';
import { asStorageError, storageExitCode } from '../storage/error.ts';
import { databaseFile } from '../storage/open.ts';

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
