// The spam filter: its parts, thresholds and modes, and the quarantine. Text features, simhashes,
// RecentTexts and WordList as units; the rest against an in-process relay over real sockets.

import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RecentTexts } from '../../src/policy/spam/recent-texts.ts';
import { distance, fingerprintOf } from '../../src/policy/spam/simhash.ts';
import { factsOf } from '../../src/policy/spam/text.ts';
import { WordList } from '../../src/policy/spam/word-list.ts';
import { Author, type Draft, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { until } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, type Settings, startRelay, testConfig } from '../support/relay.ts';
import { wokHere } from '../support/wok.ts';

const ON: Settings = {
  'spam.mode': 'enforce',
  'spam.points': ['new-key 0'],
  'ingester.workers': 2,
};

const COPY =
  'Dear friends, my trading mentor has doubled my savings within a single week, write to him today and thank me later';

async function start(settings: Settings = {}, directory = freshDirectory()) {
  const relay = await startRelay({ ...ON, ...settings }, directory);
  const client = await Client.connect(relay.url);
  const clients = [client];
  onTestFinished(async () => {
    for (const { socket } of clients) socket.terminate();
    await relay.stop();
  });
  return {
    relay,
    client,
    directory,
    connect: async () => {
      const another = await Client.connect(relay.url);
      clients.push(another);
      return another;
    },
    publish: (draft: Draft, author = new Author()) => client.publish(author.event(draft)),
    mod: (...args: string[]) => wokHere(['mod', ...args, '--data', directory]),
  };
}

describe('a text', () => {
  it('is reduced to what spammers do not vary', () => {
    const words = 'hi how are you see'.split(' ');
    const { words: found, ...facts } = factsOf(
      'Hi nostr:npub1qqqsyqcyq5rqwzqfpg9scrgwpugpzysn 17, HOW are   you?! See https://Evil.example/a?b=1 https://evil.example/2',
    );
    expect(found).toEqual([...words, 'evil.example']);
    expect(facts).toMatchObject({ links: 2, hosts: 1, addresses: 1 });
  });

  it('without spaces is cut into pieces, and fancy letters are plain ones', () => {
    expect(factsOf('好'.repeat(30)).words).toEqual(Array(10).fill('好好好'));
    expect(factsOf('𝐅𝐫𝐞𝐞 ｍｏｎｅｙ').words).toEqual(['free', 'money']);
  });

  it.each([
    ['empty', ''],
    ['a digit', '1'],
    ['no link', 'https:// ://'],
    ['half a character', '\ud800'],
    ['longer in lower case', 'İ'.repeat(100)],
    ['very long', '😀x'.repeat(9000)],
  ])('may be %s', (_, text) => {
    expect(factsOf(text).words.length).toBeLessThan(2000);
  });
});

describe('likeness', () => {
  const random = new Random(testSeed('likeness'));
  const vocabulary = Array.from({ length: 3000 }, () =>
    Array.from({ length: 2 + random.below(8) }, () =>
      String.fromCharCode(97 + random.below(26)),
    ).join(''),
  );
  const text = (words: number) => Array.from({ length: words }, () => random.pick(vocabulary));
  const key = () => random.hex(64);

  it('finds most copies in which a few words were changed, and no different texts', () => {
    const texts = new RecentTexts(RecentTexts.share());
    let found = 0;
    for (let round = 0; round < 100; round++) {
      const original = text(30);
      let most = 0;
      for (let copy = 0; copy < 10; copy++) {
        const changed = [...original];
        for (let i = 0; i < 2; i++) changed[random.below(30)] = random.pick(vocabulary);
        most = Math.max(most, texts.see(fingerprintOf(changed), key(), 1000, 3600, 11).keys);
      }
      if (most >= 3) found++;
    }
    expect(found).toBeGreaterThan(80);
    let wrong = 0;
    for (let round = 0; round < 3000; round++) {
      if (texts.see(fingerprintOf(text(30)), key(), 1000, 3600, 11).keys > 1) wrong++;
    }
    expect(wrong).toBeLessThan(5);
  });

  it('counts keys, not copies, and forgets after its time', () => {
    const texts = new RecentTexts(RecentTexts.share());
    const print = fingerprintOf(text(20));
    const same = key();
    for (let i = 1; i <= 5; i++) {
      expect(texts.see(print, same, 1000, 60, 9)).toEqual({ keys: 1, times: i });
    }
    expect(texts.see(print, `00000001${random.hex(56)}`, 1060, 60, 9).times).toBe(6);
    expect(texts.see(print, key(), 1121, 60, 9)).toEqual({ keys: 1, times: 1 });
  });

  it('stays bounded and keeps the newest', () => {
    const texts = new RecentTexts(RecentTexts.share());
    const first = fingerprintOf(text(20));
    texts.see(first, key(), 1000, 3600, 9);
    for (let i = 0; i < 40_000; i++) {
      const print = { high: random.below(2 ** 32) | 0, low: random.below(2 ** 32) | 0 };
      texts.see(print, key(), 1000, 3600, 0);
    }
    const last = fingerprintOf(text(20));
    texts.see(last, `00000001${random.hex(56)}`, 1000, 3600, 9);
    expect(texts.see(last, `00000002${random.hex(56)}`, 1000, 3600, 9).keys).toBe(2);
    expect(texts.see(first, key(), 1000, 3600, 0).times).toBe(1);
    expect(distance(first, first.high, ~first.low)).toBe(32);
  });
});

