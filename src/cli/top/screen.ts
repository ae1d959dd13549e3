// Text layout of `wok top` and `wok slow`.

import {
  formatBytes,
  formatCount,
  formatMilliseconds,
  formatSeconds,
  formatShare,
} from '../../lib/format.ts';
import { INDEXES } from '../../metrics/label-values.ts';
import type { SlowQuery, TopConnection } from '../../metrics/ring-rows.ts';
import type { MetricsDelta, Timing } from '../../metrics/sample.ts';
import type { MetricName } from '../../metrics/table.ts';

/** Names of the metrics that `wok top` reads. */
export const shownMetrics: readonly MetricName[] = [
  'process_start_time_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'wok_connections',
  'wok_connections_max',
  'wok_connections_total',
  'wok_connections_closed_total',
  'wok_connections_refused_total',
  'wok_subscriptions',
  'wok_messages_received_total',
  'wok_messages_sent_total',
  'wok_received_bytes_total',
  'wok_sent_bytes_total',
  'wok_events_total',
  'wok_refusals_total',
  'wok_rate_limit_hits_total',
  'wok_deliveries_total',
  'wok_ok_seconds',
  'wok_live_seconds',
  'wok_eose_seconds',
  'wok_count_seconds',
  'wok_verify_seconds',
  'wok_parse_seconds',
  'wok_plugin_seconds',
  'wok_ingester_wait_seconds',
  'wok_query_wait_seconds',
  'wok_writer_commit_seconds',
  'wok_writer_batch_events',
  'wok_event_loop_busy_seconds_total',
  'wok_event_loop_lag_seconds',
  'wok_thread_heap_bytes',
  'wok_ingester_queue_bytes',
  'wok_ingester_queue_bytes_max',
  'wok_writer_queue_events',
  'wok_writer_queue_events_max',
  'wok_queries_running',
  'wok_queries_max',
  'wok_log_head_seq',
  'wok_database_bytes',
  'wok_wal_bytes',
  'wok_disk_free_bytes',
];

const COLUMN = 12;
const TOP_CONNECTIONS_SHOWN = 10;
const SLOW_SHOWN = 5;

/** Returns the text of `wok top`. */
export function topScreen(
  found: MetricsDelta,
  topConnections: readonly TopConnection[],
  slow: readonly SlowQuery[],
): string {
  return [
    ...head(found),
    '',
    ...messages(found),
    '',
    ...timings(found),
    '',
    ...threads(found),
    ...talking(topConnections),
    ...slowest(slow),
  ].join('\n');
}

function head(found: MetricsDelta): string[] {
  const up = Date.now() / 1000 - found.value('process_start_time_seconds');
  const cpu = formatCount(found.rate('process_cpu_seconds_total'));
  const closed = found
    .labels('wok_connections_closed_total', 'reason')
    .map((reason) => [reason, found.rate('wok_connections_closed_total', { reason })] as const)
    .filter(([, rate]) => rate > 0)
    .map(([reason, rate]) => `${reason} ${formatCount(rate)}`);
  return [
    `up ${formatSeconds(up)} · ${cpu} processors in use · ${formatBytes(found.value('process_resident_memory_bytes'))} resident · ${found.value('process_open_fds')} of ${found.value('process_max_fds')} descriptors`,
    `connections ${formatCount(found.value('wok_connections'))} of ${formatCount(found.value('wok_connections_max'))} · opened ${perSecond(found.rate('wok_connections_total'))} · refused ${perSecond(found.rate('wok_connections_refused_total'))} · closed ${closed.join(', ') || '0'} · ${formatCount(found.value('wok_subscriptions'))} subscriptions`,
    `log ${formatCount(found.value('wok_log_head_seq'))} · database ${formatBytes(found.value('wok_database_bytes'))} · WAL ${formatBytes(found.value('wok_wal_bytes'))} · ${formatBytes(found.value('wok_disk_free_bytes'))} free on disk`,
  ];
}

function messages(found: MetricsDelta): string[] {
  const received = (type: string) => found.rate('wok_messages_received_total', { type });
  const sent = (type: string) => found.rate('wok_messages_sent_total', { type });
  const outcome = (one: string) =>
    `${one} ${perSecond(found.rate('wok_events_total', { outcome: one }))}`;
  const types = ['EVENT', 'REQ', 'COUNT', 'CLOSE', 'AUTH'].map(
    (type) => `${type} ${perSecond(received(type))}`,
  );
  const answers = ['EVENT', 'OK', 'EOSE', 'CLOSED', 'NOTICE'].map(
    (type) => `${type} ${perSecond(sent(type))}`,
  );
  return [
    `in      ${perSecond(found.rate('wok_messages_received_total'))}, ${formatBytes(found.rate('wok_received_bytes_total'))}/s: ${types.join(' · ')}`,
    `out     ${perSecond(found.rate('wok_messages_sent_total'))}, ${formatBytes(found.rate('wok_sent_bytes_total'))}/s: ${answers.join(' · ')} · live ${perSecond(found.rate('wok_deliveries_total'))}`,
    `events  ${['stored', 'passed', 'duplicate', 'refused', 'failed'].map(outcome).join(' · ')}`,
    `refused ${perSecond(found.rate('wok_refusals_total'))} · limits hit ${perSecond(found.rate('wok_rate_limit_hits_total'))}`,
  ];
}

