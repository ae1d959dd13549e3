// Entry of the worker thread that runs the admin worker. It builds the role and everything the role
// owns: a read-only database connection, the term hasher, and the signature backend.

import { Admin } from '../src/admin/admin.ts';
import { systemClock } from '../src/lib/clock.ts';
import { loadSignatureBackend } from '../src/protocol/signature/signature.ts';
import { openReader, termKey } from '../src/store/database/open.ts';
import { TermHasher } from '../src/store/index/terms.ts';
import { frameBytes, writerEvents } from '../src/supervisor/cells.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';

/** Runs the admin worker, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, async (log, meter, orders, share) => {
    const { config, metrics, credits } = task;
    const ingesters = metrics.workers.filter(({ station }) => station === 'ingester');
    const queues = {
      ingester: ingesters.map(({ worker }) => frameBytes(credits, worker)),
      writer: writerEvents(credits),
    };
    const db = openReader(config.storage);
    const hasher = new TermHasher(termKey(db));
    const signature = await loadSignatureBackend(config.ingester.signature_backend);
    const role = new Admin({
      config,
      db,
      hasher,
      signature,
      clock: systemClock,
      log,
      share,
      metrics,
      meter,
      queues,
      order: (order) => orders.give(order),
    });
    await role.open();
    return { role, facts: {} };
  });
}
