// Unit tests of the parts of pages: HTML escaping, words, rules as sentences, limits, charts and
// figures over time; the number of stored events with an in-process relay.

import fc from 'fast-check';
import { npubEncode } from 'nostr-tools/nip19';
import { describe, expect, it } from 'vitest';
import { EventCount } from '../../src/admin/metrics/event-count.ts';
import { HISTORY_SAMPLES, History } from '../../src/admin/metrics/history.ts';
import type { Config } from '../../src/config/options.ts';
import { cellOf, histogramOf } from '../../src/metrics/layout.ts';
import { Meter, shareMetrics } from '../../src/metrics/meter.ts';
import { decodeNpub, encodeNpub } from '../../src/protocol/nip19.ts';
import { openReader } from '../../src/store/database/open.ts';
import { CHART_HEIGHT, CHART_WIDTH, drawChart, roundUp } from '../../src/web/browser/chart.ts';
import { chartSentence, type Figures, shownFigures } from '../../src/web/browser/figures.ts';
import { lastedText, rateText } from '../../src/web/browser/format.ts';
import { badges } from '../../src/web/home/badges.ts';
import { limitGroups } from '../../src/web/home/limits.ts';
import { keepingRules, readingRules } from '../../src/web/home/reading.ts';
import { writingRules } from '../../src/web/home/writing.ts';
import { html, linkable } from '../../src/web/html.ts';
import { nipFacts, supportedNips } from '../../src/web/supported-nips.ts';
import { bytesText, durationText, kindsText, listText, rateWords } from '../../src/web/words.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { until } from '../support/process.ts';
import { freshDirectory, type Settings, startRelay, testConfig } from '../support/relay.ts';

const A = 'aa'.repeat(32);

function configOf(settings: Settings): Config {
  return testConfig(freshDirectory(), settings);
}

describe('templates', () => {
  it('escape whatever is put into them, but not what is HTML already', () => {
    const hostile = `<b title="'">&amp;</b>`;
    const escaped = '&lt;b title=&quot;&#39;&quot;&gt;&amp;amp;&lt;/b&gt;';
    expect(html`<p>${hostile}</p>`.text).toBe(`<p>${escaped}</p>`);
    expect(html`<p>${[html`<i>${hostile}</i>`, 5, null, false]}</p>`.text).toBe(
      `<p><i>${escaped}</i>5</p>`,
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(html`${text}`.text).not.toMatch(/[<>"']/);
      }),
    );
  });

  it('link to addresses of the web and of mail only', () => {
    expect(linkable('https://relay.example/a?b')).toBe('https://relay.example/a?b');
    expect(linkable('mailto:somebody@relay.example')).toBe('mailto:somebody@relay.example');
    for (const no of ['javascript:alert(1)', ' JavaScript:x', 'data:text/html,x', 'vbscript:x']) {
      expect(linkable(no)).toBeNull();
    }
    for (const no of ['', 'somebody', '//relay.example', 'file:///etc/passwd', 'nostr:npub1x']) {
      expect(linkable(no)).toBeNull();
    }
  });
});

describe('words', () => {
  it('say times, bytes, rates, kinds', () => {
    expect([900, 1, 90, 31_536_000, 1_209_600].map(durationText)).toEqual([
      '15 minutes',
      '1 second',
      '90 seconds',
      '1 year',
      '2 weeks',
    ]);
    expect([1, 512, 131_072, 1_572_864].map(bytesText)).toEqual([
      '1 byte',
      '512 bytes',
      '128 KiB',
      '1.5 MiB',
    ]);
    expect(rateWords('20/s burst 1500')).toEqual({ steady: '20/s', burst: '1,500' });
    expect(rateWords('6/min')).toEqual({ steady: '6/min', burst: '6' });
    expect(rateWords('200k/s burst 20M')).toEqual({ steady: '200,000/s', burst: '20,000,000' });
    expect(rateWords('1MiB/s burst 64MiB')).toEqual({ steady: '1 MiB/s', burst: '64 MiB' });
    expect(rateWords('')).toBeNull();
    expect(kindsText(['1', '20000-29999', '99'])).toBe('1 (notes), 20000–29999, 99');
    expect(listText(['a', 'b', 'c'])).toBe('a, b and c');
    expect([5, 59, 60, 7_500, 90_000, 864_000].map(lastedText)).toEqual([
      { value: '0', unit: 'minutes' },
      { value: '0', unit: 'minutes' },
      { value: '1', unit: 'minute' },
      { value: '2', unit: 'hours 5 minutes' },
      { value: '1', unit: 'day 1 hour' },
      { value: '10', unit: 'days' },
    ]);
    expect(rateText(12.34)).toEqual({ value: '12.3', unit: 'a second' });
    expect(rateText(0.05)).toEqual({ value: '3', unit: 'a minute' });
  });

  it('write public keys as others do', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const pubkey = Buffer.from(bytes).toString('hex');
        expect(encodeNpub(pubkey)).toBe(npubEncode(pubkey));
        expect(decodeNpub(encodeNpub(pubkey))).toBe(pubkey);
      }),
    );
  });
});