describe('a word list', () => {
  it('has words, phrases and expressions, with points, and is read again when it changes', async () => {
    const file = join(freshDirectory(), 'words');
    writeFileSync(file, '# bad\nviagra\n80 Free   Airdrop\n\n30 /(?i)call \\+\\d{3}/\n5 /(/\n');
    const complaints: string[] = [];
    const list = new WordList(file, (text) => complaints.push(text));
    const hits = (text: string) => list.hits(factsOf(text).words, text);
    expect(hits('buy VIAGRA, viagra!')).toEqual({ points: 50, found: ['viagra'] });
    expect(hits('a free airdrop')).toEqual({ points: 80, found: ['free airdrop'] });
    expect(hits('a free airdropper')).toEqual({ points: 0, found: [] });
    expect(hits('Call +123 now')).toMatchObject({ points: 30 });
    expect(complaints).toEqual([
      expect.stringMatching(/words line 6: \( is not an RE2 expression/),
    ]);
    writeFileSync(file, 'roses\n');
    utimesSync(file, 1, 1);
    await until(() => hits('roses').points === 50, 'the new list');
    expect(hits('viagra').points).toBe(0);
    expect(new WordList('/nowhere', (text) => complaints.push(text)).hits(['x'], 'x').points).toBe(
      0,
    );
    expect(complaints.at(-1)).toBe('there is no file /nowhere');
    // What cannot be read leaves the words as they are.
    rmSync(file);
    mkdirSync(file);
    await until(() => hits('roses').points === 50 && complaints.at(-1)!.includes('EISDIR'), 'it');
    expect(complaints.at(-1)).toMatch(/words cannot be read: EISDIR/);
  });
});

const tags = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => [name, i.toString(16).padStart(64, '0')]);

const links = (count: number) =>
  Array.from({ length: count }, (_, i) => `https://${i}.example/x`).join(' ');

describe('spam.mode enforce: contents and new keys', () => {
  it('refuses too many links, mentions, hashtags or capitals, and names them', async () => {
    const use = await start({ 'spam.reject_points': 5, 'spam.quarantine_points': 0 });
    const cases: [Draft, string | null][] = [
      [{ content: links(4) }, '4 links'],
      [{ content: links(3) }, null],
      [{ tags: tags('p', 21) }, '21 mentions'],
      [{ tags: tags('p', 20) }, null],
      [{ tags: tags('t', 9) }, '9 hashtags'],
      [{ tags: tags('t', 8) }, null],
      [{ content: 'THIS IS THE VERY LAST WARNING BEFORE THE END' }, 'nearly all in capitals'],
      [{ content: 'This is the very last WARNING before the END' }, null],
      [{ content: 'TO THE MOON' }, null],
      [{ content: links(5), tags: tags('t', 10) }, '5 links, 10 hashtags'],
      // Other kinds are not examined.
      [{ kind: 30_078, content: links(9) }, null],
    ];
    for (const [draft, why] of cases) {
      const [, , accepted, message] = await use.publish(draft);
      expect([accepted, message]).toEqual(
        why === null ? [true, ''] : [false, `blocked: this looks like spam (${why})`],
      );
    }
  });

  it('refuses keys without a profile here, if that alone has the points', async () => {
    const use = await start({
      'spam.reject_points': 25,
      'spam.points': ['new-key 25'],
      'storage.index_batch_events': 1,
    });
    const author = new Author();
    expect((await use.publish({ kind: 0, content: '{}' }, author))[2]).toBe(true);
    expect((await use.publish({}, author))[2]).toBe(true);
    expect((await use.publish({}))[3]).toBe(
      'blocked: this looks like spam (a key without a profile here)',
    );
  });
});

