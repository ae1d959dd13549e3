// Supervisor of the worker threads. It runs on the main thread, which owns its state: starts the
// workers of all stations, links them by channels, watches them, restarts those that die, and stops
// them in order.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Channel, channelPair } from '../channel/channel.ts';
import type { Config } from '../config/options.ts';
import { present } from '../lib/assert.ts';
import type { Log } from '../log/log.ts';
import type {
  Control,
  Link,
  Order,
  Report,
  StationName,
  WorkerFacts,
} from '../messages/control.ts';
import type { KeyShare } from '../messages/key-lists.ts';
import type { MetricsMemory } from '../metrics/memory.ts';
import { WorkerMeters } from '../metrics/worker-meters.ts';
import { ChildPidTable } from '../policy/plugins/child-pids.ts';
import type { SharedRates } from '../policy/rates/shared-rates.ts';
import { RecentTexts } from '../policy/spam/recent-texts.ts';
import { ModuleGuard } from './module-guard.ts';
import { type ThreadStation, threadStations } from './thread-stations.ts';
import { Threads, threadsAreShared } from './threads.ts';
import type { WorkerTask } from './worker.ts';

/**
 * Order in which stations stop. It follows the path of an event, so that each station has received
 * everything from those before it; the peers worker is a client and stops first; the admin worker
 * stops before the writer, which carries out its requests, and readers of the database before the
 * writer, whose last step removes its log.
 */
const stopOrder: readonly ThreadStation[] = [
  'peers',
  'ingester',
  'plugins',
  'query',
  'sync',
  'admin',
  'writer',
  'monitor',
];

const KIB = 1024;

/**
 * Channels between stations, with the bytes of their rings in both directions. A message that does
 * not fit takes the slower way; the memory is only used as far as it is written to.
 */
const LINKS: readonly (readonly [StationName, StationName, number, number])[] = [
  ['io', 'ingester', 256 * KIB, 256 * KIB],
  ['io', 'writer', KIB, 256 * KIB],
  ['io', 'query', 4 * KIB, 512 * KIB],
  ['io', 'monitor', KIB, 512 * KIB],
  ['io', 'sync', KIB, 1024 * KIB],
  ['ingester', 'writer', 256 * KIB, KIB],
  ['ingester', 'query', 64 * KIB, 4 * KIB],
  ['ingester', 'sync', 64 * KIB, KIB],
  ['ingester', 'plugins', 64 * KIB, 16 * KIB],
  ['writer', 'query', 128 * KIB, KIB],
  ['writer', 'monitor', 512 * KIB, KIB],
  ['writer', 'sync', 128 * KIB, KIB],
  ['query', 'monitor', 128 * KIB, 16 * KIB],
  ['admin', 'writer', 16 * KIB, 16 * KIB],
  ['admin', 'ingester', 16 * KIB, KIB],
  ['admin', 'io', 16 * KIB, 16 * KIB],
  ['admin', 'sync', 16 * KIB, 16 * KIB],
  ['admin', 'peers', KIB, 64 * KIB],
];

const PING_MILLISECONDS = 1_000;

/** Time without an answer after which a worker is reported as unwell. */
const SILENCE_MILLISECONDS = 5_000;

/** Time that a worker's own report of why it cannot start may take. */
const REPORT_MILLISECONDS = 100;

/** Number of restarts of one thread that are allowed within the window; one more ends the relay. */
const RESTARTS_MAX = 5;

const RESTART_WINDOW_MILLISECONDS = 60_000;

/** Callbacks of the supervisor into the relay. */
interface SupervisorHooks {
  /**
   * Passes io's end of a link; called again when the worker at the other end has been restarted.
   */
  attachIo(station: ThreadStation, worker: number, channel: Channel): void;
  /** Reports that a worker that had died is back, and known to all its neighbours. */
  workerBack(station: ThreadStation, worker: number): void;
  /**
   * Carries out a request of a worker to the main process.
   *
   * @throws Error with a sentence for the worker that asked.
   */
  order(order: Order): Promise<unknown>;
  /** Reports that the relay cannot go on. */
  fatal(station: ThreadStation, error: Error): void;
}

