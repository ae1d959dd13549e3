// Dashboard figures as a function of two metrics samples.

import { availableParallelism } from 'node:os';
import { INDEXES } from '../../metrics/label-values.ts';
import type { MetricsDelta, Timing } from '../../metrics/sample.ts';
import type { MetricName } from '../../metrics/table.ts';
import { version } from '../../paths.ts';
import type {
  Dashboard,
  Latency,
  ProcessFigures,
  Queue,
  RateFigures,
  StorageFigures,
  ThreadFigures,
} from '../../web/api/dashboard.ts';

/** Latencies of the dashboard and their histograms. */
const LATENCIES: readonly (readonly [string, MetricName])[] = [
  ['ok', 'wok_ok_seconds'],
  ['live', 'wok_live_seconds'],
  ['eose', 'wok_eose_seconds'],
  ['count', 'wok_count_seconds'],
  ['wait ingester', 'wok_ingester_wait_seconds'],
  ['parse', 'wok_parse_seconds'],
  ['verify', 'wok_verify_seconds'],
  ['plugin', 'wok_plugin_seconds'],
  ['wait writer', 'wok_writer_wait_seconds'],
  ['commit', 'wok_writer_commit_seconds'],
  ['wait query', 'wok_query_wait_seconds'],
  ['wait monitor', 'wok_monitor_wait_seconds'],
  ['fanout', 'wok_fanout_seconds'],
];

/** Queues of the dashboard, with the metrics of their fill and their capacity. */
const QUEUES: readonly (readonly [string, MetricName, MetricName, Queue['unit']])[] = [
  ['ingester', 'wok_ingester_queue_bytes', 'wok_ingester_queue_bytes_max', 'bytes'],
  ['writer', 'wok_writer_queue_events', 'wok_writer_queue_events_max', 'events'],
  ['query', 'wok_queries_running', 'wok_queries_max', 'queries'],
];

/** All metrics that the figures need. */
export const dashboardMetrics: readonly MetricName[] = [
  ...LATENCIES.map(([, name]) => name),
  ...QUEUES.flatMap(([, used, max]) => [used, max]),
  'wok_plugin_answer_seconds',
  'process_start_time_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'wok_connections',
  'wok_connections_max',
  'wok_connections_total',
  'wok_connections_refused_total',
  'wok_connections_closed_total',
  'wok_subscriptions',
  'wok_messages_received_total',
  'wok_messages_sent_total',
  'wok_received_bytes_total',
  'wok_sent_bytes_total',
  'wok_events_total',
  'wok_rule_refusals_total',
  'wok_rate_limit_hits_total',
  'wok_deliveries_total',
  'wok_slow_queries_total',
  'wok_event_loop_busy_seconds_total',
  'wok_event_loop_lag_seconds',
  'wok_thread_heap_bytes',
  'wok_worker_restarts_total',
  'wok_worker_silence_seconds',
  'wok_database_bytes',
  'wok_database_free_bytes',
  'wok_wal_bytes',
  'wok_disk_free_bytes',
  'wok_log_head_seq',
  'wok_log_indexed_seq',
];

/** Figures of a time span that are derived from metrics. */
type Measured = Pick<
  Dashboard,
  | 'seconds'
  | 'process'
  | 'connections'
  | 'subscriptions'
  | 'rates'
  | 'latencies'
  | 'queues'
  | 'threads'
> & { storage: Omit<StorageFigures, 'events'> };

export function measured(found: MetricsDelta): Measured {
  return {
    seconds: found.seconds,
    process: processFigures(found),
    connections: {
      open: found.value('wok_connections'),
      max: found.value('wok_connections_max'),
      opened: found.rate('wok_connections_total'),
      refused: found.rate('wok_connections_refused_total'),
      closed: found.rates('wok_connections_closed_total', 'reason'),
    },
    subscriptions: found.value('wok_subscriptions'),
    rates: rateFigures(found),
    latencies: latencies(found),
    queues: queues(found),
    threads: threads(found),
    storage: storageFigures(found),
  };
}

