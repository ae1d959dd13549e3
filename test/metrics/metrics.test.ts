// Metrics: the table, meters, slow queries and the parser of the tests as units; then the figures
// of in-process relays for everything that clients do over real sockets.

import { describe, expect, it } from 'vitest';
import { cellOf, histogramOf, placeOf, WORKER_CELLS } from '../../src/metrics/layout.ts';
import { Meter, shareMetrics } from '../../src/metrics/meter.ts';
import { renderMetrics } from '../../src/metrics/render.ts';
import type { SlowQuery } from '../../src/metrics/ring-rows.ts';
import { filterShapes, slowQueries, slowQueryRing } from '../../src/metrics/slow-queries.ts';
import { metricNames, metricOf } from '../../src/metrics/table.ts';
import { type Filter, parseFilter } from '../../src/protocol/filter.ts';
import { Author } from '../support/author.ts';
import { http } from '../support/http.ts';
import { until } from '../support/process.ts';
import { type Family, parseExposition, sampleOf } from '../support/prometheus.ts';
import type { Settings } from '../support/relay.ts';
import { useRelay } from '../support/use-relay.ts';

describe('the table', () => {
  it.each(metricNames)('%s has a name and labels by the conventions', (name) => {
    const { type, help, labels = {}, by } = metricOf(name);
    expect(name).toMatch(/^(wok|process)_[a-z0-9_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/milliseconds|_(ms|kb|mb|count|sum|bucket)$/);
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes|events|messages)$/);
    expect(help).toMatch(/^[A-Z].*\.$/);
    expect(by.length).toBeGreaterThan(0);
    for (const [label, values] of Object.entries(labels)) {
      expect(label).toMatch(/^[a-z_]+$/);
      expect(['le', 'quantile', 'station', 'worker']).not.toContain(label);
      expect(new Set(values).size).toBe(values.length);
    }
  });

  it('gives every series cells of its own', () => {
    let next = 0;
    for (const name of metricNames) {
      const { start, width, series } = placeOf(name);
      expect(start).toBe(next);
      next = start + width * series.length;
    }
    expect(next).toBeLessThanOrEqual(WORKER_CELLS);
  });

  it('has bounded cardinality', () => {
    const memory = shareMetrics({ io: 1, ingester: 16, writer: 1, query: 8, monitor: 1, admin: 1 });
    expect(renderMetrics(memory).split('\n').length).toBeLessThan(2_000);
  });
});

describe('a meter', () => {
  const EVENTS = cellOf('wok_events_total', { class: 'regular', outcome: 'stored' });
  const CONNECTIONS = cellOf('wok_queries_waiting');
  const EOSE = histogramOf('wok_eose_seconds', { index: 'author' });

  it('counts, and counts of several workers are added up', () => {
    const memory = shareMetrics({ ingester: 2, writer: 1 });
    new Meter(memory, 'ingester', 0).add(EVENTS, 2);
    new Meter(memory, 'ingester', 1).add(EVENTS, 3);
    new Meter(memory, 'writer', 0).cells[EVENTS]!++;
    const found = parseExposition(renderMetrics(memory));
    expect(sampleOf(found, 'wok_events_total', { class: 'regular', outcome: 'stored' })).toBe(6);
    expect(sampleOf(found, 'wok_events_total', { class: 'regular', outcome: 'refused' })).toBe(0);
  });

  it('keeps counters and clears gauges when its worker is started again', () => {
    const memory = shareMetrics({ query: 2 });
    const before = new Meter(memory, 'query', 1);
    before.set(CONNECTIONS, 9);
    before.observe(EOSE, 0.2);
    new Meter(memory, 'query', 1).observe(EOSE, 0.3, 2);
    const found = parseExposition(renderMetrics(memory));
    expect(sampleOf(found, 'wok_queries_waiting', { worker: '1' })).toBe(0);
    expect(sampleOf(found, 'wok_eose_seconds_count', { index: 'author' })).toBe(3);
    expect(sampleOf(found, 'wok_eose_seconds_sum', { index: 'author' })).toBeCloseTo(0.8);
  });

  it('puts a value into the first bucket that it does not exceed', () => {
    const memory = shareMetrics({ query: 1 });
    const meter = new Meter(memory, 'query', 0);
    for (const value of [0, 0.1, 0.1001, 11, Number.POSITIVE_INFINITY]) meter.observe(EOSE, value);
    const found = parseExposition(renderMetrics(memory));
    const bucket = (le: string) =>
      sampleOf(found, 'wok_eose_seconds_bucket', { index: 'author', le });
    expect(['0.0001', '0.05', '0.1', '0.25', '10', '+Inf'].map(bucket)).toEqual([1, 1, 2, 3, 3, 5]);
  });

  it('is read by other threads while it counts', () => {
    const memory = shareMetrics({ query: 1 });
    const meter = new Meter(structuredClone(memory), 'query', 0);
    meter.observe(EOSE, 1);
    expect(
      sampleOf(parseExposition(renderMetrics(memory)), 'wok_eose_seconds_count', {
        index: 'author',
      }),
    ).toBe(1);
  });

  it('is refused to a worker that the memory does not have', () => {
    expect(() => new Meter(shareMetrics({ query: 1 }), 'query', 1)).toThrow('query worker 1');
  });
});