interface WorkerState {
  station: ThreadStation;
  worker: number;
  control: MessagePort;
  facts: WorkerFacts;
  task: Promise<unknown>;
  answeredAt: number;
  /** Callbacks for answers to pings, by number of the ping. */
  pings: Map<number, () => void>;
  up: boolean;
  /**
   * Trouble that the worker reports about its surroundings, or ''; `hold` is true if the process
   * must keep running despite it, because only it can reach what is not saved yet.
   */
  trouble: { text: string; hold: boolean };
  /** True once the worker is linked, and known to all neighbours. */
  serves: boolean;
}

/**
 * Supervisor of the workers of all stations: starts, links and watches them, and restarts them when
 * they die.
 *
 * A worker is a piscina task that runs as long as the relay (`threads.ts`); piscina replaces a
 * thread that dies, and rejects its tasks, by which the supervisor learns of it. The hot path never
 * goes through piscina: linked workers communicate over channels.
 */
export class Supervisor {
  #config: Config;
  readonly #credits: SharedArrayBuffer;
  readonly #metrics: MetricsMemory;
  readonly #workerMeters: WorkerMeters;
  readonly #rates: SharedRates;
  /** Latest lists of keys from the admin worker, by list. */
  readonly #keys = new Map<string, KeyShare>();
  readonly #texts = RecentTexts.share();
  readonly #processes = ChildPidTable.share();
  readonly #modules: ModuleGuard;
  readonly #log: Log;
  readonly #hooks: SupervisorHooks;
  readonly #threads: Threads;
  readonly #workers = new Map<string, WorkerState>();
  /** Names of threads that are being restarted with their workers. */
  readonly #starting = new Set<string>();
  readonly #restarts = new Map<string, number[]>();
  #stopping = false;
  #standby = false;
  #pings = 0;
  #pingTimer: NodeJS.Timeout | null = null;

  constructor(
    config: Config,
    credits: SharedArrayBuffer,
    metrics: MetricsMemory,
    rates: SharedRates,
    log: Log,
    hooks: SupervisorHooks,
  ) {
    this.#config = config;
    this.#credits = credits;
    this.#metrics = metrics;
    this.#workerMeters = new WorkerMeters(metrics);
    this.#rates = rates;
    this.#log = log;
    this.#modules = new ModuleGuard(log);
    this.#hooks = hooks;
    this.#threads = new Threads(threadsAreShared(config));
  }

  /**
   * Starts the given number of workers of each station, but not the peers worker (`startPeers`). On
   * standby the database still belongs to another process: the writer waits for `own`, and the
   * admin worker is not started, of which a directory has only one.
   *
   * @throws the error of the first worker that cannot start.
   */
  async start(workers: Readonly<Record<ThreadStation, number>>, standby = false): Promise<void> {
    this.#standby = standby;
    for (const station of threadStations) {
      if (station === 'peers' || (standby && station === 'admin')) continue;
      await this.#startStation(station, workers[station]);
    }
    await this.#heard();
    for (const worker of this.#workerList()) worker.serves = true;
    this.#pingTimer = setInterval(() => this.#ping(), PING_MILLISECONDS);
  }

  async #startStation(station: ThreadStation, count: number): Promise<void> {
    if (count === 0) return;
    const starting = Array.from({ length: count }, (_, worker) =>
      this.#startWorker(station, worker),
    );
    for (const worker of await Promise.all(starting)) this.#link(worker);
  }