/** Returns all sentences about a configuration, as text. */
function sentences(settings: Settings, kindsDisallowed: readonly string[] = []): string {
  const config = configOf(settings);
  const all = [
    ...writingRules({ config, kindsDisallowed }),
    ...readingRules(config),
    ...keepingRules(config),
  ];
  const badge = badges(config).map(({ text }) => `[${text}]`);
  return [...all.map(({ text }) => text), ...badge].join('\n');
}

/** Settings, with texts that the rules on the page contain, and texts that they do not. */
const RULE_TEXTS: [Settings, string[], string[]][] = [
  [
    {},
    ['Writing is open to everyone.', 'Reading is open to everyone.', '[Open for writing]'],
    ['have to auth'],
  ],
  [
    { 'auth.required': 'all' },
    ['authenticate with a key before they write', 'Reading requires authentication'],
    ['Reading is open', '[Open for reading]'],
  ],
  [{ 'auth.required': 'write' }, ['before they write', 'Reading is open to everyone.'], []],
  [
    { 'auth.required': 'read' },
    ['Reading requires authentication', 'Writing is open to everyone.'],
    ['they write'],
  ],
  [
    { 'membership.enabled': true },
    ['whose keys are members of this relay.', 'Members can invite', '[Members only: writing]'],
    ['Writing is open to everyone.'],
  ],
  [
    { 'membership.enabled': true, 'membership.restrict_writes': false },
    ['Writing is open to everyone.'],
    ['[Members only: writing]'],
  ],
  [
    { 'membership.enabled': true, 'membership.restrict_reads': true },
    ['Only members may read', '[Members only: reading]'],
    ['Reading is open', '[Open for reading]'],
  ],
  [
    {
      'admission.payments_url': 'https://pay.example/',
      'admission.fee_msats': 21_000_000,
      'admission.subscription_msats': 5_000_000,
    },
    [
      'whose keys have <a href="https://pay.example/" rel="nofollow">paid</a> (21,000 sats once and 5,000 sats for 30 days).',
      '[Paid]',
    ],
    ['Writing is open to everyone.'],
  ],
  [
    { 'policy.pubkeys_allowed': A, 'trust.roots': A, 'policy.access_match': 'all' },
    ['are on the list of allowed keys, and are in the web of trust of this relay.'],
    [],
  ],
  [
    {
      'nip05.required': true,
      'nip05.domains_allowed': 'a.example',
      'policy.access_for': 'either',
    },
    ['clients with events by others, may write whose keys have a NIP-05 address at a.example.'],
    [],
  ],
  [
    { 'policy.pubkeys_allowed': A, 'policy.open_kinds': '9735', 'policy.open_to_mentions': true },
    ['Everyone may write kind 9735 (zap receipts).', 'that mention (p tag) an author'],
    ['Writing is open to everyone.'],
  ],
  [
    { 'auth.dm_inbox': true, 'auth.dm_inbox_events_max': 1234 },
    ['inbox for private messages', 'up to 1,234 messages', 'Reading requires authentication'],
    ['Writing is open to everyone.', 'Reading is open to everyone.'],
  ],
  [
    { 'policy.kinds_allowed': '1,7' },
    ['Only these kinds of events are accepted: 1 (notes), 7'],
    [],
  ],
  [{ 'policy.kinds_denied': '4' }, ['not accepted: 4 (old private messages), 30023'], []],
  [{ 'policy.pow_min': 20, 'policy.pow_min_by_kind': '0=0' }, ['20 bits (NIP-13); kind 0'], []],
  [{ 'policy.tags_required': '30023=title' }, ['kind 30023 (articles) a “title” tag'], []],
  [{ 'policy.hashtags_max': 9, 'policy.mentions_max': 8 }, ['9 hashtags', '8 keys'], []],
  [{ 'policy.content_patterns_denied': 'x+' }, ['Some words and tags'], ['x+']],
  [{ 'spam.mode': 'enforce' }, ['look like spam'], []],
  [{ 'spam.mode': 'observe' }, [], ['spam']],
  [{ 'limits.created_at_past_seconds_max': 86_400 }, ['up to 1 day old'], ['age is not limited']],
  [{ 'limits.created_at_future_seconds_max': 0 }, ['age is not limited'], ['ahead of the clock']],
  [{ 'auth.private_kinds': '' }, [], ['Private kinds']],
  [{ 'query.count_enabled': false }, [], ['counted']],
  [
    { 'retention.age': '7=30d', 'retention.count': '1=100', 'retention.mib_max': 10 },
    ['kind 7 (reactions) are kept for 30 days', 'up to 100 for each', '10 MiB', 'members of this'],
    ['until their author deletes'],
  ],
  [{ 'identity.urls': 'wss://r.example' }, ['request to vanish'], []],
  [{ 'identity.urls': 'wss://r.example', 'identity.vanish': false }, [], ['request to vanish']],
];

