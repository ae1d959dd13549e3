// Threads in which the workers run, each a piscina pool of one thread. The main thread owns the
// pools.

import { availableParallelism } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Config } from '../config/options.ts';
import { THREAD_FLAGS } from '../lib/thread-flags.ts';
import { workerUrl } from '../paths.ts';
import type { ThreadStation } from './thread-stations.ts';
import type { WorkerTask } from './worker.ts';

/** Stations that can share a thread; worker n of each is in thread n. */
const SHARING: ReadonlySet<ThreadStation> = new Set(['monitor', 'query', 'ingester']);

/**
 * Number of processors up to which stations share threads: separate threads gain less there than
 * resuming each other costs.
 */
const SHARED_PROCESSORS_MAX = 2;

/** Returns true if monitor, query and ingester workers share threads (`query.threads`). */
export function threadsAreShared({ query }: Config): boolean {
  if (query.threads !== 'auto') return query.threads === 'shared';
  return availableParallelism() <= SHARED_PROCESSORS_MAX;
}

/**
 * Set of the threads in which workers run. Each is a piscina pool of one thread, and each worker is
 * a task in it that runs as long as the relay. Piscina replaces a thread that dies and rejects its
 * tasks. Workers that share a thread are tasks of the same pool, and pass messages to each other
 * without a wake-up.
 */
export class Threads {
  readonly #share: boolean;
  readonly #pools = new Map<string, Piscina>();

  constructor(share: boolean) {
    this.#share = share;
  }

  /**
   * Returns the name of the thread that a worker runs in: workers of one name start and end
   * together.
   */
  nameOf(station: ThreadStation, worker: number): string {
    return this.#share && SHARING.has(station) ? `shared:${worker}` : `${station}:${worker}`;
  }

  /** Runs a worker; the promise settles when it has ended. */
  run(task: WorkerTask, control: MessagePort): Promise<unknown> {
    return this.#pool(this.nameOf(task.station as ThreadStation, task.worker)).run(task, {
      filename: workerUrl(task.station as ThreadStation).href,
      name: 'run',
      transferList: [control],
    });
  }

  /** Terminates a thread at once, with all workers in it; it can run others afterwards. */
  async kill(name: string): Promise<void> {
    await Promise.all((this.#pools.get(name)?.threads ?? []).map((thread) => thread.terminate()));
  }

  /** Ends a thread for good; resolves when it is gone. */
  async close(name: string): Promise<void> {
    const pool = this.#pools.get(name);
    this.#pools.delete(name);
    await pool?.destroy();
  }

  async closeAll(): Promise<void> {
    await Promise.allSettled([...this.#pools.keys()].map((name) => this.close(name)));
  }

  #pool(name: string): Piscina {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const pool = new Piscina({
      execArgv: [...THREAD_FLAGS],
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: SHARING.size,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
    });
    // Errors of workers reach the supervisor through their tasks.
    pool.on('error', () => {});
    this.#pools.set(name, pool);
    return pool;
  }
}