  /**
   * Starts the peers worker if it has something to do and none runs. It connects to the relay as a
   * client, so this one has to be listening, and own the database.
   */
  async startPeers(): Promise<void> {
    const { peers, identity } = this.#config;
    const isNeeded = peers.length > 0 || identity.announce;
    if (!isNeeded || this.#workers.has('peers:0')) return;
    await this.#startStation('peers', 1);
    await this.#heard();
    for (const worker of this.#workerList('peers')) worker.serves = true;
  }

  /** Ends the peers worker, so that the relay has one client less. */
  stopPeers(): Promise<void> {
    return this.#stopStation('peers');
  }

  async #stopStation(station: 'admin' | 'peers'): Promise<void> {
    for (const worker of this.#workerList(station)) {
      tell(worker, { t: 'stop' });
      await worker.task.catch(() => {});
      this.#workers.delete(`${station}:${worker.worker}`);
    }
    await this.#threads.close(this.#threads.nameOf(station, 0));
  }

  get #writer(): WorkerState {
    return present(this.#workers.get('writer:0'), 'writer that was started');
  }

  /**
   * Takes the database over, calls `taken`, and starts the admin worker.
   *
   * @throws Error when the writer could not take it.
   */
  async own(taken: () => void): Promise<void> {
    this.#standby = false;
    const writer = this.#writer;
    tell(writer, { t: 'own' });
    await this.#heard();
    if (!writer.up) throw new Error('the writer could not open the database');
    taken();
    await this.#startStation('admin', 1);
    await this.#heard();
    for (const worker of this.#workerList('admin')) worker.serves = true;
  }

  /**
   * Releases the database; resolves when it is free for another process and the writer has stored
   * all its events.
   */
  async release(): Promise<void> {
    this.#standby = true;
    await this.#stopStation('peers');
    await this.#stopStation('admin');
    tell(this.#writer, { t: 'release' });
    await this.#heard();
  }

  /** Returns the facts that a worker reported when it was ready. */
  facts(station: ThreadStation, worker: number): WorkerFacts {
    return this.#workers.get(`${station}:${worker}`)?.facts ?? {};
  }

  /**
   * Returns descriptions of workers that are down or silent or report trouble; empty if there are
   * none.
   */
  unwell(): string[] {
    const troubles = this.#workerList().map(({ trouble }) => trouble.text);
    return [...this.#silent(), ...troubles.filter((text) => text !== '')];
  }

  /** True if all workers answer and one of them needs the process to keep running. */
  get holds(): boolean {
    return this.#silent().length === 0 && this.#workerList().some(({ trouble }) => trouble.hold);
  }

  #silent(): string[] {
    const now = performance.now();
    const found: string[] = [];
    for (const { station, worker, serves, answeredAt } of this.#workers.values()) {
      if (!serves) found.push(`${station} worker ${worker} is restarting`);
      else if (now - answeredAt > SILENCE_MILLISECONDS) {
        const seconds = Math.round((now - answeredAt) / 1000);
        found.push(`${station} worker ${worker} has not answered for ${seconds} seconds`);
      }
    }
    return found;
  }

  /**
   * Gives every worker a new configuration; resolves when all of them apply it. A worker that is
   * starting may have been given the old one, and gets the new one as soon as it is up. The plugin
   * host and the peers worker are started when there is something to do for the first time.
   */
  async reload(config: Config): Promise<void> {
    this.#config = config;
    if (config.plugins.commands.length > 0 && this.#workers.get('plugins:0') === undefined) {
      await this.#startStation('plugins', 1);
    }
    for (const worker of this.#workerList()) tell(worker, { t: 'reload', config });
    await this.#heard();
    for (const worker of this.#workerList('plugins')) worker.serves = worker.up;
    if (!this.#standby) await this.startPeers();
  }

  /**
   * Terminates a worker's thread at once, with all workers in it: for a worker that is blocked in a
   * module, and for tests of restarts. A worker that is being restarted is left alone.
   */
  async kill(station: ThreadStation, worker: number): Promise<void> {
    const thread = this.#threads.nameOf(station, worker);
    if (!this.#starting.has(thread)) await this.#threads.kill(thread);
  }

  /** Stops all workers after they have finished their work and io has read their messages. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#pingTimer) clearInterval(this.#pingTimer);
    for (const station of stopOrder) {
      const workers = this.#workerList(station);
      for (const worker of workers) tell(worker, { t: 'stop' });
      await Promise.allSettled(workers.map(({ task }) => task));
    }
    await twoTurns();
    await this.#threads.closeAll();
  }

  #shareKeys(share: KeyShare): void {
    this.#keys.set(share.list, share);
    for (const worker of this.#workerList('ingester')) tell(worker, share);
  }

  #startWorker(station: ThreadStation, worker: number): Promise<WorkerState> {
    const { port1: control, port2 } = new MessageChannel();
    const config = this.#config;
    const data: WorkerTask = {
      station,
      worker,
      config,
      credits: this.#credits,
      metrics: this.#metrics,
      rates: this.#rates,
      texts: this.#texts,
      processes: this.#processes,
      modules: this.#modules.shared,
      idFilter: (this.facts('writer', 0).idFilter as SharedArrayBuffer | undefined) ?? null,
      standby: this.#standby,
      control: port2,
    };
    const task = this.#threads.run(data, port2);
    return new Promise((resolve, reject) => {
      const started: WorkerState = {
        station,
        worker,
        control,
        facts: {},
        task,
        answeredAt: performance.now(),
        pings: new Map(),
        trouble: { text: '', hold: false },
        up: false,
        serves: false,
      };
      task.catch((error: Error) => {
        if (started.up) this.#died(started, error);
        // The worker's own report of its failure says more, and is in flight.
        else setTimeout(() => reject(error), REPORT_MILLISECONDS);
      });
      control.on('message', (report: Report) => {
        if (report.t === 'failed') {
          const { name, message, fault, code } = report;
          reject(Object.assign(new Error(message), { name, fault, code }));
          return;
        }
        if (report.t === 'order') void this.#order(started, report);
        else if (report.t === 'keys') this.#shareKeys(report);
        else if (report.t === 'trouble') started.trouble = report;
        else if (report.t === 'log')
          this.#log[report.level](report.text, { station, worker, ...report.facts });
        else started.answeredAt = performance.now();
        if (report.t === 'pong') {
          started.pings.get(report.n)?.();
          started.pings.delete(report.n);
        }
        if (report.t !== 'ready') return;
        started.up = true;
        started.facts = report.facts;
        this.#workers.set(`${station}:${worker}`, started);
        if (station === 'ingester') for (const share of this.#keys.values()) tell(started, share);
        if (config !== this.#config) tell(started, { t: 'reload', config: this.#config });
        resolve(started);
      });
      control.unref();
    });
  }

  /**
   * Links a worker with io and with every neighbour that is up. The worker gets all its links
   * before a neighbour gets one, so that it receives no message that it could not pass on.
   */
  #link(worker: WorkerState): void {
    const links: Link[] = [];
    const farEnds: (() => void)[] = [];
    const { station, worker: number } = worker;
    for (const [a, b, there, back] of LINKS) {
      const other = a === station ? b : b === station ? a : null;
      if (other === null) continue;
      for (const linkedWorker of other === 'io' ? [null] : this.#workerList(other)) {
        const [near, end] = a === station ? channelPair(there, back) : channelPair(back, there);
        links.push({ station: other, worker: linkedWorker?.worker ?? 0, end: near });
        farEnds.push(() => {
          if (linkedWorker)
            tell(linkedWorker, { t: 'attach', links: [{ station, worker: number, end }] });
          else this.#hooks.attachIo(station, number, new Channel(end));
        });
      }
    }
    tell(worker, { t: 'attach', links });
    for (const attach of farEnds) attach();
  }

  /** Returns the workers of a station, or of all stations, that are up. */
  #workerList(station?: StationName): WorkerState[] {
    return [...this.#workers.values()].filter(
      (worker) => worker.up && (station === undefined || worker.station === station),
    );
  }

  /**
   * Resolves when every worker has read all earlier control messages, and io has read all messages
   * that the workers sent until then.
   */
  async #heard(): Promise<void> {
    const pings = this.#workerList().map((worker) => {
      const n = ++this.#pings;
      tell(worker, { t: 'ping', n });
      return new Promise<void>((resolve) => {
        worker.pings.set(n, resolve);
        worker.task.catch(() => resolve());
      });
    });
    await Promise.all(pings);
    await twoTurns();
  }

  /** Handles the death of a worker, and with it of all workers that share its thread. */
  #died(worker: WorkerState, error: Error): void {
    if (!worker.up) return;
    const thread = this.#nameOf(worker);
    const dead = this.#workerList().filter((one) => this.#nameOf(one) === thread);
    for (const one of dead) {
      one.up = false;
      one.serves = false;
    }
    if (this.#stopping) return;
    const { station } = worker;
    for (const one of dead) {
      const text = String(error?.stack ?? error);
      this.#log.error('a worker exited', { station: one.station, worker: one.worker, error: text });
    }
    const mayRestart = this.#mayRestart(thread);
    if ((station === 'admin' || station === 'peers') && !mayRestart) {
      // The relay serves events without it; /health reports its absence.
      this.#log.error(`the ${station} worker keeps exiting and is not restarted any more`, {
        station,
      });
      return;
    }
    if (station === 'writer' || !mayRestart) {
      this.#hooks.fatal(station, error);
      return;
    }
    this.#startAgain(thread, dead).catch((reason: Error) => this.#hooks.fatal(station, reason));
  }

