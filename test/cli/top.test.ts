// `wok top` and `wok slow`, run as commands beside a relay in its own process; quantiles and
// differences between samples as units.

import { describe, expect, it } from 'vitest';
import { shownMetrics } from '../../src/cli/top/screen.ts';
import { quantileOf } from '../../src/metrics/quantile.ts';
import type { SlowQuery } from '../../src/metrics/ring-rows.ts';
import { MetricsDelta } from '../../src/metrics/sample.ts';
import { metricNames } from '../../src/metrics/table.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { delay, until, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';
import { wok as runWok } from '../support/wok.ts';

describe('a quantile', () => {
  const bounds = [1, 2, 4];
  it.each([
    [0.5, [0, 0, 0, 0], null],
    [0.5, [10, 0, 0, 0], 0.5],
    [0.5, [0, 10, 0, 0], 1.5],
    [0.75, [5, 5, 0, 0], 1.5],
    [0.99, [0, 0, 0, 7], 4],
    [1, [1, 1, 2, 0], 4],
  ])('%s of %j is %s', (share, counts, value) => {
    expect(quantileOf(share, counts, bounds)).toBe(value);
  });
});

describe('two metrics samples', () => {
  const figures = (stored: number, failed: number, small: number) => ({
    wok_events_total: [
      { labels: { class: 'regular', outcome: 'stored' }, values: [stored] },
      { labels: { class: 'regular', outcome: 'failed' }, values: [failed] },
    ],
    // 11 buckets, the overflow, and the sum.
    wok_verify_seconds: [{ labels: {}, values: [small, ...Array(11).fill(0), small * 4e-6] }],
  });
  const found = new MetricsDelta(
    { at: 1_000, figures: figures(10, 1, 100) },
    { at: 3_000, figures: figures(30, 1, 300) },
  );

  it('give rates, sums and timings of the time between', () => {
    expect(found.seconds).toBe(2);
    expect(found.value('wok_events_total')).toBe(31);
    expect(found.rate('wok_events_total')).toBe(10);
    expect(found.rate('wok_events_total', { outcome: 'failed' })).toBe(0);
    const { rate, mean, p50 } = found.timing('wok_verify_seconds');
    expect(rate).toBe(100);
    expect(mean).toBeCloseTo(4e-6);
    expect(p50).toBeCloseTo(2.5e-6);
    expect(found.timing('wok_parse_seconds').p99).toBeNull();
  });
});

describe('wok top', () => {
  it('names metrics that there are', () => {
    for (const name of shownMetrics) expect(metricNames).toContain(name);
  });

  it('shows a relay at work, once, without a terminal', async () => {
    const directory = freshDirectory();
    const settings = { 'metrics.slow_query_milliseconds': 1 };
    const wok = await WokProcess.start(settings, directory);
    const client = await Client.connect(wok.url);
    const author = new Author();
    let over = false;
    const load = (async () => {
      while (!over) {
        await client.publish(author.event());
        client.send([
          'COUNT',
          'c',
          ...Array.from({ length: 60 }, () => ({ authors: [author.pubkey] })),
        ]);
        await client.next(([verb]) => verb === 'COUNT');
        await delay(5);
      }
    })();
    const slowQueries = async () =>
      JSON.parse((await runWok(['slow', '--data', directory, '--json'])).out) as SlowQuery[];
    await until(async () => (await slowQueries()).length > 0, 'a query that takes a millisecond');
    const top = await runWok(['top', '--data', directory, '--interval', '2']);
    const again = await runWok(['top', '--data', directory, '--once', '--json']);
    const slow = await runWok(['slow', '--data', directory, '--limit', '3', '--by', 'work']);
    const json = await runWok(['slow', '--data', directory, '--json']);
    over = true;
    await load;
    expect(top.code).toBe(0);
    expect(top.out).not.toContain('\x1b');
    expect(top.out).toMatch(/^up \d+ s · [\d.]+ processors in use/m);
    expect(top.out).toMatch(/^connections 1 of 10,000/m);
    expect(top.out).toMatch(/^events {2}stored [\d.]*[1-9][\d.]*\/s/m);
    for (const name of ['OK', 'COUNT', 'verify', 'commit', 'writer 0', 'query 0', 'io 0']) {
      expect(top.out).toMatch(new RegExp(`^${name} .*\\d`, 'm'));
    }
    expect(JSON.parse(again.out)).toHaveProperty('now.figures.wok_connections');
    expect(slow.out.split('\n')[0]).toMatch(/^slow query +work +total/);
    expect(slow.out).toMatch(/COUNT .*author +authors×1/);
    const found = JSON.parse(json.out) as SlowQuery[];
    expect(found[0]).toMatchObject({ type: 'COUNT', index: 'author', connection: 1 });
    expect(slow.out + json.out + top.out).not.toContain(author.pubkey.slice(0, 16));
  });

  it('and wok slow say what is wrong with a call', async () => {
    const directory = freshDirectory();
    const cases: [string[], number, RegExp][] = [
      [['top', '--data', directory], 69, /no relay runs on/],
      [['top', '--interval', '0'], 2, /--interval must be a whole number from 1 to 3600/],
      [['slow', '--by', 'name'], 2, /--by must be work, total, rows or events/],
      [['slow', '--limit', 'x'], 2, /--limit must be a whole number from 1 to 1000/],
    ];
    for (const [argv, code, sentence] of cases) {
      const answer = await runWok(argv);
      expect([argv.join(' '), answer.code]).toEqual([argv.join(' '), code]);
      expect(answer.err).toMatch(sentence);
    }
  });
});
