import type { Config } from '../config/options.ts';
import { canOpen, descriptorLimit, openDescriptors } from '../lib/descriptors.ts';
import { formatCount } from '../lib/format.ts';
import type { Log } from '../lib/log.ts';

/**
 * Descriptors that a thread needs: its event loops, its channels, its connections to the database.
 */
const A_THREAD = 8;
/**
 * Beside the threads at a start: standard streams, the database and its lock, listening sockets.
 */
const BESIDE = 24;
/**
 * Kept free for what opens files now and then: clients of the control socket, lists, plugins, a
 * thread that starts.
 */
const RESERVE = 64;
const A_PLUGIN = 8;
/** A relay that can take fewer sockets than that is of no use. */
const SOCKETS_MIN = 16;

/**
 * Of all sockets a share is for who asks for something (an upgrade included), to be answered 503 at
 * least.
 */
const ASKING_SHARE = 8;
const ASKING_MIN = 8;
const ASKING_MAX = 256;

const LOOK_MILLISECONDS = 250;
/** With fewer than so many free no connection is accepted; with twice as many again. */
const FREE_MIN = 8;

/**
 * Why a start with this limit of descriptors can come to nothing, in a sentence, or null. It is
 * asked before the threads start: one that gets no descriptor ends with a stack.
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
 * How many sockets there is room for: uWebSockets.js, when it gets no descriptor for a connection,
 * tries again without a pause. So there are never as many as the process may open files.
 */
export class DescriptorRoom {
  /** Sockets at once, whatever they are for. */
  readonly sockets: number;
  /** WebSockets at once. */
  readonly connections: number;
  /** Descriptors that the process had without any client. */
  readonly own: number;
  readonly limit: number;
  readonly #reserve: number;

  /** To be made when all threads have started. */
  constructor(config: Config, limit = descriptorLimit(), own = openDescriptors()) {
    this.limit = limit;
    this.own = own;
    this.#reserve = reserve(config);
    this.sockets = Math.max(limit - own - this.#reserve, SOCKETS_MIN);
    const share = Math.floor(this.sockets / ASKING_SHARE);
    this.connections = this.sockets - Math.min(Math.max(share, ASKING_MIN), ASKING_MAX);
  }

  /** The configuration with no more connections than there is room for. */
  bound(config: Config): Config {
    if (config.io.connections_max <= this.connections) return config;
    return { ...config, io: { ...config.io, connections_max: this.connections } };
  }

  /** What the operator should know, or null. */
  advice({ io }: Config): string | null {
    if (io.connections_max <= this.connections) return null;
    const wanted = io.connections_max + ASKING_MAX + this.own + this.#reserve;
    return `this process may open ${formatCount(this.limit)} files, which is enough for ${formatCount(this.connections)} connections and not for io.connections_max = ${formatCount(io.connections_max)}; beyond them clients get HTTP 503. Set LimitNOFILE=${wanted} in the unit, or ulimit -n ${wanted} in the shell`;
  }
}

/**
 * Stops listening while descriptors run out all the same, by this process or on the whole machine.
 */
export class DescriptorWatch {
  readonly #timer: NodeJS.Timeout;
  #paused = false;

  /** `pause` and `resume` listening; `resume` may fail, and is then tried again. */
  constructor(log: Log, pause: () => void, resume: () => Promise<void>) {
    this.#timer = setInterval(() => {
      if (this.#paused) {
        if (!canOpen(FREE_MIN * 2)) return;
        this.#paused = false;
        resume().then(
          () => log.warn('there are file descriptors again: connections are accepted'),
          () => {
            this.#paused = true;
          },
        );
      } else if (!canOpen(FREE_MIN)) {
        this.#paused = true;
        log.error(
          'out of file descriptors: no connections are accepted until there are some again',
        );
        pause();
      }
    }, LOOK_MILLISECONDS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
