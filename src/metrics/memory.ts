// Shared memory in which all threads count.

import type { CountingStation } from './types.ts';

/** Worker thread that counts. */
interface WorkerMemory {
  readonly station: CountingStation;
  readonly worker: number;
}

/**
 * Shared memory of all meters: one block of 64-bit floats for each worker thread, in the order of
 * `workers`. Any thread may read it at any time; a worker that is restarted continues in its
 * predecessor's block, so counters never go back.
 */
export interface MetricsMemory {
  readonly workers: readonly WorkerMemory[];
  readonly cells: SharedArrayBuffer;
  /** Slow queries of every query worker (`slow-queries.ts`). */
  readonly slow: SharedArrayBuffer;
  /**
   * Top connections, and in `watch` the time until which they are requested (`top-connections.ts`).
   */
  readonly topConnections: SharedArrayBuffer;
  readonly watch: SharedArrayBuffer;
  /** Reads that ingester and query workers refused (`refused-reads.ts`). */
  readonly reads: SharedArrayBuffer;
  /** Names of plugins and of peers by label value (`slot-names.ts`). */
  readonly plugins: SharedArrayBuffer;
  readonly peers: SharedArrayBuffer;
}
