// Answers of `dashboard`, `connections` and `slow`. Types only, shared with the browser; see
// api.ts.

export type { SlowQuery, TopConnection } from '../../metrics/ring-rows.ts';

/** State of the relay. Rates and latencies cover the last `seconds`. */
export interface Dashboard {
  /** Time at which it was made, in milliseconds since 1970. */
  at: number;
  /** Time span of rates and latencies; 5 to 10, less right after the start. */
  seconds: number;
  process: ProcessFigures;
  health: { healthy: boolean; reason: string };
  /** Setting that tells the relay its own addresses, and the reason; null if none is needed. */
  identityAdvice: string | null;
  /** Setting that makes proxies pass on the addresses of their clients; null if none is needed. */
  proxyAdvice: string | null;
  connections: {
    open: number;
    max: number;
    /** Rate, a second. */
    opened: number;
    refused: number;
    /** Rate of closed connections by reason, a second; only those that are not 0. */
    closed: Record<string, number>;
  };
  subscriptions: number;
  /** Rates, each a second. */
  rates: RateFigures;
  latencies: Latency[];
  queues: Queue[];
  threads: ThreadFigures[];
  storage: StorageFigures;
  /** Work that waits for moderators. */
  waiting: { reported: number; quarantined: number };
  history: History;
}

export interface ProcessFigures {
  pid: number;
  version: string;
  /** Version of Node.js. */
  node: string;
  /** Seconds since 1970. */
  startedAt: number;
  /** Number of busy processors, of `cores`: 1.5 is one and a half. */
  cpu: number;
  cores: number;
  residentBytes: number;
  openFiles: number;
  /** 0 if the system does not tell. */
  openFilesMax: number;
}

export interface RateFigures {
  /** Messages from and to clients by message type; only those that are not 0. */
  received: Record<string, number>;
  sent: Record<string, number>;
  receivedBytes: number;
  sentBytes: number;
  /** Events from clients by outcome: stored, passed, duplicate, refused, failed, quarantined. */
  events: Record<string, number>;
  /** Refusals by rule; only those that are not 0. */
  refusedBy: Record<string, number>;
  /** Limits hit, by limit; only those that are not 0. */
  limits: Record<string, number>;
  /** Live events sent to subscriptions. */
  deliveries: number;
  slowQueries: number;
}

/** Distribution of a latency in seconds; null if nothing was measured. */
export interface Latency {
  /**
   * Name: `ok`, `live`, `eose`, `eose by …` (an index), `count`, `wait ingester`, `parse`,
   * `verify`, `plugin` (all of them in turn), `plugin …` (one by its name), `wait writer`,
   * `commit`, `wait query`, `wait monitor`, `fanout`.
   */
  name: string;
  /** Rate, a second. */
  rate: number;
  mean: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** Bounded queue between threads. */
export interface Queue {
  station: string;
  worker: number;
  used: number;
  max: number;
  unit: 'bytes' | 'events' | 'queries';
}

export interface ThreadFigures {
  station: string;
  worker: number;
  /** Share of the time in which it was busy, 0 … 1. */
  busy: number;
  /** Event loop lag over the last 15 seconds, in seconds. */
  lagP99: number;
  lagMax: number;
  heapBytes: number;
  /** Number since the start. */
  restarts: number;
  /** Time without an answer to the supervisor, in seconds. */
  silence: number;
}

export interface StorageFigures {
  databaseBytes: number;
  /** Bytes of it in free pages. */
  freeBytes: number;
  walBytes: number;
  diskFreeBytes: number;
  /** Number of stored events; null during the first count. */
  events: number | null;
  /** Newest seq of the log, and the last seq that the index covers. */
  head: number;
  indexed: number;
}

/**
 * Samples for charts, oldest first: columns of equal length. All samples are later than `since`; a
 * page appends them and drops those older than `keptSeconds`.
 */
export interface History {
  /** Interval of the samples. */
  stepSeconds: number;
  keptSeconds: number;
  /** Times in milliseconds since 1970, one a sample. */
  at: number[];
  /** Values by the name of the series; null if nothing was measured. */
  series: Record<string, (number | null)[]>;
}
