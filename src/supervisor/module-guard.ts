import type { Config } from '../config/options.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { ModuleWatch } from '../policy/plugins/module-watch.ts';
import { moduleName } from '../policy/plugins/names.ts';

/**
 * Finds ingester lanes that a policy module does not give back, and switches the module off. Whoever looks
 * has to end the lane, which nothing else gets out of there.
 */
export class ModuleGuard {
  readonly shared = ModuleWatch.share();
  readonly #watch = new ModuleWatch(this.shared);
  readonly #log: Log;
  /** The calls that were too long when it was looked last, by lane. */
  readonly #suspects = new Map<number, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Whether a lane has to be ended. A call has to be found twice: when the whole process stood still for
   * a while, every call is old at the first look.
   */
  isStuck(lane: number, { policy }: Config): boolean {
    const limit = policy.modules_stuck_seconds * 1000;
    const found = limit === 0 ? null : this.#watch.callOf(lane, sharedMilliseconds());
    if (found === null || found.milliseconds < limit) {
      this.#suspects.delete(lane);
      return false;
    }
    if (this.#suspects.get(lane) !== found.call) {
      this.#suspects.set(lane, found.call);
      return false;
    }
    this.#suspects.delete(lane);
    this.#watch.switchOff(found.module);
    this.#log.error(
      'a policy module does not come back; its lane is started anew, and it is switched off until the relay is',
      {
        module: moduleName(policy.modules[found.module] ?? ''),
        lane,
        seconds: Math.round(found.milliseconds / 1000),
        meanwhile:
          policy.modules_fail === 'open' ? 'nobody asks it' : 'what it would be asked is refused',
      },
    );
    return true;
  }
}
