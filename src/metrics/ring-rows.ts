// Rows that the rings of `text-ring.ts` hold, and that pages and commands show. Types only.

/** Top connection: one with much traffic, measured over the last second. */
export interface TopConnection {
  connection: number;
  ip: string;
  /** Age of the connection, in seconds. */
  age: number;
  /**
   * Messages received from it, and bytes of messages received from it and sent to it, per second.
   */
  messages: number;
  bytesIn: number;
  bytesOut: number;
  /** Number of messages without an answer yet. */
  inFlight: number;
  subscriptions: number;
}

/** Query that took more work than `metrics.slow_query_milliseconds`. */
export interface SlowQuery {
  /** Time of its end, in seconds since 1970. */
  at: number;
  worker: number;
  type: 'REQ' | 'COUNT';
  connection: number;
  index: string;
  /**
   * Time that the worker spent on it, and time since it was read from its socket, in milliseconds.
   */
  work: number;
  total: number;
  /** Query cost in rows of the index. */
  rows: number;
  /** Number of events that it sent or counted. */
  events: number;
  /** Shape of the filters, without the ids, keys and values that were asked for. */
  filters: string;
}