function processFigures(found: MetricsDelta): ProcessFigures {
  return {
    pid: process.pid,
    version,
    node: process.version,
    startedAt: Math.round(found.value('process_start_time_seconds')),
    cpu: found.rate('process_cpu_seconds_total'),
    cores: availableParallelism(),
    residentBytes: found.value('process_resident_memory_bytes'),
    openFiles: found.value('process_open_fds'),
    openFilesMax: found.value('process_max_fds'),
  };
}

function rateFigures(found: MetricsDelta): RateFigures {
  return {
    received: found.rates('wok_messages_received_total', 'type'),
    sent: found.rates('wok_messages_sent_total', 'type'),
    receivedBytes: found.rate('wok_received_bytes_total'),
    sentBytes: found.rate('wok_sent_bytes_total'),
    events: found.rates('wok_events_total', 'outcome'),
    refusedBy: found.rates('wok_rule_refusals_total', 'rule'),
    limits: found.rates('wok_rate_limit_hits_total', 'limit'),
    deliveries: found.rate('wok_deliveries_total'),
    slowQueries: found.rate('wok_slow_queries_total'),
  };
}

function latencies(found: MetricsDelta): Latency[] {
  const all = LATENCIES.map(([name, metric]) => latency(name, found.timing(metric)));
  const byIndex = INDEXES.map((index) =>
    latency(`eose by ${index}`, found.timing('wok_eose_seconds', { index })),
  );
  const byPlugin = found
    .labels('wok_plugin_answer_seconds', 'plugin')
    .map((plugin) =>
      latency(`plugin ${plugin}`, found.timing('wok_plugin_answer_seconds', { plugin })),
    );
  return [...all, ...[...byIndex, ...byPlugin].filter(({ rate }) => rate > 0)];
}

function latency(name: string, { rate, mean, p50, p95, p99 }: Timing): Latency {
  return { name, rate, mean, p50, p95, p99 };
}

function queues(found: MetricsDelta): Queue[] {
  return QUEUES.flatMap(([station, used, max, unit]) =>
    workersOf(found, station).map((worker) => ({
      station,
      worker: Number(worker),
      // The writer has one queue for all.
      used: found.value(used, station === 'writer' ? {} : { station, worker }),
      max: found.value(max),
      unit,
    })),
  );
}

/** Returns the running workers of a station. */
function workersOf(found: MetricsDelta, station: string): string[] {
  return found
    .labels('wok_thread_heap_bytes', 'worker', { station })
    .filter((worker) => found.value('wok_thread_heap_bytes', { station, worker }) > 0);
}

function threads(found: MetricsDelta): ThreadFigures[] {
  return found.labels('wok_thread_heap_bytes', 'station').flatMap((station) =>
    workersOf(found, station).map((worker) => {
      const which = { station, worker };
      const lag = (statistic: string) =>
        found.value('wok_event_loop_lag_seconds', { ...which, statistic });
      return {
        station,
        worker: Number(worker),
        busy: Math.min(1, Math.max(0, found.rate('wok_event_loop_busy_seconds_total', which))),
        lagP99: lag('p99'),
        lagMax: lag('max'),
        heapBytes: found.value('wok_thread_heap_bytes', which),
        restarts: found.value('wok_worker_restarts_total', which),
        silence: found.value('wok_worker_silence_seconds', which),
      };
    }),
  );
}

function storageFigures(found: MetricsDelta): Omit<StorageFigures, 'events'> {
  return {
    databaseBytes: found.value('wok_database_bytes'),
    freeBytes: found.value('wok_database_free_bytes'),
    walBytes: found.value('wok_wal_bytes'),
    diskFreeBytes: found.value('wok_disk_free_bytes'),
    head: found.value('wok_log_head_seq'),
    indexed: found.value('wok_log_indexed_seq'),
  };
}
