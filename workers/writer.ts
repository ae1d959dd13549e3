// Entry of the worker thread that runs the writer. Its writer lease owns the database for writing.

import { systemClock } from '../src/lib/clock.ts';
import { removals, writerEvents, writeState } from '../src/supervisor/cells.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';
import { WriterLease } from '../src/writer/lease.ts';

/** Runs the writer, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, (logger, meter, _orders, _share, trouble) => {
    const { config, credits, standby } = task;
    const parts = {
      config,
      queue: writerEvents(credits),
      removals: removals(credits),
      writes: writeState(credits),
      clock: systemClock,
      logger,
      meter,
      trouble,
    };
    const role = new WriterLease(parts, standby);
    return { role, facts: { idFilter: role.idFilterMemory } };
  });
}
