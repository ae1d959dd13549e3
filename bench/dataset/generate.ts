// Generation of dataset files by a pool of threads, and the cache of these files.

import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Piscina } from 'piscina';
import { makeDirectory } from '../../src/lib/make-directory.ts';
import { THREAD_FLAGS } from '../../src/lib/thread-flags.ts';
import { workerFile } from '../paths.ts';
import type { GenerateTask } from './generate-worker.ts';
import { type DatasetParameters, datasetFileName } from './parameters.ts';

/** Returns the directory of datasets unless --cache is given. */
export function defaultCacheDirectory(): string {
  return join(tmpdir(), 'wok-bench');
}

/** Number of events of one task: some 50 ms of work. */
const CHUNK_EVENTS = 500;

interface GenerateOptions {
  /** Called with the number of events written so far. */
  readonly progress?: (events: number) => void;
  readonly signal?: AbortSignal;
  /** Number of threads; default: one for each processor. */
  readonly threads?: number;
}

/**
 * Returns the file of a dataset in the cache, and makes it first if it is missing. An unfinished
 * file has another name, so it is never taken for a finished one.
 *
 * @throws the reason of `signal` when that is aborted.
 */
export async function cachedDataset(
  parameters: DatasetParameters,
  directory: string,
  options: GenerateOptions = {},
): Promise<string> {
  const file = join(directory, datasetFileName(parameters));
  if (!existsSync(file)) await generate(parameters, file, options);
  return file;
}

/** Makes a dataset and writes it, an event on each line, to `file`. */
export async function generate(
  parameters: DatasetParameters,
  file: string,
  { progress, signal, threads = availableParallelism() }: GenerateOptions = {},
): Promise<void> {
  makeDirectory(dirname(file), 0o700);
  const part = `${file}.${process.pid}.part`;
  const pool = new Piscina({
    execArgv: [...THREAD_FLAGS],
    filename: workerFile('dataset/generate-worker'),
    name: 'run',
    minThreads: threads,
    maxThreads: threads,
  });
  const handle = await open(part, 'w');
  try {
    await writeChunks(parameters, pool, handle, threads * 2, progress, signal);
    await handle.close();
    await rename(part, file);
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    throw error;
  } finally {
    await pool.destroy();
  }
}

/** Keeps `ahead` chunks in the making and writes them in order. */
async function writeChunks(
  parameters: DatasetParameters,
  pool: Piscina,
  to: FileHandle,
  ahead: number,
  progress?: (events: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { events } = parameters;
  const making: Promise<Uint8Array>[] = [];
  let asked = 0;
  let written = 0;
  try {
    while (written < events) {
      while (asked < events && making.length < ahead) {
        const task: GenerateTask = {
          parameters,
          first: asked,
          count: Math.min(CHUNK_EVENTS, events - asked),
        };
        making.push(pool.run(task) as Promise<Uint8Array>);
        asked += task.count;
      }
      const bytes = await making.shift()!;
      signal?.throwIfAborted();
      await to.write(bytes);
      written = Math.min(written + CHUNK_EVENTS, events);
      progress?.(written);
    }
  } finally {
    await Promise.allSettled(making);
  }
}
