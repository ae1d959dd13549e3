// Wiring of one relay: io on the main thread, the other stations in worker threads under a
// supervisor.

import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { WriteState } from './channel/write-state.ts';
import { type Reconfiguration, reconfigure } from './config/change.ts';
import { originsOf } from './config/load.ts';
import type { Config } from './config/options.ts';
import { peersIn } from './config/peer-fields.ts';
import type { Connection } from './io/connection.ts';
import { Io } from './io/io.ts';
import type { Health } from './io/listen.ts';
import { systemClock } from './lib/clock.ts';
import type { CountLine } from './log/line-limiter.ts';
import type { Log } from './log/log.ts';
import type { Order, OriginsAnswer } from './messages/control.ts';
import { countLines } from './metrics/counters.ts';
import { PEER_SLOTS, PLUGIN_SLOTS } from './metrics/label-values.ts';
import { cellOf } from './metrics/layout.ts';
import type { MetricsMemory } from './metrics/memory.ts';
import { Meter, shareMetrics } from './metrics/meter.ts';
import { renderMetrics } from './metrics/render.ts';
import { SlotNames } from './metrics/slot-names.ts';
import { watchThread } from './metrics/thread.ts';
import { policyNames } from './policy/plugins/names.ts';
import { logBans } from './policy/rates/ban-log.ts';
import { Rates } from './policy/rates/rates.ts';
import { shareRates } from './policy/rates/shared-rates.ts';
import { HandshakeSweeper } from './service/handshakes.ts';
import { libc } from './service/libc.ts';
import { MemoryTrim } from './service/memory-trim.ts';
import { ReceiveBuffers } from './service/receive-buffers.ts';
import { frameBytes, shareCredits, writeState } from './supervisor/cells.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import type { ThreadStation } from './supervisor/thread-stations.ts';
import { threadsAreShared } from './supervisor/threads.ts';

const STARTED = cellOf('process_start_time_seconds');

const POLL_MILLISECONDS = 5;
/**
 * Part of the deadline that is kept for the clients' side of the closing handshake. A socket that
 * is closed while the client still sends is reset by the kernel, and the client loses what it has
 * not read yet: its last OKs and the close message. uWebSockets.js does not tell when the client
 * has gone.
 */
const CLOSE_FRAMES_MILLISECONDS = 500;

/** Most time to accept the connections that the kernel has completed already. */
const QUEUE_MILLISECONDS = 2_000;
const SEND_AWAY_MILLISECONDS = 50;

/** Most time for the writer to save a database whose file is gone. */
const RESCUE_MILLISECONDS = 600_000;

/** Most time for the workers to end when the deadline has come, or when one has died. */
const WORKERS_END_MILLISECONDS = 1_000;

/** Reason why a relay ended by itself. */
interface Fatal {
  station: ThreadStation;
  error: Error;
}

/**
 * Running relay: io on this thread, the other stations in worker threads.
 *
 * Stations start in the order writer, monitor, query, sync, plugins, ingester, admin, io, so that
 * each finds its neighbours ready, and then peers, which connects as a client. They stop in the
 * order in which an event passes them: peers, io takes no more, then ingester, plugins, query,
 * sync, admin, writer, monitor.
 */
export class Relay {
  /** Promise that resolves when the relay cannot go on by itself; it never rejects. */
  readonly fatal: Promise<Fatal>;
  readonly workers: Readonly<Record<ThreadStation, number>>;
  #config: Config;
  readonly #log: Log;
  readonly #io: Io;
  readonly #supervisor: Supervisor;
  readonly #metrics: MetricsMemory;
  readonly #pluginNames: SlotNames;
  readonly #peerNames: SlotNames;
  readonly #unwatch: () => void;
  readonly #countLine: CountLine;
  readonly #writes: WriteState;
  #sweeper: HandshakeSweeper | null = null;
  #receiveBuffers: ReceiveBuffers | null = null;
  #trim: MemoryTrim | null = null;
  #down = '';
  #reloading: Promise<unknown> = Promise.resolve();
  /** Executes a request of the control socket to the process; throws an Error with a sentence. */
  onOrder: (order: Exclude<Order, 'health' | 'origins'>) => Promise<unknown> = async () => {
    throw new Error('this relay does not support process requests');
  };