function timings(found: MetricsDelta): string[] {
  const rows: [string, Timing][] = [
    ['OK', found.timing('wok_ok_seconds')],
    ['live', found.timing('wok_live_seconds')],
    ...INDEXES.map((index): [string, Timing] => [
      `EOSE by ${index}`,
      found.timing('wok_eose_seconds', { index }),
    ]),
    ['COUNT', found.timing('wok_count_seconds')],
    ['wait ingester', found.timing('wok_ingester_wait_seconds')],
    ['wait query', found.timing('wok_query_wait_seconds')],
    ['parse', found.timing('wok_parse_seconds')],
    ['verify', found.timing('wok_verify_seconds')],
    ['plugin', found.timing('wok_plugin_seconds')],
    ['commit', found.timing('wok_writer_commit_seconds')],
  ];
  return table(
    ['latency', 'a second', 'mean', 'p50', 'p95', 'p99'],
    rows
      .filter(([, { rate }]) => rate > 0)
      .map(([name, { rate, mean, p50, p95, p99 }]) => [
        name,
        formatCount(rate),
        ...[mean, p50, p95, p99].map((value) =>
          value === null ? '–' : formatMilliseconds(value * 1000),
        ),
      ]),
  );
}

function threads(found: MetricsDelta): string[] {
  const queue: Readonly<Record<string, (worker: string) => string>> = {
    ingester: (worker) =>
      `${formatBytes(found.value('wok_ingester_queue_bytes', { worker }))} of ${formatBytes(found.value('wok_ingester_queue_bytes_max'))}`,
    writer: () =>
      `${formatCount(found.value('wok_writer_queue_events'))} of ${formatCount(found.value('wok_writer_queue_events_max'))} events`,
    query: (worker) =>
      `${formatCount(found.value('wok_queries_running', { worker }))} of ${formatCount(found.value('wok_queries_max'))} queries`,
  };
  const rows = found.labels('wok_event_loop_busy_seconds_total', 'station').flatMap((station) =>
    found.labels('wok_event_loop_busy_seconds_total', 'worker').flatMap((worker) => {
      const which = { station, worker };
      const heap = found.value('wok_thread_heap_bytes', which);
      if (heap === 0) return [];
      return [
        [
          `${station} ${worker}`,
          formatShare(found.rate('wok_event_loop_busy_seconds_total', which)),
          formatMilliseconds(
            found.value('wok_event_loop_lag_seconds', { ...which, statistic: 'p99' }) * 1000,
          ),
          formatMilliseconds(
            found.value('wok_event_loop_lag_seconds', { ...which, statistic: 'max' }) * 1000,
          ),
          formatBytes(heap),
          queue[station]?.(worker) ?? '',
        ],
      ];
    }),
  );
  return table(['thread', 'busy', 'lag p99', 'lag max', 'heap', 'queue'], rows);
}

function talking(topConnections: readonly TopConnection[]): string[] {
  if (topConnections.length === 0) return [];
  const rows = topConnections
    .slice(0, TOP_CONNECTIONS_SHOWN)
    .map(({ connection, ip, age, messages, bytesIn, bytesOut, inFlight, subscriptions }) => [
      `#${connection}`,
      formatCount(messages),
      `${formatBytes(bytesIn)}/s`,
      `${formatBytes(bytesOut)}/s`,
      String(inFlight),
      String(subscriptions),
      formatSeconds(age),
      ip,
    ]);
  const names = [
    'connection',
    'messages/s',
    'in',
    'out',
    'in flight',
    'open subs',
    'age',
    'address',
  ];
  return ['', ...table(names, rows)];
}

function slowest(slow: readonly SlowQuery[]): string[] {
  if (slow.length === 0) return [];
  return ['', ...slowTable(slow.slice(0, SLOW_SHOWN))];
}

/** Returns the lines of `wok slow`. */
export function slowTable(slow: readonly SlowQuery[]): string[] {
  return table(
    ['slow query', 'work', 'total', 'rows', 'events', 'connection', 'index', 'filters'],
    slow.map(({ at, type, work, total, rows, events, connection, index, filters }) => [
      `${type} ${new Date(at * 1000).toISOString().slice(11, 19)}`,
      formatMilliseconds(work),
      formatMilliseconds(total),
      formatCount(rows),
      formatCount(events),
      `#${connection}`,
      index,
      filters,
    ]),
  );
}

function perSecond(rate: number): string {
  return `${formatCount(rate)}/s`;
}

/** Formats a table: first column to the left and wider, last one as it is, others to the right. */
function table(names: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => {
        if (i === 0) return cell.padEnd(COLUMN + 6);
        return i === names.length - 1 ? `  ${cell}` : cell.padStart(COLUMN);
      })
      .join('')
      .trimEnd();
  return [line(names), ...rows.map(line)];
}
