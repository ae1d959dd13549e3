// Watchdog for policy modules that block an ingester worker. It runs on the main thread and reads
// shared memory that the workers write.

import type { Config } from '../config/options.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import { ModuleWatch } from '../policy/plugins/module-watch.ts';
import { moduleName } from '../policy/plugins/names.ts';

/**
 * Detector of ingester workers that are blocked in a policy module; it switches the module off. The
 * caller has to terminate the worker's thread, because nothing else interrupts the module.
 */
export class ModuleGuard {
  readonly shared = ModuleWatch.share();
  readonly #watch = new ModuleWatch(this.shared);
  readonly #log: Log;
  /** Calls that exceeded the limit at the last check, by worker. */
  readonly #suspects = new Map<number, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Returns true if a worker has to be terminated. A call has to exceed the limit at two checks:
   * after a pause of the whole process every call looks old at the first check.
   */
  isStuck(worker: number, { policy, plugins }: Config): boolean {
    const limit = policy.modules_stuck_seconds * 1000;
    const found = limit === 0 ? null : this.#watch.callOf(worker, sharedMilliseconds());
    if (found === null || found.milliseconds < limit) {
      this.#suspects.delete(worker);
      return false;
    }
    if (this.#suspects.get(worker) !== found.call) {
      this.#suspects.set(worker, found.call);
      return false;
    }
    this.#suspects.delete(worker);
    this.#watch.switchOff(found.module);
    this.#log.error(
      'a policy module does not return; its worker is restarted, and the module is disabled until the relay restarts',
      {
        module: moduleName(policy.modules[found.module] ?? ''),
        worker,
        seconds: Math.round(found.milliseconds / 1000),
        meanwhile: plugins.fail === 'open' ? 'everything is accepted' : 'everything is refused',
      },
    );
    return true;
  }
}