  private constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
    this.workers = workerCounts(config);
    this.#metrics = shareMetrics({ io: 1, ...this.workers, plugins: 1, peers: 1, admin: 1 });
    this.#pluginNames = new SlotNames(this.#metrics.plugins, PLUGIN_SLOTS);
    this.#peerNames = new SlotNames(this.#metrics.peers, PEER_SLOTS);
    this.#nameSlots(config);
    const meter = new Meter(this.#metrics, 'io', 0);
    // Set once: a value that wavers looks like a restart to Prometheus.
    meter.set(STARTED, performance.timeOrigin / 1000);
    this.#unwatch = watchThread(meter);
    this.#countLine = countLines(meter);
    const credits = shareCredits(this.workers.ingester);
    this.#writes = writeState(credits);
    const rates = shareRates(config.rates.accounts_max);
    const own = new Rates(config, rates, systemClock, logBans(log, config));
    this.#io = new Io(config, log, this.#metrics, meter, own, () => this.health());
    let fatal: (why: Fatal) => void;
    this.fatal = new Promise((resolve) => {
      fatal = resolve;
    });
    this.#supervisor = new Supervisor(config, credits, this.#metrics, rates, log, {
      attachIo: (station, worker, channel) => {
        const bytes = station === 'ingester' ? frameBytes(credits, worker) : null;
        bytes?.reset();
        this.#io.attach(station, worker, channel, bytes);
      },
      order: async (order) => {
        if (order === 'health') return this.health();
        return order === 'origins' ? this.origins : this.onOrder(order);
      },
      workerBack: (station, worker) => this.#workerBack(station, worker),
      fatal: (station, error) => {
        this.#down = `the ${station} worker exited`;
        fatal({ station, error });
      },
    });
  }

  /**
   * Starts a relay and resolves when it takes connections. One that takes over from another process
   * on its port answers queries at once; events to store wait until it is told to `own` the
   * database.
   *
   * @throws StorageError, NativeModuleError, ListenError
   */
  static async start(config: Config, log: Log, predecessorPort = 0): Promise<Relay> {
    const relay = new Relay(config, log);
    try {
      await relay.#supervisor.start(relay.workers, predecessorPort !== 0);
      await relay.#io.listen(predecessorPort);
      if (predecessorPort === 0) await relay.#supervisor.startPeers();
      relay.#boundReceiveBuffers();
      relay.#watchHandshakes();
      relay.#giveMemoryBack();
    } catch (error) {
      await relay.#supervisor.stop();
      relay.#io.destroy();
      throw error;
    }
    return relay;
  }

  /**
   * Starts a relay that takes connections by the local socket only, for a command that brings
   * events in while no relay runs.
   *
   * @throws StorageError, NativeModuleError, or an Error if there can be no local socket.
   */
  static async startLocally(config: Config, log: Log): Promise<Relay> {
    const relay = new Relay(config, log);
    try {
      await relay.#supervisor.start(relay.workers, false);
      const problem = await relay.#io.listenLocally();
      if (problem !== null) throw problem;
    } catch (error) {
      await relay.#supervisor.stop();
      relay.#io.destroy();
      throw error;
    }
    return relay;
  }

  /** Counter of the lines of the main thread's log. */
  get countLine(): CountLine {
    return this.#countLine;
  }

  /** Port that the relay listens on. */
  get port(): number {
    return this.#io.port;
  }

  /** True if clients come by wss. */
  get encrypted(): boolean {
    return this.#io.encrypted;
  }

  get counters(): Io['counters'] {
    return this.#io.counters;
  }

  /** Returns all current metrics in the Prometheus text format. */
  metricsText(): string {
    return renderMetrics(this.#metrics);
  }

  /** Signature backend in use, and what it is made of. */
  get signatures(): { name: string; detail: string } {
    const { signatures, detail } = this.#supervisor.facts('ingester', 0);
    return { name: String(signatures), detail: String(detail) };
  }

  health(): Health {
    const dead = this.#down === '' ? this.#supervisor.unwell() : [this.#down];
    const { trouble } = this.#writes;
    const reasons = trouble === '' ? dead : [...dead, `new events are refused: ${trouble}`];
    return {
      healthy: reasons.length === 0,
      alive: dead.length === 0,
      reason: reasons.join('; ') || 'ok',
    };
  }

  /** True if the unhealthy process must not be ended: only it can reach what is not saved yet. */
  get holds(): boolean {
    return this.#down === '' && this.#supervisor.holds;
  }

  /**
   * Applies the options of a new configuration that apply live; resolves when every station works
   * by them. Reloads run one at a time.
   *
   * @throws ConfigError if they conflict with those that need a restart; nothing changes then.
   */
  reload(next: Config): Promise<Reconfiguration> {
    const reloaded = this.#reloading.then(async () => {
      const changes = reconfigure(this.#config, next);
      this.#config = changes.config;
      this.#nameSlots(changes.config);
      // The other stations before io, which tells clients the new numbers (NIP-11).
      await this.#supervisor.reload(changes.config);
      this.#io.reconfigure(changes.config);
      if (this.#sweeper) this.#sweeper.seconds = changes.config.io.handshake_seconds;
      return changes;
    });
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  #nameSlots(config: Config): void {
    this.#pluginNames.use(policyNames(config));
    this.#peerNames.use(peersIn(config.peers).map(({ name }) => name));
  }

  /** Origin of the configuration in effect: its file, and the places of single options. */
  get origins(): OriginsAnswer {
    const { file, options } = originsOf(this.#config);
    return { file, options: Object.fromEntries(options) };
  }

  /** Returns the changes that a reload would make. @throws ConfigError as `reload` does. */
  compare(next: Config): Reconfiguration {
    return reconfigure(this.#config, next);
  }

  /**
   * Takes the database over; calls `taken` when that is done, and resolves when the admin and peers
   * workers are open too.
   *
   * @throws Error if the database cannot be taken; the relay is of no use then.
   */
  async own(taken: () => void = () => {}): Promise<void> {
    await this.#supervisor.own(taken);
    await this.#supervisor.startPeers();
  }

  /**
   * Releases the database for a successor, when all that the writer had is stored and answered.
   * From then on events are answered with an error, queries as before.
   */
  release(): Promise<void> {
    return this.#supervisor.release();
  }

  /**
   * Asks the clients to reconnect to the successor, spread over `shutdown.handover_seconds`.
   * `steered`: the successor gets all new connections; this process then accepts what is still in
   * its queue.
   */
  async disconnectClients(steered: boolean): Promise<void> {
    const seconds = this.#config.shutdown.handover_seconds;
    const start = performance.now();
    const end = start + seconds * 1000;
    const stopListening = start + (steered ? Math.min(QUEUE_MILLISECONDS, seconds * 500) : 0);
    let left = this.#io.disconnectClients(0, '');
    for (let now = start; now < end && !(left === 0 && now > stopListening); ) {
      if (now >= stopListening) this.#io.stopListening();
      const ticksLeft = Math.max(1, (end - now) / SEND_AWAY_MILLISECONDS);
      left = this.#io.disconnectClients(
        Math.ceil(left / ticksLeft),
        'the relay was restarted; reconnect',
      );
      await delay(SEND_AWAY_MILLISECONDS);
      now = performance.now();
    }
    this.#io.disconnectClients(Number.POSITIVE_INFINITY, 'the relay was restarted; reconnect');
  }

  /**
   * Ends a thread at once, with all workers that run in it, for tests of what happens then.
   */
  kill(station: ThreadStation, worker: number): Promise<void> {
    return this.#supervisor.kill(station, worker);
  }

  /**
   * Takes nothing new, answers what was taken, stores what the writer holds, and closes the sockets
   * with 1001, all within `shutdown.deadline_seconds`. A writer that saves a lost database
   * (`holds`) gets `RESCUE_MILLISECONDS` instead.
   */
  async stop(): Promise<void> {
    const deadline = performance.now() + this.#config.shutdown.deadline_seconds * 1000;
    const timeLeft = () => deadline - performance.now();
    await within(this.#supervisor.stopPeers(), WORKERS_END_MILLISECONDS);
    this.#io.stopIntake();
    while (this.#io.unanswered > 0 && timeLeft() > CLOSE_FRAMES_MILLISECONDS) {
      await delay(POLL_MILLISECONDS);
    }
    if (this.#io.unanswered > 0) {
      this.#log.warn('shutdown deadline reached before all messages were answered', {
        unanswered: this.#io.unanswered,
      });
    }
    await this.#end(Math.max(timeLeft(), WORKERS_END_MILLISECONDS));
  }

  /** Ends what is left after `fatal`, without waiting for answers that cannot come. */
  async abandon(): Promise<void> {
    this.#io.stopIntake();
    await this.#end(WORKERS_END_MILLISECONDS);
  }

  async #end(workersMilliseconds: number): Promise<void> {
    const milliseconds = this.holds ? RESCUE_MILLISECONDS : workersMilliseconds;
    await within(this.#supervisor.stop(), milliseconds);
    if (this.#io.close() > 0) await delay(CLOSE_FRAMES_MILLISECONDS);
    this.#sweeper?.stop();
    this.#receiveBuffers?.stop();
    this.#trim?.stop();
    this.#io.destroy();
    this.#unwatch();
  }

  #boundReceiveBuffers(): void {
    const c = libc();
    const { io } = this.#config;
    if (c === null || io.receive_buffer_bytes === 0) return;
    const receiveBuffers = new ReceiveBuffers(c, this.#io, {
      start: Math.min(io.receive_buffer_start_bytes, io.receive_buffer_bytes),
      normal: io.receive_buffer_bytes,
      flooding: Math.min(io.receive_buffer_flood_bytes, io.receive_buffer_bytes),
    });
    this.#io.onLongTurn(() => receiveBuffers.longTurn());
    this.#receiveBuffers = receiveBuffers;
  }

  #giveMemoryBack(): void {
    const c = libc();
    if (c !== null) this.#trim = new MemoryTrim(c);
  }

  #watchHandshakes(): void {
    const c = libc();
    const seconds = this.#config.io.handshake_seconds;
    if (c !== null) this.#sweeper = new HandshakeSweeper(c, this.#io, seconds);
    else if (seconds > 0) {
      this.#log.warn(
        'without the npm package koffi on Linux, silent connections are closed after 8 to 12 seconds, by uWebSockets.js',
      );
    }
  }

  /**
   * Closes the connections that had state in a worker that died, so that their clients reconnect.
   */
  #workerBack(station: ThreadStation, worker: number): void {
    const concerns: Record<ThreadStation, (connection: Connection) => boolean> = {
      ingester: ({ id }) => id % this.workers.ingester === worker,
      query: ({ id }) => id % this.workers.query === worker,
      monitor: ({ subscribed }) => subscribed,
      writer: () => false,
      sync: ({ inFlight }) => inFlight > 0,
      plugins: () => false,
      admin: () => false,
      peers: () => false,
    };
    const reason = 'a worker of the relay was restarted; reconnect';
    const closed = this.#io.closeConnections(concerns[station], reason);
    this.#log.warn('a worker was restarted', { station, worker, connectionsClosed: closed });
  }
}

/** Returns the number of workers of each station, as configured or by the usable cores. */
export function workerCounts(config: Config): Readonly<Record<ThreadStation, number>> {
  const cores = availableParallelism();
  const ingester = config.ingester.workers || Math.min(Math.max(cores - 1, 1), 16);
  const ownQuery = Math.min(Math.max(Math.floor(cores / 2), 1), 8);
  return {
    ingester,
    writer: 1,
    query: config.query.workers || (threadsAreShared(config) ? ingester : ownQuery),
    monitor: 1,
    sync: config.negentropy.enabled ? 1 : 0,
    plugins: config.plugins.commands.length > 0 ? 1 : 0,
    admin: 1,
    peers: config.peers.length > 0 || config.identity.announce ? 1 : 0,
  };
}

/**
 * Resolves with the promise, or after so many milliseconds; leaves no timer behind that would keep
 * the process alive.
 */
async function within(promise: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, patience]);
  clearTimeout(timer);
}