describe('spam.mode enforce: copies, reports and trusted keys', () => {
  it('refuses copies by several keys, in all ingester workers, with small changes', async () => {
    const use = await start({ 'spam.reject_points': 60, 'spam.quarantine_points': 0 });
    const other = await use.connect();
    const answers = [];
    for (let i = 0; i < 6; i++) {
      const content = `${COPY} ${i} nostr:npub1${'qpzry9x8gf'.repeat(5)}${i}`;
      const client = i % 2 === 0 ? use.client : other;
      answers.push(await client.publish(new Author().event({ content })));
    }
    // Keys fall into 32 classes, so six of them may count as fewer.
    expect(answers.slice(0, 2).map(([, , accepted]) => accepted)).toEqual([true, true]);
    expect(answers.at(-1)!.slice(2, 3)).toEqual([false]);
    expect(answers.at(-1)![3]).toMatch(
      /^blocked: this looks like spam \(the same text from [3-6] keys\)$/,
    );
    // Repeated texts of one key are not the concern of this part, nor are short texts.
    const author = new Author();
    for (let i = 0; i < 5; i++) {
      const content = 'the weather is rather nice today in the southern parts of the country';
      expect((await use.publish({ content, tags: [['n', String(i)]] }, author))[2]).toBe(true);
      expect((await use.publish({ content: 'good morning nostr' }))[2]).toBe(true);
    }
    expect(use.relay.relay.metricsText()).toMatch(
      /^wok_spam_parts_total\{part="duplicate"\} [1-9]/m,
    );
  });

  it('refuses keys that trusted reporters have reported', async () => {
    const [reporter, spammer] = [new Author(), new Author()];
    const use = await start({
      'moderation.trusted_reporters': reporter.pubkey,
      'spam.reject_points': 40,
      'storage.index_batch_events': 1,
    });
    const report = (author: Author) =>
      author.event({ kind: 1984, tags: [['p', spammer.pubkey, 'spam']] });
    expect((await use.client.publish(report(new Author())))[2]).toBe(true);
    expect((await use.client.publish(report(reporter)))[2]).toBe(true);
    expect((await use.publish({}, spammer))[3]).toBe(
      'blocked: this looks like spam (reported by 1 trusted reporters)',
    );
    expect((await use.publish({}))[2]).toBe(true);
  });

  it('exempts trusted keys', async () => {
    const author = new Author();
    const use = await start({
      'moderation.trusted_reporters': author.pubkey,
      'spam.quarantine_points': 0,
    });
    const tags = Array.from({ length: 30 }, () => ['t', 'x']);
    expect((await use.publish({ tags }, author))[2]).toBe(true);
    expect((await use.publish({ tags }))[2]).toBe(false);
  });

  it('shadow-rejects if that threshold is the highest one reached', async () => {
    const use = await start({ 'spam.shadow_points': 150, 'spam.reject_points': 100 });
    const hashtags = (count: number) => Array.from({ length: count }, () => ['t', 'x']);
    const shadowed = new Author().event({ tags: hashtags(8 + 15) });
    expect((await use.client.publish(shadowed)).slice(2)).toEqual([true, '']);
    expect((await use.client.query({ ids: [shadowed.id] })).events).toEqual([]);
    expect((await use.publish({ tags: hashtags(8 + 14) }))[2]).toBe(false);
  });
});

