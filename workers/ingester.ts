// Entry of the worker thread that runs one ingester worker. It builds the role and everything the
// role owns: a read-only database connection, the policy pipeline, and the caches of lists and
// keys.

import { loadLists } from '../src/access/list-rows.ts';
import { SharedKeys } from '../src/access/shared-keys.ts';
import { Ingester } from '../src/ingester/ingester.ts';
import { spamMeter } from '../src/ingester/spam-meter.ts';
import { present } from '../src/lib/assert.ts';
import { systemClock } from '../src/lib/clock.ts';
import { pluginTimer } from '../src/metrics/plugin-timer.ts';
import { RefusedReadRing } from '../src/metrics/refused-reads.ts';
import { PolicyPipeline } from '../src/policy/pipeline.ts';
import { ModuleWatch } from '../src/policy/plugins/module-watch.ts';
import { PolicyModules } from '../src/policy/plugins/modules.ts';
import { logBans } from '../src/policy/rates/ban-log.ts';
import { Rates } from '../src/policy/rates/rates.ts';
import { AuthorCache } from '../src/policy/spam/author-cache.ts';
import { SpamFilter } from '../src/policy/spam/spam-filter.ts';
import { loadSignatureBackend } from '../src/protocol/signature/signature.ts';
import { openReader, termKey } from '../src/store/database/open.ts';
import { IdFilter } from '../src/store/index/id-filter.ts';
import { TermHasher } from '../src/store/index/terms.ts';
import { frameBytes, subscriptionBytes, writerEvents } from '../src/supervisor/cells.ts';
import { serveWorker, type WorkerTask } from '../src/supervisor/worker.ts';

/** Runs one ingester worker, as a piscina task. */
export function run(task: WorkerTask): Promise<void> {
  return serveWorker(task, async (log, meter) => {
    const { config, credits, worker, idFilter, rates, texts } = task;
    const signature = await loadSignatureBackend(config.ingester.signature_backend);
    const db = openReader(config.storage);
    const hasher = new TermHasher(termKey(db));
    const clock = systemClock;
    const time = pluginTimer(meter, task.metrics);
    const watch = new ModuleWatch(task.modules);
    const modules = await PolicyModules.load(config, worker, log, time, watch);
    const keyBook = new AuthorCache(db, hasher);
    const spam = new SpamFilter({
      config,
      texts,
      keys: keyBook,
      clock,
      log,
      meter: spamMeter(meter),
    });
    const role = new Ingester({
      config,
      db,
      hasher,
      signature,
      idFilter: new IdFilter(present(idFilter, 'memory of the filter of stored ids')),
      frameBytes: frameBytes(credits, worker),
      writerEvents: writerEvents(credits),
      subscriptionBytes: subscriptionBytes(credits),
      worker,
      lists: loadLists(db),
      keys: new SharedKeys(),
      pipeline: new PolicyPipeline(config, spam, modules),
      rates: new Rates(config, rates, systemClock, logBans(log, config)),
      clock,
      meter,
      refusedReads: new RefusedReadRing(task.metrics, 'ingester', worker),
    });
    return { role, facts: { signatures: signature.name, detail: signature.detail } };
  });
}
