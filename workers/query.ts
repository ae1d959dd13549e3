// Entry of the worker thread that runs one query worker. It builds the role and everything the role
// owns: a read-only database connection, the term hasher, and the meter of slow queries.

import { systemClock } from '../src/lib/clock.ts';
import { RefusedReadRing } from '../src/metrics/refused-reads.ts';
import { slowQueryRing } from '../src/metrics/slow-queries.ts';
import { ReadBudget } from '../src/policy/rates/read-budget.ts';
import { Query } from '../src/query/query.ts';
import { QueryMeter } from '../src/query/query-meter.ts';
import { openReader, termKey } from '../src/store/database/open.ts';
import { TermHasher } from '../src/store/index/terms.ts';
import { removals } from '../src/supervisor/cells.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';

/** Runs one query worker, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, (log, workerMeter) => {
    const { config, credits, worker, metrics, rates } = task;
    const db = openReader(config.storage);
    const hasher = new TermHasher(termKey(db));
    const slow = slowQueryRing(metrics, worker);
    const meter = new QueryMeter({
      meter: workerMeter,
      worker,
      slow,
      log,
      notes: new RefusedReadRing(metrics, 'query', worker),
      slowMilliseconds: config.metrics.slow_query_milliseconds,
    });
    const reads = new ReadBudget(config, rates, systemClock);
    const role = new Query(config, db, hasher, removals(credits), systemClock, reads, meter);
    return { role, facts: {} };
  });
}