  /**
   * Restarts a thread and its workers, in the order of the start, so that no worker is linked
   * before those it sends to.
   */
  async #startAgain(thread: string, dead: readonly WorkerState[]): Promise<void> {
    // One worker may have ended by an error while the others in the thread still run.
    this.#starting.add(thread);
    await this.#threads.kill(thread);
    const again = dead.toSorted((a, b) => orderOf(a.station) - orderOf(b.station));
    const back: WorkerState[] = [];
    for (const { station, worker } of again) {
      this.#workerMeters.restarts(station, worker);
      const started = await this.#startWorker(station, worker);
      this.#link(started);
      back.push(started);
    }
    this.#starting.delete(thread);
    // Until the neighbours know the new worker, messages to the old one are lost.
    await this.#heard();
    for (const started of back) started.serves = started.up;
    for (const { station, worker } of back) this.#hooks.workerBack(station, worker);
  }

  #nameOf({ station, worker }: WorkerState): string {
    return this.#threads.nameOf(station, worker);
  }

  /** Circuit breaker: returns false for a thread that has died too often within the window. */
  #mayRestart(name: string): boolean {
    const now = performance.now();
    const recent = (this.#restarts.get(name) ?? []).filter(
      (at) => now - at < RESTART_WINDOW_MILLISECONDS,
    );
    recent.push(now);
    this.#restarts.set(name, recent);
    return recent.length <= RESTARTS_MAX;
  }

  async #order(worker: WorkerState, { n, order }: Report & { t: 'order' }): Promise<void> {
    try {
      tell(worker, { t: 'done', n, result: await this.#hooks.order(order), error: '' });
    } catch (error) {
      tell(worker, { t: 'done', n, result: null, error: (error as Error).message });
    }
  }

  #ping(): void {
    this.#pings++;
    const now = performance.now();
    for (const worker of this.#workerList()) {
      tell(worker, { t: 'ping', n: this.#pings });
      this.#workerMeters.silent(worker.station, worker.worker, now - worker.answeredAt);
    }
    for (const { worker } of this.#workerList('ingester')) {
      if (this.#modules.isStuck(worker, this.#config)) void this.kill('ingester', worker);
    }
  }
}

function orderOf(station: ThreadStation): number {
  return threadStations.indexOf(station);
}

/**
 * Waits until messages on other ports have been read that a worker sent before its answer: they
 * arrive in this turn of the event loop or the next.
 */
async function twoTurns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function tell({ control }: WorkerState, message: Control): void {
  control.postMessage(
    message,
    message.t === 'attach' ? message.links.map(({ end }) => end.port) : [],
  );
}
