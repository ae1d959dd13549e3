// `wok backup` and `wok restore`: copy the database to a file, and put such a copy in its place.

import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ExitCode, exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatBytes, formatCount, formatSeconds } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import type { BackupOptions, Copied } from '../maintenance/backup.ts';
import { type Call, type Command, CommandError, type Flag, print, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { needDatabase, storageFailure } from './failure.ts';
import { interruptible } from './interrupt.ts';

const MEGABYTES_A_SECOND = 100;
const SAMPLE = 1000;

const flags: readonly Flag[] = [
  ...directoryFlags,
  {
    name: '--rate <megabytes>',
    text: `Bytes per second at most (default ${MEGABYTES_A_SECOND} MB, 0: no limit)`,
    excludes: ['compact'],
  },
  { name: '--sample <events>', text: `Events whose signatures are checked (default ${SAMPLE})` },
  {
    name: '--compact',
    text: 'Leave out free pages (VACUUM INTO); copies in one transaction, without --rate',
  },
  { name: '--force', text: 'Replace an existing file, or an existing database' },
];

/** Command `wok backup`: copies the database while the relay runs, and checks the copy. */
export const backupCommand: Command = {
  name: 'backup',
  args: '<file>',
  summary: 'Copy the database to a file while the relay runs, and check the copy',
  flags,
  examples: ['wok backup /var/backups/wok-monday.db', 'wok backup /mnt/wok.db --rate 20 --force'],
  run(call) {
    const file = fileOf(call);
    if (isDirectory(file)) throw new UsageError(`${file} is a directory; name a file in it.`);
    if (existsSync(file) && !call.flags.has('force')) {
      throw new CommandError(
        `${file} exists already; name another file, or add --force.`,
        exitCodes.refused,
      );
    }
    if (!isDirectory(dirname(file))) {
      throw new UsageError(`There is no directory ${dirname(file)}.`);
    }
    return carryOut(call, async (options) => {
      const { backup } = await import('../maintenance/backup.ts');
      const { storage, ingester } = configOfCall(call);
      needDatabase(storage);
      const done = await backup(storage, ingester.signature_backend, file, options);
      return `${describe(done)} The copy is ${done.file}.`;
    });
  },
};

/** Command `wok restore`: puts a backup in the place of the database. */
export const restoreCommand: Command = {
  name: 'restore',
  args: '<file>',
  summary: 'Replace the database with a backup; the relay has to be stopped',
  flags,
  examples: ['wok restore /var/backups/wok-monday.db --data /var/lib/wok --force'],
  run(call) {
    const file = fileOf(call);
    if (isDirectory(file)) throw new UsageError(`${file} is a directory; name a backup in it.`);
    if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
    return carryOut(call, async (options) => {
      const { restore, hasDatabase } = await import('../maintenance/backup.ts');
      const { storage, ingester } = configOfCall(call);
      if (hasDatabase(storage.directory) && !call.flags.has('force')) {
        throw new CommandError(
          `there is a database in ${storage.directory} already; with --force it is renamed, and the backup takes its place.`,
          exitCodes.refused,
        );
      }
      const done = await restore(storage, ingester.signature_backend, file, options);
      const kept = done.replaced === null ? '' : ` The previous database is ${done.replaced} now.`;
      return `${describe(done)} The database is ${done.file}.${kept}`;
    });
  },
};

function describe({ bytes, events, looked }: Copied): string {
  return `${formatCount(events)} events, ${formatBytes(bytes)}; ${formatCount(looked)} of them checked: ids, signatures and index are right.`;
}

async function carryOut(
  call: Call,
  work: (options: BackupOptions) => Promise<string>,
): Promise<number> {
  const rate = call.flags.integer('rate', 0, 999_999_999) ?? MEGABYTES_A_SECOND;
  const sample = call.flags.integer('sample', 0, 999_999_999) ?? SAMPLE;
  const progress = new Progress();
  const began = performance.now();
  return interruptible(async (signal): Promise<ExitCode | typeof INTERRUPTED> => {
    try {
      const text = await work({
        signal,
        sample,
        compact: call.flags.has('compact'),
        bytesPerSecond: rate * 1e6,
        progress: (step, done, total) => {
          const seconds = (performance.now() - began) / 1000;
          const note = step === 'copying' ? () => `${formatBytes(done / seconds)}/s` : undefined;
          progress.update(step, done, Math.max(total, 1), note);
        },
      });
      progress.clear();
      print(`${text} ${formatSeconds((performance.now() - began) / 1000)}.`);
      return exitCodes.ok;
    } catch (error) {
      progress.clear();
      if (signal.aborted) {
        process.stderr.write('wok: interrupted; nothing was changed.\n');
        return INTERRUPTED;
      }
      const { name, message } = error as Error;
      if (name === 'CopyProblem') {
        const { file } = (error as { copied?: Copied }).copied!;
        process.stderr.write(`wok: ${file} is damaged: ${message}\n`);
        return exitCodes.damaged;
      }
      if (error instanceof CommandError || error instanceof UsageError) throw error;
      return storageFailure(error, configOfCall(call).storage);
    }
  });
}

/** Returns true if a path is a directory, false also if it is nothing. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function fileOf(call: Call): string {
  return resolve(call.cwd, call.args[0]!);
}