describe('rules', () => {
  it.each(RULE_TEXTS)('of %j', (settings, there, notThere) => {
    const text = sentences(settings, settings['policy.kinds_denied'] === '4' ? ['30023'] : []);
    for (const part of there) expect(text).toContain(part);
    for (const part of notThere) expect(text).not.toContain(part);
    expect(text).not.toMatch(/undefined|NaN|\[object/);
  });

  it('show limits as they are configured, and rates that there are', () => {
    const rows = (settings: Settings) =>
      Object.fromEntries(
        limitGroups(configOf(settings)).flatMap(({ rows }) =>
          rows.map(({ what, value, burst }) => [what, [value, burst]]),
        ),
      );
    const found = rows({
      'limits.limit_max': 777,
      'rates.pubkey_events': '6/min burst 60',
      'rates.ip_events': '',
      'limits.created_at_future_seconds_max': 0,
    });
    expect(found['Stored events per filter']).toEqual(['777', undefined]);
    expect(found['New events per author']).toEqual(['6/min', '60']);
    expect(found['Events per address']).toBeUndefined();
    expect(found['created_at in the future']).toEqual(['no limit', undefined]);
    const none = configOf({ 'io.connections_per_ip_max': 0 });
    expect(JSON.stringify(limitGroups(none))).not.toContain('Connections per ');
  });

  it('know what every supported NIP is about', () => {
    const config = configOf({
      'membership.enabled': true,
      'nip05.required': true,
      'policy.pow_min': 1,
      'info.pubkey': A,
    });
    for (const nip of supportedNips(config)) {
      const { number, title, url } = nipFacts(nip);
      expect(title, `NIP ${nip}`).not.toBe('');
      expect(url).toMatch(new RegExp(`^https://github\\.com/.*/${number}\\.md$`));
    }
    expect(nipFacts(1).number).toBe('01');
  });
});

describe('charts', () => {
  it('stay in their frame whatever the values are', () => {
    const value = fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: null });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const { line, area, top } = drawChart(values);
        const there = values.filter((one) => one !== null);
        expect(top).toBeGreaterThanOrEqual(Math.max(1, ...there));
        expect(line === '').toBe(there.length === 0);
        expect(line + area).toMatch(/^[MLZ\d. ]*$/);
        const numbers = (line.match(/[\d.]+ [\d.]+/g) ?? []).map((pair) => pair.split(' '));
        for (const [x, y] of numbers) {
          expect(Number(x)).toBeLessThanOrEqual(CHART_WIDTH);
          expect(Number(y)).toBeLessThanOrEqual(CHART_HEIGHT);
        }
      }),
    );
  });

  it('leave gaps, show a single value, and end at a round number', () => {
    expect(drawChart([1, 2, null, 4, 5]).line.match(/M/g)).toHaveLength(2);
    expect(drawChart([null, 3, null]).line).toMatch(/^M150 \S+L450 /);
    expect(drawChart([0, 0]).line).toBe('M0 117L600 117');
    expect([0, 0.4, 1, 1.1, 5, 6, 10, 11, 999].map(roundUp)).toEqual([
      1, 1, 1, 2, 5, 6, 10, 20, 1000,
    ]);
  });

  it('are told in words', () => {
    const figures: Figures = {
      at: Date.UTC(2026, 0, 2, 12, 30),
      since: Date.UTC(2026, 0, 1, 11),
      events: null,
      connections: 1234,
      subscriptions: 5,
      accepted: null,
      deliveries: 2.5,
      minutes: { events: [null, null], connections: [null, 3, 9, 4] },
    };
    expect(chartSentence('connections', figures)).toBe(
      'Since 12:27 UTC between 3 and 9 connections, now 4.',
    );
    expect(chartSentence('events', figures)).toContain('No new events per minute to show yet');
    expect(shownFigures(figures)).toEqual({
      events: { value: '–', unit: 'being counted' },
      connections: { value: '1,234', unit: '' },
      subscriptions: { value: '5', unit: '' },
      accepted: { value: '–', unit: 'in a moment' },
      deliveries: { value: '2.5', unit: 'a second' },
      since: { value: '1', unit: 'day 1 hour' },
    });
  });
});