/** Starts a relay for several tests, and returns functions that read its metrics. */
function useMeasuredRelay(settings: Settings) {
  const use = useRelay(settings);
  const read = () => parseExposition(use.relay.relay.metricsText());
  /** Returns how much a counter has grown since `before`. */
  const since = (before: Map<string, Family>, name: string, labels = {}) =>
    sampleOf(read(), name, labels) - sampleOf(before, name, labels);
  return { use, author: new Author(), read, since };
}

type MeasuredRelay = ReturnType<typeof useMeasuredRelay>;

/** Returns the seconds since a moment: no single duration measured since then can be longer. */
function secondsSince(moment: number): number {
  return (performance.now() - moment) / 1000;
}

describe('a running relay', () => {
  const measured = useMeasuredRelay({
    'limits.subscriptions_max': 2,
    'limits.in_flight_bytes_max': 3400,
  });
  countConnections(measured);
  countMessages(measured);
});

function countConnections({ use, read, since }: MeasuredRelay): void {
  it('counts connections, and how they end', async () => {
    const before = read();
    const client = await use.connect();
    expect(since(before, 'wok_connections')).toBe(1);
    expect(since(before, 'wok_connections_total')).toBe(1);
    client.socket.close();
    await until(() => since(before, 'wok_connections') === 0, 'the end of the connection');
    expect(since(before, 'wok_connections_closed_total', { reason: 'client' })).toBe(1);
    expect(since(before, 'wok_connection_duration_seconds_count')).toBe(1);
    const other = await use.connect();
    other.socket.terminate();
    await until(
      () => since(before, 'wok_connections_closed_total', { reason: 'lost' }) === 1,
      'the loss of the connection',
    );
    const big = await use.connect();
    big.send('x'.repeat(300 * 1024));
    await until(
      () => since(before, 'wok_connections_closed_total', { reason: 'too_big' }) === 1,
      'the end of the connection',
    );
  });

  it('counts what is served by HTTP', async () => {
    const before = read();
    await http(use.relay.httpUrl, { Accept: 'application/nostr+json' });
    await http(use.relay.httpUrl);
    await http(`${use.relay.httpUrl}/health`);
    await http(`${use.relay.httpUrl}/nowhere`);
    for (const resource of ['information', 'page', 'health', 'other']) {
      expect(since(before, 'wok_http_requests_total', { resource })).toBe(1);
    }
  });
}

