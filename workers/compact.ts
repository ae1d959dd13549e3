// Entry of the worker thread of `wok compact`: SQLite compacts a database in one call, during which
// the main thread shows the progress and receives signals.

import { type CompactResult, type CompactTask, compact } from '../src/maintenance/compact.ts';

/** Compacts a database, as a piscina task of `wok compact`. */
export function run(task: CompactTask): Promise<CompactResult> {
  return compact(task);
}