describe('the last hour', () => {
  const memory = shareMetrics({ io: 1, writer: 1, query: 2 });
  const [io, writer] = [new Meter(memory, 'io', 0), new Meter(memory, 'writer', 0)];
  const stored = cellOf('wok_events_total', { class: 'regular', outcome: 'stored' });
  const passed = cellOf('wok_events_total', { class: 'ephemeral', outcome: 'passed' });
  const refused = cellOf('wok_events_total', { class: 'regular', outcome: 'refused' });

  it('has rates, levels and latencies of what happened between two looks', () => {
    const history = new History(memory);
    writer.add(stored, 1000);
    history.take(1_000_000);
    expect(history.read()).toMatchObject({ at: [] });
    writer.add(stored, 30);
    writer.add(passed, 20);
    writer.add(refused, 5);
    writer.observe(histogramOf('wok_ok_seconds'), 0.004, 10);
    io.set(cellOf('wok_connections'), 7);
    history.take(1_005_000);
    history.take(1_005_000);
    history.take(1_010_000);
    const names = ['accepted', 'refused', 'connections', 'okP50', 'eoseP99'] as const;
    expect(history.read(names)).toEqual({
      at: [1005, 1010],
      series: {
        accepted: [10, 0],
        refused: [1, 0],
        connections: [7, 7],
        okP50: [expect.closeTo(0.00375, 5), null],
        eoseP99: [null, null],
      },
    });
    expect(history.read(['connections'], 1).at).toEqual([1010]);
  });

  it('forgets what is older', () => {
    const history = new History(memory);
    for (let i = 0; i <= HISTORY_SAMPLES + 10; i++) {
      io.set(cellOf('wok_connections'), i);
      history.take(1000 + i * 5000);
    }
    const { at, series } = history.read(['connections']);
    expect(history.length).toBe(HISTORY_SAMPLES);
    expect(at).toHaveLength(HISTORY_SAMPLES);
    expect(series.connections![0]).toBe(11);
    expect(series.connections!.at(-1)).toBe(HISTORY_SAMPLES + 10);
    expect(at.every((seconds, i) => i === 0 || seconds > at[i - 1]!)).toBe(true);
  });
});

describe('the number of stored events', () => {
  it('follows what is stored, replaced and deleted, and is counted in slices', async () => {
    const relay = await startRelay({ 'storage.index_delay_milliseconds': 50 });
    const client = await Client.connect(relay.url);
    const author = new Author();
    const count = async () =>
      (JSON.parse((await http(`${relay.httpUrl}/figures.json`)).body) as Figures).events;
    const shows = (events: number) => until(async () => (await count()) === events, `${events}`);
    await client.publish(author.event());
    await shows(1);
    const events = Array.from({ length: 40 }, () => author.event());
    for (const event of events) await client.publish(event);
    await shows(41);
    await client.publish(author.event({ kind: 0, created_at: 1_700_000_000 }));
    await client.publish(author.event({ kind: 0, created_at: 1_700_000_001 }));
    await client.publish(author.event({ kind: 20_001 }));
    await shows(42);
    await client.publish(author.deletion(events.slice(0, 3).map(({ id }) => ['e', id])));
    await shows(40);
    client.socket.terminate();
    // A new admin worker counts by itself, with removed events still in the index.
    await relay.relay.kill('admin', 0);
    await until(async () => (await count().catch(() => null)) === 40, 'the same again');
    await relay.stop();
    const { storage } = testConfig(relay.directory);
    const db = openReader(storage);
    for (const slice of [1, 3, 39, 40, 41, 1000]) {
      const counter = new EventCount(db, shareMetrics({ writer: 1 }), slice);
      await until(() => counter.read() !== null, 'the count');
      expect(counter.read(), `in slices of ${slice}`).toBe(40);
    }
    db.close();
  });
});