function countMessages({ use, author, read, since }: MeasuredRelay): void {
  it('counts messages by type in both directions, and bytes', async () => {
    const before = read();
    const event = author.event();
    await use.client.publish(event);
    await use.client.publish(event);
    use.client.send(['REQ', 'mine', { authors: [author.pubkey] }]);
    await use.client.next(([verb]) => verb === 'EOSE');
    use.client.send(['CLOSE', 'mine']);
    use.client.send(['COUNT', 'n', { kinds: [1] }]);
    await use.client.next(([verb]) => verb === 'COUNT');
    use.client.send(['HELLO']);
    await use.client.next(([verb]) => verb === 'NOTICE');
    for (const [verb, times] of [
      ['EVENT', 2],
      ['REQ', 1],
      ['CLOSE', 1],
      ['COUNT', 1],
      ['other', 1],
    ] as const) {
      expect([verb, since(before, 'wok_messages_received_total', { type: verb })]).toEqual([
        verb,
        times,
      ]);
    }
    for (const [verb, times] of [
      ['OK', 2],
      ['EVENT', 1],
      ['EOSE', 1],
      ['COUNT', 1],
      ['NOTICE', 1],
    ] as const) {
      expect([verb, since(before, 'wok_messages_sent_total', { type: verb })]).toEqual([
        verb,
        times,
      ]);
    }
    const bytes = JSON.stringify(['EVENT', event]).length;
    expect(since(before, 'wok_received_bytes_total')).toBeGreaterThan(2 * bytes);
    expect(since(before, 'wok_sent_bytes_total')).toBeGreaterThan(bytes);
    expect(since(before, 'wok_ingester_wait_seconds_count')).toBeGreaterThan(0);
    expect(since(before, 'wok_parse_seconds_count')).toBe(6);
    // A duplicate that the index does not have yet is found by the writer.
    expect([1, 2]).toContain(since(before, 'wok_verify_seconds_count'));
  });

  it('counts refusals by prefix and by rule', async () => {
    const before = read();
    const event = author.event();
    await use.client.publish({ ...event, sig: '0'.repeat(128) });
    await use.client.publish({ ...event, kind: 70_000 });
    expect(since(before, 'wok_rule_refusals_total', { rule: 'signature' })).toBe(1);
    expect(since(before, 'wok_rule_refusals_total', { rule: 'shape' })).toBe(1);
    expect(since(before, 'wok_refusals_total', { of: 'EVENT', prefix: 'invalid' })).toBe(2);
    expect(since(before, 'wok_events_total', { class: 'regular', outcome: 'refused' })).toBe(1);
    expect(since(before, 'wok_events_total', { class: 'none', outcome: 'refused' })).toBe(1);
    for (const id of ['a', 'b', 'c']) use.client.send(['REQ', id, {}]);
    await use.client.next(([verb]) => verb === 'CLOSED');
    expect(since(before, 'wok_rate_limit_hits_total', { limit: 'subscriptions' })).toBe(1);
    expect(since(before, 'wok_refusals_total', { of: 'REQ', prefix: 'rate-limited' })).toBe(1);
  });

  it('counts refusals by limits.in_flight_bytes_max', async () => {
    const before = read();
    // The messages do not always reach the relay together.
    await until(async () => {
      for (let i = 0; i < 40; i++) use.client.send(['REQ', 'same', { limit: i }]);
      await use.client.sync();
      return since(before, 'wok_rate_limit_hits_total', { limit: 'in_flight' }) > 0;
    }, 'a refusal');
  });
}

describe('the stations behind the ingester', () => {
  const measured = useMeasuredRelay({ 'query.workers': 2, 'metrics.slow_query_milliseconds': 0 });
  countEvents(measured);
  countQueriesAndDeliveries(measured);
});

