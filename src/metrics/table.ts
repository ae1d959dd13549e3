// Table of all metrics of wok, the only one: docs/metrics.md, the exposition, and the checks of
// dashboards and alert rules are made from it. To add a metric, add a row; a station counts into it
// by `Meter` and the cells of `layout.ts`. Names follow Prometheus: prefix `wok_`, base units
// (seconds, bytes) as suffix, `_total` for counters; `process_` for what every exporter calls so.

import { ruleNames } from '../config/rule-names.ts';
import { spamParts } from '../config/spam-signals.ts';
import { version } from '../paths.ts';
import * as values from './label-values.ts';
import { countingStations, type Metric } from './types.ts';

/** Bucket bounds in seconds, from a small step of a thread to a delay that a person notices. */
const LATENCIES = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];
/** Bucket bounds in seconds for steps done for each message: from microseconds on. */
const STEPS = [
  0.000005, 0.00001, 0.00002, 0.00004, 0.00008, 0.00016, 0.00032, 0.00064, 0.00128, 0.005, 0.02,
];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Metrics by name. */
export const metrics = {
  wok_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels are the versions of wok and Node.js.',
    by: ['admin'],
    labels: { version: [version], node: [process.version] },
  },
  process_start_time_seconds: {
    type: 'gauge',
    help: 'Start time of the process, in seconds since 1970.',
    by: ['io'],
  },
  process_cpu_seconds_total: {
    type: 'counter',
    help: 'Processor time of all threads, user and system.',
    by: ['admin'],
  },
  process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Memory in use (resident).',
    by: ['admin'],
  },
  process_open_fds: { type: 'gauge', help: 'Open file descriptors.', by: ['admin'] },
  process_max_fds: {
    type: 'gauge',
    help: 'Limit of open file descriptors of the process; 0 if unknown.',
    by: ['admin'],
  },

  wok_event_loop_busy_seconds_total: {
    type: 'counter',
    help: 'Time that the event loop of a thread was busy. Its rate is the utilisation of the thread, at most 1. Workers that share a thread (on two processors or fewer) have the same value.',
    by: countingStations,
    per: 'worker',
  },
  wok_event_loop_lag_seconds: {
    type: 'gauge',
    help: 'Event loop lag of a thread over the last 15 seconds.',
    by: countingStations,
    labels: { statistic: values.LAG_STATISTICS },
    per: 'worker',
  },
  wok_thread_heap_bytes: {
    type: 'gauge',
    help: 'JavaScript heap in use by a thread.',
    by: countingStations,
    per: 'worker',
  },
  wok_worker_restarts_total: {
    type: 'counter',
    help: 'Restarts of workers whose thread exited.',
    by: countingStations,
    per: 'worker',
  },
  wok_worker_silence_seconds: {
    type: 'gauge',
    help: 'How long a worker has not answered the supervisor, which pings every second.',
    by: countingStations,
    per: 'worker',
  },
  wok_log_lines_total: {
    type: 'counter',
    help: 'Log lines, including those left out by the rate limit of the log.',
    by: countingStations,
    labels: { level: values.LOG_LEVELS },
  },
  wok_log_lines_left_out_total: {
    type: 'counter',
    help: 'Log lines left out by the rate limit of the log (60 a minute for equal lines of a thread).',
    by: countingStations,
  },

  wok_connections: { type: 'gauge', help: 'Open WebSocket connections.', by: ['io'] },
  wok_connections_max: {
    type: 'gauge',
    help: 'Maximum number of WebSocket connections: io.connections_max, or fewer if the limit of open files is too low.',
    by: ['io'],
  },
  wok_connections_total: { type: 'counter', help: 'WebSocket connections opened.', by: ['io'] },
  wok_connections_refused_total: {
    type: 'counter',
    help: 'WebSocket connections refused before the handshake.',
    by: ['io'],
    labels: { reason: values.ADMISSION_REASONS },
  },
  wok_clients_without_address_total: {
    type: 'counter',
    help: 'WebSocket handshakes and management requests through a reverse proxy that did not send the address of the client; they are exempt from rates and bans.',
    by: ['io'],
    labels: { fault: values.PROXY_FAULTS },
  },
  wok_connections_closed_total: {
    type: 'counter',
    help: 'WebSocket connections closed, by reason.',
    by: ['io'],
    labels: { reason: values.CLOSE_REASONS },
  },
  wok_connection_duration_seconds: {
    type: 'histogram',
    help: 'Duration of connections.',
    by: ['io'],
    buckets: [1, 10, 60, 300, 1800, 7200, 28_800, 86_400],
  },
  wok_http_requests_total: {
    type: 'counter',
    help: 'HTTP requests other than WebSocket handshakes.',
    by: ['io'],
    labels: { resource: values.HTTP_RESOURCES },
  },
  wok_received_bytes_total: {
    type: 'counter',
    help: 'Bytes of messages from clients, uncompressed, without the frames around them.',
    by: ['io'],
  },
  wok_sent_bytes_total: {
    type: 'counter',
    help: 'Bytes of messages to clients, uncompressed, without the frames around them.',
    by: ['io'],
  },
  wok_messages_received_total: {
    type: 'counter',
    help: 'Messages from clients that an ingester processed.',
    by: ['ingester'],
    labels: { type: values.CLIENT_MESSAGE_TYPES },
  },
  wok_messages_sent_total: {
    type: 'counter',
    help: 'Messages to clients.',
    by: ['io'],
    labels: { type: values.RELAY_MESSAGE_TYPES },
  },
  wok_rate_limit_hits_total: {
    type: 'counter',
    help: 'Messages refused because a queue was full or a rate was exceeded.',
    by: ['io', 'ingester', 'query'],
    labels: { limit: values.LIMITS },
  },

  wok_ingester_queue_bytes: {
    type: 'gauge',
    help: 'Queue of an ingester worker: bytes of its messages, and 512 for each.',
    by: ['ingester'],
    per: 'worker',
  },
  wok_ingester_queue_bytes_max: {
    type: 'gauge',
    help: 'Maximum of the queue of an ingester worker.',
    by: ['admin'],
  },
  wok_ingester_wait_seconds: {
    type: 'histogram',
    help: 'Time from the socket to the ingester, for the first message of each batch.',
    by: ['ingester'],
    buckets: LATENCIES,
  },
  wok_ingester_batch_messages: {
    type: 'histogram',
    help: 'Messages that an ingester worker received in one batch.',
    by: ['ingester'],
    buckets: SIZES,
  },
  wok_parse_seconds: {
    type: 'histogram',
    help: 'Time to parse a message.',
    by: ['ingester'],
    buckets: STEPS,
  },
  wok_verify_seconds: {
    type: 'histogram',
    help: 'Time to verify a signature.',
    by: ['ingester'],
    buckets: STEPS,
  },
  wok_plugin_seconds: {
    type: 'histogram',
    help: 'Time of all plugins and policy modules together for one event.',
    by: ['ingester'],
    buckets: LATENCIES,
  },
  wok_plugin_answer_seconds: {
    type: 'histogram',
    help: 'Time of one plugin or policy module, until its answer or the timeout.',
    by: ['plugins', 'ingester'],
    labels: { plugin: values.PLUGIN_SLOTS },
    buckets: LATENCIES,
  },
  wok_policy_results_total: {
    type: 'counter',
    help: 'Results of plugins and policy modules for events.',
    by: ['ingester'],
    labels: { result: values.POLICY_RESULTS },
  },
  wok_events_total: {
    type: 'counter',
    help: 'Events from clients, by outcome; the class is none where there is no event.',
    by: ['ingester', 'writer'],
    labels: { class: values.EVENT_CLASSES, outcome: values.EVENT_OUTCOMES },
  },
  wok_events_accepted_total: {
    type: 'counter',
    help: 'Events stored or delivered, by kind.',
    by: ['writer'],
    labels: { kind: values.KINDS },
  },
  wok_refusals_total: {
    type: 'counter',
    help: 'Refusals, by what was refused and the machine-readable prefix of the answer.',
    by: ['ingester', 'writer', 'query', 'sync', 'io'],
    labels: { of: values.REFUSED, prefix: values.REFUSAL_PREFIXES },
  },

  wok_rule_refusals_total: {
    type: 'counter',
    help: 'Events refused before the writer, by the rule that refused them.',
    by: ['ingester'],
    labels: { rule: ruleNames },
  },
  wok_spam_results_total: {
    type: 'counter',
    help: 'Results of the spam stage for events, also while it only observes.',
    by: ['ingester'],
    labels: { result: values.SPAM_RESULTS },
  },
  wok_spam_parts_total: {
    type: 'counter',
    help: 'Parts of the spam score that gave points.',
    by: ['ingester'],
    labels: { part: spamParts },
  },
  wok_plugin_failures_total: {
    type: 'counter',
    help: 'Faults of plugin processes, which were restarted; and requests that waited too long for a busy process.',
    by: ['plugins'],
    labels: { why: values.PLUGIN_FAILURES },
  },
  wok_plugin_circuit_open: {
    type: 'gauge',
    help: 'Plugins whose circuit breaker is open because they failed repeatedly.',
    by: ['plugins'],
  },
  wok_plugin_waiting_events: {
    type: 'gauge',
    help: 'Events that wait for plugins or policy modules.',
    by: ['ingester'],
    per: 'worker',
  },

  wok_peer_live: {
    type: 'gauge',
    help: 'Whether a relay of [[peers]] is connected and exchanges live events (1) or not (0).',
    by: ['peers'],
    labels: { peer: values.PEER_SLOTS },
  },
  wok_peer_lag_seconds: {
    type: 'gauge',
    help: 'Time since all events of a peer were known to be exchanged; 0 while it is live and its gap is repaired.',
    by: ['peers'],
    labels: { peer: values.PEER_SLOTS },
  },
  wok_peer_missing_events: {
    type: 'gauge',
    help: 'Events that the last comparison with a peer found missing, here or there.',
    by: ['peers'],
    labels: { peer: values.PEER_SLOTS, side: values.PEER_SIDES },
  },
  wok_peer_events_total: {
    type: 'counter',
    help: 'Events of a peer that were offered to this relay (down) and own ones that were offered to it (up), by result.',
    by: ['peers'],
    labels: {
      peer: values.PEER_SLOTS,
      direction: values.PEER_DIRECTIONS,
      result: values.PEER_RESULTS,
    },
  },
  wok_peer_bytes_total: {
    type: 'counter',
    help: 'Bytes of these events.',
    by: ['peers'],
    labels: { peer: values.PEER_SLOTS, direction: values.PEER_DIRECTIONS },
  },
  wok_peer_failures_total: {
    type: 'counter',
    help: 'Connections to a peer that failed or ended.',
    by: ['peers'],
    labels: { peer: values.PEER_SLOTS },
  },

  wok_writer_queue_events: {
    type: 'gauge',
    help: 'Events that wait for the writer.',
    by: ['writer'],
  },
  wok_writer_queue_events_max: {
    type: 'gauge',
    help: 'Maximum of the queue of the writer.',
    by: ['admin'],
  },
  wok_writer_wait_seconds: {
    type: 'histogram',
    help: 'Time from the socket to the writer, for the first event of each batch.',
    by: ['writer'],
    buckets: LATENCIES,
  },
  wok_writer_batch_events: {
    type: 'histogram',
    help: 'Events per transaction.',
    by: ['writer'],
    buckets: SIZES,
  },
  wok_writer_transaction_seconds: {
    type: 'histogram',
    help: 'Time of a transaction, including the commit.',
    by: ['writer'],
    buckets: LATENCIES,
  },
  wok_writer_commit_seconds: {
    type: 'histogram',
    help: 'Time of the commit alone: the latency of the disk.',
    by: ['writer'],
    buckets: LATENCIES,
  },
  wok_writer_index_seconds: {
    type: 'histogram',
    help: 'Time to write one batch of events into the index.',
    by: ['writer'],
    buckets: LATENCIES,
  },
  wok_writer_failures_total: {
    type: 'counter',
    help: 'Transactions that failed and were rolled back.',
    by: ['writer'],
  },
  wok_database_files_lost: {
    type: 'gauge',
    help: 'Files of the database were removed, replaced or truncated while it is open (1), so that new events are refused; 0 otherwise.',
    by: ['writer'],
  },
  wok_ok_seconds: {
    type: 'histogram',
    help: 'Publish latency: from the socket to OK, for events that reached the writer.',
    by: ['writer'],
    buckets: LATENCIES,
  },
  wok_events_removed_total: {
    type: 'counter',
    help: 'Stored events that were removed.',
    by: ['writer'],
    labels: { reason: values.REMOVALS },
  },
  wok_log_head_seq: { type: 'gauge', help: 'Newest seq of the event log.', by: ['writer'] },
  wok_log_indexed_seq: {
    type: 'gauge',
    help: 'Newest seq that the index contains.',
    by: ['writer'],
  },

  wok_database_bytes: { type: 'gauge', help: 'Size of the database file.', by: ['admin'] },
  wok_database_free_bytes: {
    type: 'gauge',
    help: 'Free pages inside the database file.',
    by: ['admin'],
  },
  wok_wal_bytes: { type: 'gauge', help: 'Size of the write-ahead log.', by: ['admin'] },
  wok_disk_free_bytes: {
    type: 'gauge',
    help: 'Free space on the file system of the database.',
    by: ['admin'],
  },

  wok_query_wait_seconds: {
    type: 'histogram',
    help: 'Time from the socket to the first slice of a query.',
    by: ['query'],
    buckets: LATENCIES,
  },
  wok_eose_seconds: {
    type: 'histogram',
    help: 'Query latency: from the socket to EOSE, by the index that answered. Includes the time of slow clients.',
    by: ['query'],
    labels: { index: values.INDEXES },
    buckets: LATENCIES,
  },
  wok_count_seconds: {
    type: 'histogram',
    help: 'COUNT latency: from the socket to the answer, by the index that answered.',
    by: ['query'],
    labels: { index: values.INDEXES },
    buckets: LATENCIES,
  },
  wok_query_work_seconds_total: {
    type: 'counter',
    help: 'Time that query workers spent on finished queries, by the index that answered.',
    by: ['query'],
    labels: { index: values.INDEXES },
  },
  wok_query_rows_total: {
    type: 'counter',
    help: 'Cost of queries in index rows (a body counts 5, a list 25), by the index that answered.',
    by: ['query'],
    labels: { index: values.INDEXES },
  },
  wok_query_events_total: {
    type: 'counter',
    help: 'Stored events sent for queries.',
    by: ['query'],
  },
  wok_slow_queries_total: {
    type: 'counter',
    help: 'Queries that took more work than metrics.slow_query_milliseconds.',
    by: ['query'],
  },
  wok_queries_waiting: {
    type: 'gauge',
    help: 'Queries that wait for a slice of their query worker.',
    by: ['query'],
    per: 'worker',
  },
  wok_queries_running: {
    type: 'gauge',
    help: 'Unfinished queries of a query worker, without those that wait for their client.',
    by: ['query'],
    per: 'worker',
  },
  wok_queries_max: {
    type: 'gauge',
    help: 'Maximum number of queries of a query worker.',
    by: ['admin'],
  },
  wok_query_tail_events: {
    type: 'gauge',
    help: 'Events in the memory of a query worker that are not indexed yet.',
    by: ['query'],
    per: 'worker',
  },

  wok_subscriptions: {
    type: 'gauge',
    help: 'Open subscriptions, including those that are still receiving stored events.',
    by: ['io'],
  },
  wok_deliveries_total: {
    type: 'counter',
    help: 'Live events sent to subscriptions.',
    by: ['monitor'],
  },
  wok_monitor_wait_seconds: {
    type: 'histogram',
    help: 'Time from the socket to monitor, including the commit, for the first event of each batch.',
    by: ['monitor'],
    buckets: LATENCIES,
  },
  wok_monitor_batch_events: {
    type: 'histogram',
    help: 'Accepted events that monitor received in one batch.',
    by: ['monitor'],
    buckets: SIZES,
  },
  wok_fanout_seconds: {
    type: 'histogram',
    help: 'Time to match one batch of accepted events with all live subscriptions.',
    by: ['monitor'],
    buckets: LATENCIES,
  },
  wok_live_seconds: {
    type: 'histogram',
    help: 'Delivery latency: from the socket of the author to the delivery, for each accepted event.',
    by: ['monitor'],
    buckets: LATENCIES,
  },
  wok_monitor_behind_total: {
    type: 'counter',
    help: 'Subscriptions that missed more events than monitor keeps and caught up through their query worker.',
    by: ['monitor'],
  },

  wok_sync_sessions: {
    type: 'gauge',
    help: 'Open negentropy sessions (NIP-77).',
    by: ['sync'],
  },
  wok_sync_sessions_opened_total: {
    type: 'counter',
    help: 'Negentropy sessions that were opened.',
    by: ['sync'],
  },
  wok_sync_session_bytes: {
    type: 'gauge',
    help: 'Memory of the events of all negentropy sessions, at most negentropy.memory_bytes_max.',
    by: ['sync'],
  },
  wok_sync_tree_events: {
    type: 'gauge',
    help: 'Events in the set that negentropy sessions without conditions compare; 45 bytes each.',
    by: ['sync'],
  },
  wok_sync_events_read_total: {
    type: 'counter',
    help: 'Events read into the sets of negentropy sessions.',
    by: ['sync'],
  },
  wok_sync_answer_seconds: {
    type: 'histogram',
    help: 'Time from the socket to the answer of a NEG-OPEN or NEG-MSG.',
    by: ['sync'],
    buckets: LATENCIES,
  },
} as const satisfies Record<string, Metric>;

/** Name of a metric. */
export type MetricName = keyof typeof metrics;

/** Names of the labels of a metric. */
export type LabelName<Name extends MetricName> =
  | ((typeof metrics)[Name] extends { labels: infer L } ? keyof L & string : never)
  | ((typeof metrics)[Name] extends { per: 'worker' } ? 'station' | 'worker' : never);

/** Names of all metrics in the order of the table. */
export const metricNames = Object.keys(metrics) as readonly MetricName[];

/** Returns one row of the table, as the general type. */
export function metricOf(name: MetricName): Metric {
  return metrics[name];
}
