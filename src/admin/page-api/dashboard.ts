/** What `dashboard`, `talkers` and `slow` answer. Types only; see api.ts. */

export type { SlowQuery, Talker } from '../../metrics/ring-rows.ts';

/** How the relay is. Rates and latencies are those of the last `seconds`. */
export interface Dashboard {
  /** When it was made, in milliseconds since 1970. */
  at: number;
  /** The span that rates and latencies are about; 5 to 10, less right after the start. */
  seconds: number;
  process: ProcessFigures;
  health: { healthy: boolean; reason: string };
  /** What to set so that the relay knows its own addresses, and why; null when nothing needs it. */
  identityAdvice: string | null;
  /** What to write so that proxies tell the addresses of their clients; null when nothing is wrong. */
  proxyAdvice: string | null;
  connections: {
    open: number;
    max: number;
    /** A second. */
    opened: number;
    refused: number;
    /** Those that ended, by who or what ended them, a second; only what is not 0. */
    closed: Record<string, number>;
  };
  subscriptions: number;
  /** Everything in them is a second. */
  rates: RateFigures;
  latencies: Latency[];
  queues: Queue[];
  threads: ThreadFigures[];
  storage: StorageFigures;
  /** What waits for people. */
  waiting: { reported: number; quarantined: number };
  history: History;
}

export interface ProcessFigures {
  pid: number;
  version: string;
  /** Of Node.js. */
  node: string;
  /** Seconds since 1970. */
  startedAt: number;
  /** Processors busy, of `cores`: 1.5 is one and a half. */
  cpu: number;
  cores: number;
  residentBytes: number;
  openFiles: number;
  /** 0 where the system does not say. */
  openFilesMax: number;
}

export interface RateFigures {
  /** Messages from and to clients, by their verb; only what is not 0. */
  received: Record<string, number>;
  sent: Record<string, number>;
  receivedBytes: number;
  sentBytes: number;
  /** Events from clients, by what became of them: stored, passed, duplicate, refused, failed, quarantined. */
  events: Record<string, number>;
  /** Refusals by the rule that refused; only what is not 0. */
  refusedBy: Record<string, number>;
  /** Limits hit, by limit; only what is not 0. */
  limits: Record<string, number>;
  /** Live events sent to subscriptions. */
  deliveries: number;
  slowQueries: number;
}

/** How long something took, in seconds; null where nothing happened. */
export interface Latency {
  /** `ok`, `live`, `eose`, `eose by …` (an index), `count`, `wait ingester`, `parse`, `verify`, `plugin` (all of them in turn), `plugin …` (one by its name), `wait writer`, `commit`, `wait query`, `wait monitor`, `fanout`. */
  name: string;
  /** A second. */
  rate: number;
  mean: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** A bounded queue between threads. */
export interface Queue {
  station: string;
  lane: number;
  used: number;
  max: number;
  unit: 'bytes' | 'events' | 'queries';
}

export interface ThreadFigures {
  station: string;
  lane: number;
  /** Share of the time that it was busy, 0 … 1. */
  busy: number;
  /** How late it came to what was due, over the last 15 seconds, in seconds. */
  lagP99: number;
  lagMax: number;
  heapBytes: number;
  /** Since the start. */
  restarts: number;
  /** How long it has not answered the supervisor, in seconds. */
  silence: number;
}

export interface StorageFigures {
  databaseBytes: number;
  /** Of it, in free pages. */
  freeBytes: number;
  walBytes: number;
  diskFreeBytes: number;
  /** Events that are stored; null while they are being counted for the first time. */
  events: number | null;
  /** The newest place in the log, and how far the index behind it has come. */
  head: number;
  indexed: number;
}

/**
 * Samples for charts, oldest first: columns of equal length. All samples are behind `since`; a page adds
 * them to those that it has and forgets what is older than `keptSeconds`.
 */
export interface History {
  /** Between two samples. */
  stepSeconds: number;
  keptSeconds: number;
  /** Milliseconds since 1970, one a sample. */
  at: number[];
  /** By the name of the series; a value may be null where nothing was measured. */
  series: Record<string, (number | null)[]>;
}
