// Runtime of one worker of a station, inside its thread: start, control messages of the supervisor,
// and stop. Its state is owned by that thread.

import type { MessagePort } from 'node:worker_threads';
import { Channel } from '../channel/channel.ts';
import type { Config } from '../config/options.ts';
import { LineLimiter } from '../log/line-limiter.ts';
import type { Log } from '../log/log.ts';
import type { Control, Order, Report, StationName, WorkerFacts } from '../messages/control.ts';
import type { KeyShare } from '../messages/key-lists.ts';
import { countLines } from '../metrics/counters.ts';
import type { MetricsMemory } from '../metrics/memory.ts';
import { Meter } from '../metrics/meter.ts';
import { watchThread } from '../metrics/thread.ts';
import type { SharedRates } from '../policy/rates/shared-rates.ts';

/** Data of the piscina task that starts a worker. */
export interface WorkerTask {
  station: StationName;
  worker: number;
  config: Config;
  /** Cells of `Credits`, shared by all threads; `supervisor/cells.ts` defines their layout. */
  credits: SharedArrayBuffer;
  /** Metrics memory of all workers; each worker writes to a section of its own. */
  metrics: MetricsMemory;
  /** Token buckets of all clients (`policy/rates/`). */
  rates: SharedRates;
  /** Recent texts for the spam check (`policy/spam/recent-texts.ts`). */
  texts: SharedArrayBuffer;
  /** Table of child pids of plugins (`policy/plugins/child-pids.ts`). */
  processes: SharedArrayBuffer;
  /** Policy module that each worker is executing (`policy/plugins/module-watch.ts`). */
  modules: SharedArrayBuffer;
  /**
   * Memory of the filter of stored ids (`store/index/id-filter.ts`), once the writer has made it.
   */
  idFilter: SharedArrayBuffer | null;
  /** True while another process still owns the database. */
  standby: boolean;
  control: MessagePort;
}

/**
 * Work of a worker, as the supervisor drives it: it is given channels to its neighbours and told
 * when to stop.
 */
interface Role {
  attach(station: StationName, worker: number, channel: Channel): void;
  /** Applies changes of the options that apply live; all others are as they were. */
  reconfigure(config: Config): void;
  /** Takes a list of keys from the admin worker. */
  takeKeys?(share: KeyShare): void;
  /** Takes or releases the database; only the writer can. */
  own?(): void;
  release?(): void;
  /** Finishes pending work and releases the database and other processes. */
  stop(): void | Promise<void>;
}

/** Result of a worker's main: the role, and facts about it for the log of the start. */
interface Built {
  role: Role;
  facts: WorkerFacts;
}

/**
 * Runs a worker for as long as the relay runs: builds its role, reports ready, then obeys the
 * supervisor. The returned promise is the task that piscina watches; a crash of the thread rejects
 * it there.
 */
export async function serveWorker(
  task: WorkerTask,
  build: (
    log: Log,
    meter: Meter,
    orders: Orders,
    share: (share: KeyShare) => void,
    trouble: (text: string, hold: boolean) => void,
  ) => Built | Promise<Built>,
): Promise<void> {
  const { control } = task;
  const report = (message: Report) => control.postMessage(message);
  const meter = new Meter(task.metrics, task.station, task.worker);
  const orders = new Orders(report);
  const trouble = (text: string, hold: boolean) => report({ t: 'trouble', text, hold });
  const log = new LineLimiter(
    task.station,
    task.config.log,
    (level, text, facts = {}) => report({ t: 'log', level, text, facts }),
    countLines(meter),
  );
  let built: Built;
  try {
    built = await build(log, meter, orders, report, trouble);
  } catch (error) {
    const { name, message, fault, code } = error as Error & { fault?: string; code?: string };
    report({
      t: 'failed',
      name,
      message,
      ...(fault === undefined ? {} : { fault }),
      ...(code === undefined ? {} : { code: String(code) }),
    });
    throw error;
  }
  const { role, facts } = built;
  const unwatch = watchThread(meter);
  await new Promise<void>((resolve, reject) => {
    control.on('message', async (message: Control) => {
      try {
        if (message.t === 'attach') {
          for (const { station, worker, end } of message.links) {
            role.attach(station, worker, new Channel(end));
          }
        } else if (message.t === 'ping') report({ t: 'pong', n: message.n });
        else if (message.t === 'reload') {
          log.reconfigure(message.config.log);
          role.reconfigure(message.config);
        } else if (message.t === 'done') orders.done(message);
        else if (message.t === 'keys') role.takeKeys?.(message);
        else if (message.t === 'own') role.own?.();
        else if (message.t === 'release') role.release?.();
        else {
          await role.stop();
          unwatch();
          log.flush();
          control.close();
          resolve();
        }
      } catch (error) {
        reject(error as Error);
      }
    });
    report({ t: 'ready', facts });
  });
}

/** Pending requests of a worker to the main process, matched to results by number. */
class Orders {
  readonly #report: (message: Report) => void;
  readonly #waiting = new Map<number, (done: Control & { t: 'done' }) => void>();
  #last = 0;

  constructor(report: (message: Report) => void) {
    this.#report = report;
  }

  /**
   * Sends a request and resolves with its result.
   *
   * @throws Error with a sentence that says why it was not done.
   */
  async give(order: Order): Promise<unknown> {
    const n = ++this.#last;
    this.#report({ t: 'order', n, order });
    const { result, error } = await new Promise<Control & { t: 'done' }>((resolve) =>
      this.#waiting.set(n, resolve),
    );
    if (error !== '') throw new Error(error);
    return result;
  }

  done(done: Control & { t: 'done' }): void {
    this.#waiting.get(done.n)?.(done);
    this.#waiting.delete(done.n);
  }
}