function countEvents({ use, author, read, since }: MeasuredRelay): void {
  it('count outcomes of events', async () => {
    const before = read();
    const began = performance.now();
    const outcome = (eventClass: string, of: string) =>
      since(before, 'wok_events_total', { class: eventClass, outcome: of });
    const note = author.event();
    await use.client.publish(note);
    await use.client.publish(note);
    const ephemeral = author.event({ kind: 20_001 });
    await use.client.publish(ephemeral);
    const old = author.event({ kind: 0, created_at: 1_700_000_000 });
    const profile = author.event({ kind: 0 });
    await use.client.publish(old);
    await use.client.publish(profile);
    expect((await use.client.publish(old))[2]).toBe(false);
    await use.client.publish(author.deletion([['e', note.id]]));
    expect((await use.client.publish(note))[2]).toBe(false);
    expect(outcome('regular', 'stored')).toBe(2);
    expect(outcome('regular', 'duplicate')).toBe(1);
    expect(outcome('ephemeral', 'passed')).toBe(1);
    expect(outcome('replaceable', 'stored')).toBe(2);
    expect(outcome('replaceable', 'refused')).toBe(1);
    expect(outcome('regular', 'refused')).toBe(1);
    expect(since(before, 'wok_events_accepted_total', { kind: '0' })).toBe(2);
    expect(since(before, 'wok_events_accepted_total', { kind: 'other' })).toBe(1);
    expect(since(before, 'wok_events_removed_total', { reason: 'replaced' })).toBe(1);
    expect(since(before, 'wok_events_removed_total', { reason: 'deleted' })).toBe(1);
    expect(since(before, 'wok_refusals_total', { of: 'EVENT', prefix: 'blocked' })).toBe(1);
    expect(since(before, 'wok_log_head_seq')).toBe(4);
    expect(since(before, 'wok_writer_batch_events_sum')).toBe(8);
    for (const name of ['wok_writer_wait_seconds', 'wok_writer_commit_seconds', 'wok_ok_seconds']) {
      expect(since(before, `${name}_count`)).toBeGreaterThanOrEqual(8);
      const sum = since(before, `${name}_sum`);
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThan(8 * secondsSince(began));
    }
  });
}

function countQueriesAndDeliveries({ use, author, read, since }: MeasuredRelay): void {
  it('count queries by the index that answers', async () => {
    const before = read();
    const p = author.pubkey;
    const asked: [string, unknown[]][] = [
      ['id', [{ ids: ['0'.repeat(64)] }]],
      ['author', [{ authors: [p] }]],
      ['author_kind', [{ authors: [p], kinds: [1] }]],
      ['tag', [{ '#e': ['0'.repeat(64)] }]],
      ['kind', [{ kinds: [7] }]],
      ['all', [{ limit: 1 }]],
      ['timeline', [{ authors: Array.from({ length: 9 }, (_, i) => `${i}`.repeat(64)) }]],
      ['address', [{ authors: [p], kinds: [30_023], '#d': ['x'] }]],
      ['several', [{ kinds: [7] }, { limit: 1 }]],
      ['none', [{ ids: [] }]],
    ];
    for (const [index, filters] of asked) {
      use.client.send(['REQ', index, ...filters]);
      await use.client.next(([verb, id]) => verb === 'EOSE' && id === index);
      expect([index, since(before, 'wok_eose_seconds_count', { index })]).toEqual([index, 1]);
      use.client.send(['COUNT', index, ...filters]);
      await use.client.next(([verb, id]) => verb === 'COUNT' && id === index);
      expect([index, since(before, 'wok_count_seconds_count', { index })]).toEqual([index, 1]);
    }
    expect(since(before, 'wok_query_wait_seconds_count')).toBe(2 * asked.length);
    expect(since(before, 'wok_query_rows_total', { index: 'author' })).toBeGreaterThan(0);
    expect(since(before, 'wok_query_work_seconds_total', { index: 'author' })).toBeGreaterThan(0);
    expect(since(before, 'wok_query_events_total')).toBeGreaterThan(0);
    expect(since(before, 'wok_slow_queries_total')).toBe(0);
    await until(() => since(before, 'wok_subscriptions') === asked.length, 'all to be live');
  });

  it('count deliveries and how long they took since the socket', async () => {
    await until(() => sampleOf(read(), 'wok_subscriptions') === 0, 'those of others to be gone');
    const before = read();
    const began = performance.now();
    const reader = await use.connect();
    for (const id of ['a', 'b']) {
      reader.send(['REQ', id, { kinds: [1], limit: 0 }]);
      await reader.next(([verb]) => verb === 'EOSE');
    }
    await until(() => since(before, 'wok_subscriptions') === 2, 'both to be live');
    await use.client.publish(author.event());
    for (const id of ['a', 'b']) await reader.next(([verb, of]) => verb === 'EVENT' && of === id);
    expect(since(before, 'wok_deliveries_total')).toBe(2);
    expect(since(before, 'wok_live_seconds_count')).toBe(1);
    expect(since(before, 'wok_fanout_seconds_count')).toBe(1);
    const sum = since(before, 'wok_live_seconds_sum');
    expect(sum).toBeGreaterThan(since(before, 'wok_fanout_seconds_sum'));
    expect(sum).toBeLessThan(secondsSince(began));
    reader.socket.terminate();
    await until(() => since(before, 'wok_subscriptions') === 0, 'both to be gone');
  });
}

