// Entry of the worker thread that runs the monitor, which matches new events with subscriptions.

import { Monitor } from '../src/monitor/monitor.ts';
import { openReader, termKey } from '../src/store/database/open.ts';
import { TermHasher } from '../src/store/index/terms.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';

/** Runs the monitor, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, (_log, meter) => {
    // The database is opened only for the key of the hasher: the monitor works in memory.
    const db = openReader(task.config.storage);
    const hasher = new TermHasher(termKey(db));
    db.close();
    return { role: new Monitor(task.config, hasher, meter), facts: {} };
  });
}
