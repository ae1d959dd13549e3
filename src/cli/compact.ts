// `wok compact`: gives the free pages of the database back to the file system.

import { createReadStream, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MessageChannel } from 'node:worker_threads';
import type { Config } from '../config/options.ts';
import { present } from '../lib/assert.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { formatBytes, formatCount, formatSeconds } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import { THREAD_FLAGS } from '../lib/thread-flags.ts';
import type { Copied } from '../maintenance/backup.ts';
import type { CheckProgress, CompactResult, CompactTask } from '../maintenance/compact.ts';
import { taskUrl } from '../paths.ts';
import { removeCopy } from '../store/database/copy.ts';
import { databaseFile } from '../store/database/open.ts';
import { isDirectory } from './backup.ts';
import { type Call, type Command, CommandError, print, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { needDatabase, storageFailure } from './failure.ts';

const STANDARD_OUTPUT = '-';
/** Interval at which the size of the file that SQLite writes is looked at. */
const LOOK_MILLISECONDS = 200;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const LATER =
  'Another process reads the database: the file gets smaller when that has ended and the relay has started.';

/** Command `wok compact`: compacts the database, or writes a compacted copy of it. */
export const compactCommand: Command = {
  name: 'compact',
  args: '[file]',
  summary:
    'Give free pages back: of the database itself while the relay is stopped, or in a copy (- for standard output)',
  flags: directoryFlags,
  examples: [
    'sudo -u wok wok compact --data /var/lib/wok',
    'wok compact /var/backups/wok-small.db',
    'wok compact - | zstd > wok.db.zst',
  ],
  async run(call) {
    const [name] = call.args;
    const target = name === undefined || name === STANDARD_OUTPUT ? name : fileOf(call, name);
    if (target === STANDARD_OUTPUT && process.stdout.isTTY === true) {
      throw new UsageError(
        'Name a file (wok compact <file>), or pipe standard output to a program.',
      );
    }
    const { storage, ingester } = configOfCall(call);
    needDatabase(storage);
    const work = { storage, backend: ingester.signature_backend };
    try {
      if (target === undefined) return await inPlace(work);
      if (target === STANDARD_OUTPUT) return await toStandardOutput(work);
      print(await toFile(work, target, target));
      return exitCodes.ok;
    } catch (error) {
      if (error instanceof CommandError) throw error;
      return storageFailure(error, storage);
    }
  },
};

/** @throws UsageError, CommandError when the file cannot be the target of a copy. */
function fileOf(call: Call, name: string): string {
  const file = resolve(call.cwd, name);
  if (isDirectory(file)) throw new UsageError(`${file} is a directory; name a file in it.`);
  if (existsSync(file)) {
    throw new CommandError(`${file} exists already; name another file.`, exitCodes.refused);
  }
  if (!isDirectory(dirname(file))) throw new UsageError(`There is no directory ${dirname(file)}.`);
  return file;
}

type Work = Pick<CompactTask, 'storage' | 'backend'>;

async function inPlace(work: Work): Promise<number> {
  const before = sizesOf(work.storage);
  const began = performance.now();
  await inThread(
    { ...work, file: null },
    {
      written: `${databaseFile(work.storage.directory)}-wal`,
      onSignal: () => 'interrupted; the database has all its events.',
    },
  );
  const after = sizesOf(work.storage);
  const back = Math.max(before.file + before.log - after.file - after.log, 0);
  const lines = [
    `before  ${sizeText(before)}`,
    `after   ${sizeText(after)}`,
    `${formatBytes(back)} given back in ${secondsSince(began)}.`,
  ];
  if (after.log > 0) lines.push(LATER);
  print(lines.join('\n'));
  return exitCodes.ok;
}

/** Writes a compacted copy to a file that does not exist; returns the report about it. */
async function toFile(work: Work, file: string, name: string): Promise<string> {
  const before = sizesOf(work.storage);
  const began = performance.now();
  const part = `${file}.part`;
  const copied = await inThread(
    { ...work, file },
    {
      written: part,
      onSignal: () => {
        // The copy is complete: the command ends as if no signal had come.
        if (existsSync(file)) return null;
        removeCopy(part);
        return 'interrupted; no copy was written.';
      },
    },
  );
  const { bytes, events, looked } = present(copied, 'result of a copy');
  return [
    `before  ${sizeText(before)}`,
    `after   ${formatBytes(bytes)} in ${name}`,
    `${formatCount(events)} events; ${formatCount(looked)} of them checked: ids, signatures and index are right. ${secondsSince(began)}.`,
  ].join('\n');
}

/**
 * Writes a compacted copy to standard output. It is made in the data directory: `wok doctor`
 * reports a copy there that a kill has left.
 */
async function toStandardOutput(work: Work): Promise<number> {
  const file = `${databaseFile(work.storage.directory)}.part-${process.pid}`;
  rmSync(file, { force: true });
  const report = await toFile(work, file, 'standard output');
  const descriptor = openSync(file, 'r');
  // The content remains until the descriptor is closed, however the process ends.
  rmSync(file);
  try {
    await pipeline(createReadStream('', { fd: descriptor }), process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    throw new CommandError(
      'standard output was closed before the copy was complete; nothing else was changed.',
      exitCodes.inputOutput,
    );
  }
  process.stderr.write(`${report}\n`);
  return exitCodes.ok;
}

/** Progress and interruption of a task. */
interface Watch {
  /** File whose size is the progress while SQLite writes it. */
  written: string;
  /** Tidies up and returns what to say before the process ends; null: the task is to go on. */
  onSignal: () => string | null;
}

/**
 * Runs a task in a thread of its own. SQLite compacts in one call, which nothing interrupts but the
 * end of the process, so Ctrl-C (or SIGTERM) ends it by the signal.
 *
 * @returns the copy, or null if there is none. @throws CommandError
 */
async function inThread(
  task: Omit<CompactTask, 'progress'>,
  { written, onSignal }: Watch,
): Promise<Copied | null> {
  const { Piscina } = await import('piscina');
  const { port1: checks, port2: port } = new MessageChannel();
  const progress = new Progress();
  const sizes = setInterval(() => {
    const bytes = sizeOf(written);
    progress.update('compacting', bytes, 0, () => `${formatBytes(bytes)} written`);
  }, LOOK_MILLISECONDS);
  checks.on('message', ({ done, total }: CheckProgress) => {
    clearInterval(sizes);
    progress.update('checking', done, total);
  });
  const end = () => {
    const said = onSignal();
    if (said === null) return;
    progress.clear();
    process.stderr.write(`wok: ${said}\n`);
    for (const name of SIGNALS) process.removeAllListeners(name);
    // Shells report a process that SIGINT ended as status 130.
    process.kill(process.pid, 'SIGINT');
  };
  for (const name of SIGNALS) process.on(name, end);
  const pool = new Piscina({
    execArgv: [...THREAD_FLAGS],
    filename: taskUrl('compact').href,
    name: 'run',
    minThreads: 1,
    maxThreads: 1,
    recordTiming: false,
  });
  try {
    const options = { transferList: [port] };
    const result = (await pool.run({ ...task, progress: port }, options)) as CompactResult;
    if ('failure' in result) throw new CommandError(result.failure, result.status);
    return result.copied;
  } finally {
    clearInterval(sizes);
    for (const name of SIGNALS) process.removeListener(name, end);
    checks.close();
    progress.clear();
    await pool.destroy();
  }
}

/** Sizes of a database and its write-ahead log, in bytes. */
interface Sizes {
  file: number;
  log: number;
}

function sizesOf({ directory }: Config['storage']): Sizes {
  const file = databaseFile(directory);
  return { file: sizeOf(file), log: sizeOf(`${file}-wal`) };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function sizeText({ file, log }: Sizes): string {
  const inLog = log === 0 ? '' : `, ${formatBytes(log)} of it in the write-ahead log`;
  return `${formatBytes(file + log)}${inLog}`;
}

function secondsSince(began: number): string {
  return formatSeconds((performance.now() - began) / 1000);
}
