/** What the relay counts, and how it is told. */
import { describe, expect, it } from 'vitest';
import { cellOf, histogramOf, LANE_CELLS, placeOf } from '../src/metrics/layout.ts';
import { Meter, shareMetrics } from '../src/metrics/meter.ts';
import { renderMetrics } from '../src/metrics/render.ts';
import { metricNames, metricOf } from '../src/metrics/table.ts';
import { parseExposition, sampleOf } from './support/prometheus.ts';

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
      expect(['le', 'quantile', 'station', 'lane']).not.toContain(label);
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
    expect(next).toBeLessThanOrEqual(LANE_CELLS);
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

  it('counts, and what several lanes count is added up', () => {
    const memory = shareMetrics({ ingester: 2, writer: 1 });
    new Meter(memory, 'ingester', 0).add(EVENTS, 2);
    new Meter(memory, 'ingester', 1).add(EVENTS, 3);
    new Meter(memory, 'writer', 0).cells[EVENTS]!++;
    const found = parseExposition(renderMetrics(memory));
    expect(sampleOf(found, 'wok_events_total', { class: 'regular', outcome: 'stored' })).toBe(6);
    expect(sampleOf(found, 'wok_events_total', { class: 'regular', outcome: 'refused' })).toBe(0);
  });

  it('keeps counters and clears gauges when its lane is started again', () => {
    const memory = shareMetrics({ query: 2 });
    const before = new Meter(memory, 'query', 1);
    before.set(CONNECTIONS, 9);
    before.observe(EOSE, 0.2);
    new Meter(memory, 'query', 1).observe(EOSE, 0.3, 2);
    const found = parseExposition(renderMetrics(memory));
    expect(sampleOf(found, 'wok_queries_waiting', { lane: '1' })).toBe(0);
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

  it('is refused to a lane that the memory does not know', () => {
    expect(() => new Meter(shareMetrics({ query: 1 }), 'query', 1)).toThrow('query lane 1');
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
