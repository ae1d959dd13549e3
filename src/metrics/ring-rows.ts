/** What the rings of `text-ring.ts` hold, and pages and commands show. Types only. */

/** A connection that sends or receives much, by what passed in the last second. */
export interface Talker {
  connection: number;
  ip: string;
  /** Seconds that it has been open. */
  age: number;
  /** Messages that it sent, and bytes of messages that it sent and received, a second. */
  messages: number;
  bytesIn: number;
  bytesOut: number;
  /** Messages that wait for their answer. */
  inFlight: number;
  subscriptions: number;
}

/** A query that took more work than `metrics.slow_query_milliseconds`. */
export interface SlowQuery {
  /** Seconds since 1970 when it was over. */
  at: number;
  lane: number;
  verb: 'REQ' | 'COUNT';
  connection: number;
  index: string;
  /** What the lane worked on it, and what passed since it came from its socket, in milliseconds. */
  work: number;
  total: number;
  /** What it cost in rows of the index. */
  rows: number;
  /** Events that it sent, or counted. */
  events: number;
  /** What was asked, without the ids, keys and values that were asked for. */
  filters: string;
}
