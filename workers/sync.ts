// Entry of the worker thread that answers negentropy sessions. It builds the role, with a read-only
// database connection and the term hasher.

import { systemClock } from '../src/lib/clock.ts';
import { ReadBudget } from '../src/policy/rates/read-budget.ts';
import { openReader, termKey } from '../src/store/database/open.ts';
import { TermHasher } from '../src/store/index/terms.ts';
import { removals } from '../src/supervisor/cells.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';
import { Sync } from '../src/sync/sync.ts';
import { SyncMeter } from '../src/sync/sync-meter.ts';

/** Runs the sync worker, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, (_log, meter) => {
    const { config, credits, rates } = task;
    const db = openReader(config.storage);
    const hasher = new TermHasher(termKey(db));
    const reads = new ReadBudget(config, rates, systemClock);
    const removed = removals(credits);
    const syncMeter = new SyncMeter(meter);
    const role = new Sync(config, db, hasher, removed, systemClock, reads, syncMeter);
    return { role, facts: {} };
  });
}