describe('modes', () => {
  it('observe says and counts what enforce would do, and does nothing; a reload changes modes', async () => {
    const use = await start({ 'spam.mode': 'observe', 'spam.reject_points': 10 });
    const spam = { tags: Array.from({ length: 9 }, () => ['t', 'x']) };
    expect((await use.publish(spam))[2]).toBe(true);
    expect(use.relay.said.join()).toContain('would be: reject');
    expect(use.relay.said.join()).toContain('hashtags 10 (9 hashtags)');
    const count = () =>
      /^wok_spam_results_total\{result="reject"\} (\d+)/m.exec(use.relay.relay.metricsText())?.[1];
    expect(count()).toBe('1');
    const reload = (mode: string) =>
      use.relay.relay.reload(
        testConfig(use.directory, { ...ON, 'spam.mode': mode, 'spam.reject_points': 10 }),
      );
    await reload('enforce');
    expect((await use.publish(spam))[2]).toBe(false);
    await reload('off');
    expect((await use.publish(spam))[2]).toBe(true);
    expect(count()).toBe('2');
  });
});

describe('quarantine', () => {
  const SETTINGS: Settings = { 'spam.quarantine_points': 10, 'spam.reject_points': 0 };
  const SPAM = { tags: Array.from({ length: 9 }, () => ['t', 'spam']) };
  const HELD = 'this event is held in quarantine until a moderator of this relay has reviewed it';

  it('keeps events unseen by every path until they are released, also over a restart', async () => {
    const use = await start(SETTINGS);
    const author = new Author();
    const [held, dropped] = [author.event(SPAM), new Author().event({ ...SPAM, content: 'bad' })];
    const reader = await use.connect();
    await reader.req('live', { '#t': ['spam'] });
    for (const event of [held, dropped]) {
      expect((await use.client.publish(event)).slice(2)).toEqual([true, HELD]);
      expect((await use.client.publish(event)).slice(2)).toEqual([true, HELD]);
    }
    for (const filter of [{ ids: [held.id] }, { authors: [author.pubkey] }, { '#t': ['spam'] }]) {
      expect((await use.client.query(filter)).events).toEqual([]);
      expect((await use.client.count(filter))[2]).toEqual({ count: 0 });
    }
    const listed = await use.mod('quarantine', '--json');
    const rows = JSON.parse(listed.out) as { id: string; why: string }[];
    expect(rows.map(({ id }) => id).sort()).toEqual([held.id, dropped.id].sort());
    expect(rows[0]!.why).toBe('10 points: 9 hashtags');
    expect((await use.mod('quarantine')).out).toContain('10 points: 9 hashtags');
    expect(reader.inbox).toEqual([]);
    await use.relay.stop();

    const again = await start(SETTINGS, use.directory);
    const follower = await again.connect();
    await follower.req('live', { '#t': ['spam'] });
    expect((await again.mod('discard', dropped.id)).out).toContain('1 events were discarded');
    expect((await again.mod('release', author.pubkey, '--reason', 'a friend')).out).toContain(
      '1 events were released',
    );
    expect(await follower.live('live')).toEqual(held);
    expect((await again.client.query({ '#t': ['spam'] })).events).toEqual([held]);
    await until(
      async () => (await again.mod('quarantine')).out.includes('The quarantine is empty'),
      'the row to go',
    );
    expect((await again.mod('audit')).out).toContain('release quarantined');
  });

  it('respects deletions, is bounded, and drops what is too old', async () => {
    const use = await start({
      ...SETTINGS,
      'spam.quarantine_max': 2,
      'spam.quarantine_seconds': 60,
      'writer.expired_purge_seconds': 1,
    });
    const author = new Author();
    const deleted = author.event(SPAM);
    await use.client.publish(author.deletion([['e', deleted.id]], now()));
    expect((await use.client.publish(deleted))[3]).toMatch(/^blocked: .*deleted/);
    const events = [1, 2, 3].map((i) => new Author().event({ ...SPAM, content: `spam ${i}` }));
    for (const event of events) await use.client.publish(event);
    const ids = async () =>
      (JSON.parse((await use.mod('quarantine', '--json')).out) as { id: string }[])
        .map(({ id }) => id)
        .sort();
    expect(await ids()).toEqual(
      events
        .slice(1)
        .map(({ id }) => id)
        .sort(),
    );
  });
});
