import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/options.ts';
import type { Log } from '../lib/log.ts';
import { LogGate } from '../lib/log-gate.ts';
import { Channel } from '../mailbox/channel.ts';
import type { Control, LaneFacts, Order, Report, StationName } from '../messages.ts';
import { countLines } from '../metrics/counters.ts';
import { Meter, type MetricsMemory } from '../metrics/meter.ts';
import { watchThread } from '../metrics/thread.ts';
import type { KeyShare } from '../policy/doors/keys.ts';
import type { SharedRates } from '../policy/rates/shared-rates.ts';

/** What a lane is started with: the data of its piscina task. */
export interface LaneTask {
  station: StationName;
  lane: number;
  config: Config;
  /** The cells of `Credits`, shared by all threads; which is which says `supervisor/cells.ts`. */
  credits: SharedArrayBuffer;
  /** What all lanes count into; this one into its own stretch. */
  metrics: MetricsMemory;
  /** The accounts of all clients (`policy/rates/`). */
  rates: SharedRates;
  /** What was written lately (`policy/spam/recent-texts.ts`). */
  texts: SharedArrayBuffer;
  /** The processes of plugins (`policy/plugins/roll-call.ts`). */
  processes: SharedArrayBuffer;
  /** Which policy module each lane is in (`policy/plugins/module-watch.ts`). */
  modules: SharedArrayBuffer;
  /** The memory of the filter of stored ids (`storage/id-filter.ts`), once the writer has made it. */
  idFilter: SharedArrayBuffer | null;
  /** Another process owns the database as yet. */
  standby: boolean;
  control: MessagePort;
}

/** A role that a lane plays: it is given the ports of its neighbours and told when to stop. */
export interface Role {
  attach(station: StationName, lane: number, channel: Channel): void;
  /** Takes over what has changed of the options that apply live; all others are as they were. */
  reconfigure(config: Config): void;
  /** A list of keys, from the admin room. */
  takeKeys?(share: KeyShare): void;
  /** Takes the database, or lets go of it; only the writer can. */
  own?(): void;
  release?(): void;
  /** Finishes what it holds and lets go of the database and of other processes. */
  stop(): void | Promise<void>;
}

/** What a worker's main makes: the role, and facts about it for the log of the start. */
export interface Built {
  role: Role;
  facts: LaneFacts;
}

/**
 * Runs a lane for as long as the relay runs: builds its role, reports ready, then obeys the supervisor.
 * The returned promise is the task that piscina watches; a crash of the thread rejects it there.
 */
export async function serveLane(
  task: LaneTask,
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
  const meter = new Meter(task.metrics, task.station, task.lane);
  const orders = new Orders(report);
  const trouble = (text: string, hold: boolean) => report({ t: 'trouble', text, hold });
  const log = new LogGate(
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
          for (const { station, lane, end } of message.links) {
            role.attach(station, lane, new Channel(end));
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

/** What a lane has asked of the whole process. */
export class Orders {
  readonly #report: (message: Report) => void;
  readonly #waiting = new Map<number, (done: Control & { t: 'done' }) => void>();
  #last = 0;

  constructor(report: (message: Report) => void) {
    this.#report = report;
  }

  /** Resolves with the result. @throws Error with a sentence that says why it was not done. */
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
