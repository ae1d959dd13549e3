// Bounds for sockets by the limit of file descriptors, kept by the main thread.

import type { Config } from '../config/options.ts';
import { canOpen, descriptorLimit, openDescriptors } from '../lib/descriptors.ts';
import { formatCount } from '../lib/format.ts';
import type { Log } from '../log/log.ts';

/** Descriptors of a thread: its event loops, its channels, its connections to the database. */
const A_THREAD = 8;
/** Other descriptors at a start: standard streams, the database and its lock, listening sockets. */
const BESIDE = 24;
/**
 * Descriptors kept free for files that are opened at times: clients of the control socket, lists,
 * plugins, a starting thread.
 */
const RESERVE = 64;
const A_PLUGIN = 8;
/** Minimum of sockets for a usable relay. */
const SOCKETS_MIN = 16;

/**
 * Share of all sockets, one in ASKING_SHARE within the bounds below, that is reserved for HTTP
 * requests, upgrades included, so that they are answered at least with 503.
 */
const ASKING_SHARE = 8;
const ASKING_MIN = 8;
const ASKING_MAX = 256;

const LOOK_MILLISECONDS = 250;
/** Free descriptors below which no connection is accepted; accepting resumes at twice as many. */
const FREE_MIN = 8;

/**
 * Returns the reason why a start with this limit of descriptors may fail, as a sentence, or null.
 * Checked before the threads start, because a thread that gets no descriptor ends with a stack
 * trace.
 */
export function tooFewDescriptors(
  config: Config,
  threads: number,
  limit = descriptorLimit(),
): string | null {
  const least = BESIDE + threads * A_THREAD + reserve(config) + SOCKETS_MIN;
  if (limit >= least) return null;
  const wanted = least + ASKING_MAX + config.io.connections_max;
  return `this process may open ${formatCount(limit)} files, and wok needs ${formatCount(least)} and one for each connection; set LimitNOFILE=${wanted} in the unit, or ulimit -n ${wanted} in the shell`;
}

function reserve({ plugins }: Config): number {
  return RESERVE + plugins.commands.length * A_PLUGIN;
}

/**
 * Bounds of sockets for this process. They stay below the limit of open files, because
 * uWebSockets.js retries without a pause if it gets no descriptor for a connection.
 */
export class DescriptorLimit {
  /** Maximum of simultaneous sockets of all kinds. */
  readonly sockets: number;
  /** Maximum of simultaneous WebSockets. */
  readonly connections: number;
  /** Number of descriptors that the process had without any client. */
  readonly own: number;
  readonly limit: number;
  readonly #reserve: number;

  /** Measures the descriptors in use; to be called after all threads have started. */
  constructor(config: Config, limit = descriptorLimit(), own = openDescriptors().length) {
    this.limit = limit;
    this.own = own;
    this.#reserve = reserve(config);
    this.sockets = Math.max(limit - own - this.#reserve, SOCKETS_MIN);
    const share = Math.floor(this.sockets / ASKING_SHARE);
    this.connections = this.sockets - Math.min(Math.max(share, ASKING_MIN), ASKING_MAX);
  }

  /** Returns the configuration with `io.connections_max` lowered to the bound. */
  bound(config: Config): Config {
    if (config.io.connections_max <= this.connections) return config;
    return { ...config, io: { ...config.io, connections_max: this.connections } };
  }

  /** Returns a warning for the operator, or null. */
  advice({ io }: Config): string | null {
    if (io.connections_max <= this.connections) return null;
    const wanted = io.connections_max + ASKING_MAX + this.own + this.#reserve;
    return `this process may open ${formatCount(this.limit)} files, which is enough for ${formatCount(this.connections)} connections and not for io.connections_max = ${formatCount(io.connections_max)}; beyond them clients get HTTP 503. Set LimitNOFILE=${wanted} in the unit, or ulimit -n ${wanted} in the shell`;
  }
}

/** Pauses listening while descriptors run out all the same, in this process or on the machine. */
export class DescriptorWatch {
  readonly #timer: NodeJS.Timeout;
  #paused = false;

  /**
   * @param pause stops listening.
   * @param resume starts listening again; may fail, and is then called again.
   */
  constructor(log: Log, pause: () => void, resume: () => Promise<void>) {
    this.#timer = setInterval(() => {
      if (this.#paused) {
        if (!canOpen(FREE_MIN * 2)) return;
        this.#paused = false;
        resume().then(
          () => log.warn('file descriptors are available again: connections are accepted'),
          () => {
            this.#paused = true;
          },
        );
      } else if (!canOpen(FREE_MIN)) {
        this.#paused = true;
        log.error('out of file descriptors: no connections are accepted until some are free again');
        pause();
      }
    }, LOOK_MILLISECONDS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