describe('slow queries', () => {
  const facts: SlowQuery = {
    at: 5,
    worker: 0,
    type: 'REQ',
    connection: 7,
    index: 'author',
    work: 120.5,
    total: 140,
    rows: 9_000,
    events: 3,
    filters: '',
  };
  const parse = (filter: unknown) =>
    parseFilter(filter, { filterValuesMax: 100, filterTagsMax: 10 }) as Filter;

  it('are recorded without the values of their filters', () => {
    const key = 'a1'.repeat(32);
    const kinds = Array.from({ length: 20 }, (_, kind) => kind);
    const time = { since: 1_700_000_000, until: 1e15 };
    expect(
      filterShapes([
        parse({ authors: [key], kinds: [1, 6], '#p': [key, 'b2'.repeat(32)], ...time, limit: 5 }),
        parse({ ids: [key], kinds }),
        parse({}),
      ]),
    ).toBe(
      `authors×1 kinds 1,6 #p×2 since 2023-11-14T22:13:20Z until ${1e15} limit 5 | ids×1 kinds×20 | everything`,
    );
  });

  it('are kept up to a number, the newest, and fit into their slots', () => {
    const memory = shareMetrics({ query: 2 });
    const ring = slowQueryRing(memory, 1);
    for (let at = 0; at < 200; at++) {
      const filters = filterShapes(Array(at * 10).fill(parse({ authors: ['ab'.repeat(32)] })));
      ring.push(JSON.stringify({ ...facts, at, filters }));
    }
    const found = slowQueries(structuredClone(memory));
    expect(found.map(({ at }) => at)).toEqual(Array.from({ length: 64 }, (_, i) => 199 - i));
    expect(found[0]!.filters).toMatch(/^authors×1 \| .*…$/);
  });
});

describe('the reader of the tests', () => {
  const ok = '# HELP a_total A.\n# TYPE a_total counter\n';
  it.each([
    ['no help', '# TYPE a_total counter\na_total 1\n'],
    ['no end', `${ok}a_total 1`],
    ['a stranger', `${ok}b_total 1\n`],
    ['a second sample', `${ok}a_total 1\na_total 2\n`],
    ['a trailing comma', `${ok}a_total{x="1",} 1\n`],
    ['a bare quote', `${ok}a_total{x="a"b"} 1\n`],
    ['no number', `${ok}a_total one\n`],
    ['a counter without _total', '# HELP a A.\n# TYPE a counter\na 1\n'],
    [
      'falling buckets',
      '# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    ],
  ])('stumbles over %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});
