// Messages between the supervisor and every worker thread, on its control port. It holds no state.

import type { ChannelEnd } from '../channel/channel.ts';
import type { KeyShare } from './key-lists.ts';

/** Names of the six stations, and of plugin host, admin and peers worker beside the data path. */
export type StationName =
  | 'io'
  | 'ingester'
  | 'writer'
  | 'query'
  | 'monitor'
  | 'sync'
  | 'plugins'
  | 'admin'
  | 'peers';

/** One end of a link, and the worker at the other end. */
export interface Link {
  station: StationName;
  worker: number;
  end: ChannelEnd;
}

/**
 * Message of the supervisor to a worker thread. A worker that starts is given all of its links at
 * once. After `reload`, the answer to a ping means that the new configuration is in effect.
 */
export type Control =
  | { t: 'attach'; links: Link[] }
  | { t: 'ping'; n: number }
  | { t: 'reload'; config: import('../config/options.ts').Config }
  /** The writer takes the database over from another process (`own`), or releases it for one. */
  | { t: 'own' }
  | { t: 'release' }
  /** Outcome of an order: its result, or the error. */
  | { t: 'done'; n: number; result: unknown; error: string }
  | KeyShare
  | { t: 'stop' };

/** Data that a worker reports when it is ready. */
export type WorkerFacts = Record<string, string | number | SharedArrayBuffer>;

/**
 * Order of a worker that concerns the whole process: `reload` reads the configuration again,
 * `restart` starts a successor, `compare` tells what a reload would change, `origins` tells where
 * the values in effect come from (by option, without those that have their default), `health` tells
 * if the relay is well (`Health` in `io/listen.ts`).
 */
export type Order = 'reload' | 'restart' | 'compare' | 'origins' | 'health';

/** Answer to `origins`. */
export interface OriginsAnswer {
  /** Configuration file in effect, absolute; null if there is none. */
  readonly file: string | null;
  /** Source of each option that does not have its default: `relay.conf line 3`, `--port`. */
  readonly options: Readonly<Record<string, string>>;
}

/** Messages of a worker to the supervisor. */
export type Report =
  | { t: 'order'; n: number; order: Order }
  | { t: 'ready'; facts: WorkerFacts }
  /** Error for which the worker cannot start: structured clone would lose its name and fields. */
  | { t: 'failed'; name: string; message: string; fault?: string; code?: string }
  | { t: 'pong'; n: number }
  /** Trouble outside of the thread itself, or ''; `hold`: the process should not be ended now. */
  | { t: 'trouble'; text: string; hold: boolean }
  /** List of keys for all ingester workers, those that start later included. */
  | KeyShare
  | {
      t: 'log';
      level: 'debug' | 'info' | 'warn' | 'error';
      text: string;
      facts: Record<string, unknown>;
    };
