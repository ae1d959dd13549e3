// Tests of REQ and CLOSE against a real relay over WebSocket: filters, order, EOSE with its hint
// (NIP-67), and subscriptions.

import { beforeAll, describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import { closed, eose, idsOf, notice } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import type { Client } from '../../support/client.ts';
import { INVALID_FILTERS } from '../../support/generator.ts';
import { newestFirst } from '../../support/oracle.ts';
import { ALL_HINTS, ANY_TIME } from '../../support/relay.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

/** Time of the whole file, in seconds, so that events a second apart stay so. */
const NOW = now();
const NO_EVENTS = { authors: ['0'.repeat(64)] };

/** Publishes all events without waiting in between, then expects that each was accepted. */
async function publish(client: Client, events: readonly NostrEvent[]): Promise<void> {
  for (const event of events) client.send(['EVENT', event]);
  for (const { id } of events) expect(await client.ok(id)).toMatchObject({ 2: true });
}

/** Makes events a second apart, newest first. */
function series(author: Author, count: number, draft: object = {}): NostrEvent[] {
  return Array.from({ length: count }, (_, i) =>
    author.event({ created_at: NOW - 10 - i, ...draft }),
  );
}

/** Registers tests of subscription ids. */
function idTests(use: RelayInUse): void {
  describe('takes any subscription id of 1 to 64 characters and echoes it', () => {
    it.each([
      'a',
      ' ',
      '"',
      '\\',
      '\u0000\n\t',
      '","x","',
      'ünïcödé',
      '\u05d0\u200f',
      '\u{1f600}'.repeat(64),
      'x'.repeat(64),
      '日'.repeat(64),
      '__proto__',
      'constructor',
    ])('%j', async (subId) => {
      const author = new Author();
      const [stored, live] = [author.event(), author.event()];
      await use.client.publish(stored);
      const answer = await use.client.req(subId, { authors: [author.pubkey] });
      expect(answer).toEqual({ events: [stored], end: eose(subId, 'finish') });
      await use.client.publish(live);
      expect(await use.client.live(subId)).toEqual(live);
      use.client.send(['CLOSE', subId]);
      await use.client.sync();
      await use.client.publish(author.event());
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it.each(['', 'x'.repeat(65), '\u{1f600}'.repeat(65)])('and no other: %j', async (subId) => {
      use.client.send(['REQ', subId, {}]);
      expect(await use.client.any()).toEqual(closed(subId, 'invalid'));
    });

    it('and none that is too long to be echoed', async () => {
      use.client.send(['REQ', 'x'.repeat(100_000), {}]);
      expect(await use.client.any()).toEqual(notice('invalid'));
    });

    it('and none with a lone surrogate, which it could not echo', async () => {
      use.client.send('["REQ","a\\ud800b",{}]');
      expect(await use.client.any()).toEqual(closed('a\ufffdb', 'invalid'));
    });

    it.each(['["REQ"]', '["REQ",1,{}]', '["REQ",null,{}]', '["REQ",["x"],{}]', '["REQ",{}]'])(
      'and answers by NOTICE when it is no text: %s',
      async (text) => {
        use.client.send(text);
        expect(await use.client.any()).toEqual(notice('invalid'));
      },
    );
  });

  it('keeps the subscriptions of connections apart, whatever their ids', async () => {
    const author = new Author();
    const other = await use.connect();
    await use.client.req('same', { authors: [author.pubkey], kinds: [1] });
    await other.req('same', { authors: [author.pubkey], kinds: [7] });
    const [note, reaction] = [author.event(), author.event({ kind: 7 })];
    await publish(other, [note, reaction]);
    expect(await use.client.live('same')).toEqual(note);
    expect(await other.live('same')).toEqual(reaction);
    use.client.send(['CLOSE', 'same']);
    await use.client.sync();
    const another = author.event({ kind: 7 });
    await other.publish(another);
    expect(await other.live('same')).toEqual(another);
    expect(use.client.inbox).toEqual([]);
  });
}

/** Registers tests of a REQ with the id of an open subscription. */
function reuseTests(use: RelayInUse): void {
  describe('with the id of an open subscription', () => {
    it('replaces it', async () => {
      const [before, after] = [new Author(), new Author()];
      await use.client.req('s', { authors: [before.pubkey] });
      await use.client.req('s', { authors: [after.pubkey] });
      const [stray, wanted] = [before.event(), after.event()];
      await publish(use.client, [stray, wanted]);
      expect(await use.client.live('s')).toEqual(wanted);
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it('ends the old query: nothing of it comes after the new EOSE', async () => {
      const author = new Author();
      const content = 'x'.repeat(5_000);
      const old = series(author, 300, { content });
      const wanted = author.event({ kind: 7 });
      await publish(use.client, [...old, wanted]);
      for (let round = 0; round < 5; round++) {
        use.client.send(['REQ', 's', { authors: [author.pubkey], kinds: [1] }]);
        use.client.send(['REQ', 's', { ids: [wanted.id] }]);
        await use.client.next(
          ([verb, , event]) => verb === 'EVENT' && (event as NostrEvent).id === wanted.id,
        );
        await use.client.sync();
        const rest = use.client.inbox.splice(0);
        expect(rest.at(-1)).toEqual(eose('s', 'finish'));
      }
      const live = author.event();
      await use.client.publish(live);
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it('and the same filters is run again', async () => {
      const author = new Author();
      const event = author.event();
      await use.client.publish(event);
      for (let i = 0; i < 3; i++) {
        const answer = await use.client.req('s', { authors: [author.pubkey] });
        expect(answer).toEqual({ events: [event], end: eose('s', 'finish') });
      }
      const live = author.event();
      await use.client.publish(live);
      expect(await use.client.live('s')).toEqual(live);
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it('ends it when it is refused', async () => {
      const author = new Author();
      for (const refused of [{ kinds: ['1'] }, { search: 'x' }, 'no filter']) {
        await use.client.req('s', { authors: [author.pubkey] });
        expect((await use.client.req('s', refused)).end[0]).toBe('CLOSED');
      }
      await use.client.req('s', { authors: [author.pubkey] });
      use.client.send('["REQ","s",{"authors":');
      expect(await use.client.any()).toEqual(closed('s', 'invalid'));
      await use.client.publish(author.event());
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });
  });
}

/** Registers tests of filters that are refused, and of those that match nothing. */
function refusalTests(use: RelayInUse): void {
  describe('that is bad is answered by CLOSED with its id', () => {
    it('without filters', async () => {
      use.client.send(['REQ', 's']);
      expect(await use.client.any()).toEqual(closed('s', 'invalid'));
    });

    it.each(
      INVALID_FILTERS.map(({ filter, prefix }) => [JSON.stringify(filter) ?? 'null', prefix]),
    )('%s: %s', async (filter, prefix) => {
      use.client.send(`["REQ","s",${filter}]`);
      expect(await use.client.any()).toEqual(closed('s', prefix as 'invalid'));
      use.client.send(`["REQ","t",{"limit":1},${filter}]`);
      expect(await use.client.any()).toEqual(closed('t', prefix as 'invalid'));
    });

    it.each(['{"kinds":[1]', '{"kinds":[1],}', "{'kinds':[1]}", 'undefined', 'NaN'])(
      'that is no JSON: %s',
      async (filter) => {
        use.client.send(`["REQ","s",${filter}]`);
        expect(await use.client.any()).toEqual(closed('s', 'invalid'));
      },
    );
  });

  describe('with an empty list matches nothing', () => {
    it.each(['ids', 'authors', 'kinds', '#e', '#p', '#t'])('%s', async (key) => {
      const author = new Author();
      await use.client.publish(author.event());
      const answer = await use.client.req('s', { [key]: [] });
      expect(answer).toEqual({ events: [], end: eose('s', 'finish') });
      const both = await use.client.req('t', { [key]: [] }, { authors: [author.pubkey] });
      expect(both.events).toHaveLength(1);
      const live = author.event();
      await use.client.publish(live);
      expect(await use.client.live('t')).toEqual(live);
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });
  });
}

/** Registers tests of since and until. */
function timeTests(use: RelayInUse): void {
  describe('with since and until', () => {
    const author = new Author();
    const events = series(author, 5);
    const [newest, , middle, , oldest] = events as [
      NostrEvent,
      NostrEvent,
      NostrEvent,
      NostrEvent,
      NostrEvent,
    ];
    const find = async (filter: object) =>
      idsOf((await use.client.query({ authors: [author.pubkey], ...filter })).events);

    beforeAll(async () => {
      const client = await use.connect();
      await publish(client, events);
    });

    it('includes both ends', async () => {
      const [since, until] = [oldest.created_at, newest.created_at];
      expect(await find({ since, until })).toEqual(idsOf(events));
      expect(await find({ since: since + 1 })).toEqual(idsOf(events.slice(0, 4)));
      expect(await find({ until: until - 1 })).toEqual(idsOf(events.slice(1)));
      const { created_at } = middle;
      expect(await find({ since: created_at, until: created_at })).toEqual([middle.id]);
    });

    it('in the wrong order matches nothing, which is no error', async () => {
      const filter = { authors: [author.pubkey], since: NOW, until: NOW - 1000 };
      const answer = await use.client.req('s', filter);
      expect(answer).toEqual({ events: [], end: eose('s', 'finish') });
    });

    it.each([
      [{ since: -5 }, 5],
      [{ until: 1e300 }, 5],
      [{ until: 2 ** 53 }, 5],
      [{ since: -(2 ** 60), until: 2 ** 60 }, 5],
      [{ since: 0, until: 0 }, 0],
      [{ since: 1e300 }, 0],
      [{ since: 2 ** 53 }, 0],
      [{ until: -1 }, 0],
      [{ since: -7, until: -3 }, 0],
    ])('takes whole numbers of any size: %j', async (filter, count) => {
      expect(await find(filter)).toHaveLength(count);
    });

    it('holds for live events as well, both ends included', async () => {
      const author = new Author();
      const authors = [author.pubkey];
      await use.client.req('s', { authors, since: NOW - 5, until: NOW + 5 });
      const at = (created_at: number) => author.event({ created_at });
      const events = [-6, -5, 0, 5, 6].map((seconds) => at(NOW + seconds));
      await publish(use.client, events);
      for (const event of events.slice(1, 4)) expect(await use.client.live('s')).toEqual(event);
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it('is not closed after EOSE when until is past', async () => {
      const author = new Author();
      await use.client.req('s', { authors: [author.pubkey], until: NOW - 1000 });
      const late = author.event({ created_at: NOW - 2000 });
      await use.client.publish(late);
      expect(await use.client.live('s')).toEqual(late);
    });
  });
}

/** Registers tests of the order of an answer. */
function orderTests(use: RelayInUse): void {
  describe('answers in order', () => {
    it('newest first, the lowest id first where the second is the same', async () => {
      const author = new Author();
      const events = Array.from({ length: 40 }, (_, i) =>
        author.event({ created_at: NOW - 50 - (i % 4) }),
      );
      await publish(use.client, events);
      const sorted = idsOf([...events].sort(newestFirst));
      const filter = { authors: [author.pubkey] };
      expect(idsOf((await use.client.query(filter)).events)).toEqual(sorted);
      for (const limit of [1, 5, 10, 11, 39, 40, 41]) {
        const { events: found } = await use.client.query({ ...filter, limit });
        expect(idsOf(found)).toEqual(sorted.slice(0, limit));
      }
    });

    it('over all filters, each event once, each filter with its own limit', async () => {
      const [one, another] = [new Author(), new Author()];
      const [ones, others] = [series(one, 6), series(another, 6)];
      await publish(use.client, [...ones, ...others]);
      const { events, end } = await use.client.req(
        's',
        { authors: [one.pubkey], limit: 4 },
        { authors: [another.pubkey], limit: 2 },
        { ids: [ones[0]!.id, ones[5]!.id, others[1]!.id] },
      );
      const wanted = [...ones.slice(0, 4), ones[5]!, ...others.slice(0, 2)];
      expect(idsOf(events)).toEqual(idsOf(wanted.sort(newestFirst)));
      expect(end).not.toEqual(eose('s', 'finish'));
    });
  });
}

/** Registers tests of limits, stored and live, and of large or missing events. */
function limitTests(use: RelayInUse): void {
  describe('with limit 0', () => {
    it('sends no stored events, but EOSE and what is new', async () => {
      const author = new Author();
      await use.client.publish(author.event());
      const filter = { authors: [author.pubkey], limit: 0 };
      expect(await use.client.req('s', filter)).toEqual({ events: [], end: eose('s') });
      expect(await use.client.req('t', filter, filter)).toEqual({ events: [], end: eose('t') });
      const live = author.event();
      await use.client.publish(live);
      expect(await use.client.live('s')).toEqual(live);
      expect(await use.client.live('t')).toEqual(live);
    });

    it('beside a filter with another limit sends the events of that one', async () => {
      const author = new Author();
      const events = series(author, 3);
      await publish(use.client, events);
      const authors = [author.pubkey];
      const answer = await use.client.req('s', { authors, limit: 0 }, { authors, limit: 2 });
      expect(answer.events).toEqual(events.slice(0, 2));
    });
  });

  it('with a limit sends what is new without one', async () => {
    const author = new Author();
    await publish(use.client, series(author, 3));
    await use.client.req('s', { authors: [author.pubkey], limit: 1 });
    const live = Array.from({ length: 4 }, () => author.event());
    await publish(use.client, live);
    for (const event of live) expect(await use.client.live('s')).toEqual(event);
  });

  it('for an id stays open after EOSE, and brings the event when it comes', async () => {
    const event = new Author().event();
    expect(await use.client.req('s', { ids: [event.id] })).toEqual({
      events: [],
      end: eose('s', 'finish'),
    });
    await use.client.publish(event);
    expect(await use.client.live('s')).toEqual(event);
  });

  it('serves the large follow list of a kind 3', async () => {
    const author = new Author();
    const tags = Array.from({ length: 1_500 }, (_, i) => ['p', i.toString(16).padStart(64, '0')]);
    const event = author.event({ kind: 3, tags });
    await use.client.req('live', { '#p': [tags[1_499]![1]], authors: [author.pubkey] });
    await use.client.publish(event);
    expect(await use.client.live('live')).toEqual(event);
    expect((await use.client.query({ kinds: [3], '#p': [tags[700]![1]] })).events).toEqual([event]);
  });
}

/** Registers tests of CLOSE. */
function closeTests(use: RelayInUse): void {
  describe('CLOSE', () => {
    it('ends a subscription, without an answer', async () => {
      const author = new Author();
      await use.client.req('s', { authors: [author.pubkey] });
      await use.client.req('t', { authors: [author.pubkey] });
      use.client.send(['CLOSE', 's']);
      // CLOSE has no answer; the answer to a later message shows that it was handled.
      await use.client.sync();
      const event = author.event();
      await use.client.publish(event);
      expect(await use.client.live('t')).toEqual(event);
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it('of an unknown id is no error', async () => {
      for (const subId of ['never there', '', 'x'.repeat(1000)]) use.client.send(['CLOSE', subId]);
      use.client.send('["CLOSE","s","and more"]');
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it('of something that is no id is answered by NOTICE', async () => {
      for (const text of ['["CLOSE"]', '["CLOSE",1]', '["CLOSE",null]', '["CLOSE",["s"]]']) {
        use.client.send(text);
        expect(await use.client.any()).toEqual(notice('invalid'));
      }
    });

    it('right after its REQ leaves nothing behind', async () => {
      const author = new Author();
      await publish(use.client, series(author, 20));
      for (let i = 0; i < 20; i++) {
        use.client.send(['REQ', 's', { authors: [author.pubkey] }]);
        use.client.send(['CLOSE', 's']);
      }
      await use.client.sync();
      use.client.inbox.splice(0);
      await use.client.publish(author.event());
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });
  });
}

/** Registers the test of events that are published while a REQ is answered. */
function liveTests(use: RelayInUse): void {
  it('brings what is published meanwhile exactly once, before or after EOSE', async () => {
    const author = new Author();
    const stored = series(author, 100);
    await publish(use.client, stored);
    const publisher = await use.connect();
    const fresh = Array.from({ length: 60 }, () => author.event());
    const filter = { authors: [author.pubkey] };
    for (const [i, event] of fresh.entries()) {
      publisher.send(['EVENT', event]);
      if (i % 3 === 0) use.client.send(['REQ', `s${i / 3}`, filter]);
      // Lets the event loop write to the socket, so that messages arrive while the relay works.
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { id } of fresh) await publisher.ok(id);
    const all = idsOf([...stored, ...fresh]).sort();
    for (let i = 0; i < 20; i++) {
      const { events, end } = await use.client.stored(`s${i}`);
      expect(end).toEqual(eose(`s${i}`, 'finish'));
      const live: NostrEvent[] = [];
      while (events.length + live.length < all.length) live.push(await use.client.live(`s${i}`));
      expect(idsOf([...events, ...live]).sort()).toEqual(all);
    }
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });
}

describe('REQ', () => {
  const use = useRelay(ALL_HINTS);

  idTests(use);
  reuseTests(use);
  refusalTests(use);
  timeTests(use);
  orderTests(use);
  limitTests(use);
  closeTests(use);
  liveTests(use);
});

/** Returns a time before that of the file, in seconds. */
const at = (ago: number) => NOW - 20 - ago;

/** Returns one event of each sort that the filters tell apart, newest first; `id` is referenced. */
function eventsOf(ann: Author, bob: Author, id: string) {
  return {
    profile: ann.event({ kind: 0, created_at: at(0) }),
    note: ann.event({
      created_at: at(1),
      tags: [
        ['t', 'nostr'],
        ['e', id],
        ['p', bob.pubkey],
      ],
    }),
    reply: bob.event({
      created_at: at(2),
      tags: [
        ['e', id],
        ['p', ann.pubkey],
        ['n', 'x'],
      ],
    }),
    reaction: bob.event({
      kind: 7,
      created_at: at(3),
      tags: [
        ['p', ann.pubkey],
        ['k', '1'],
      ],
    }),
    article: ann.event({
      kind: 30_023,
      created_at: at(4),
      tags: [
        ['d', 'x'],
        ['t', 'Nostr'],
      ],
    }),
    other: ann.event({
      kind: 30_023,
      created_at: at(5),
      tags: [
        ['d', 'y'],
        ['g', 'u33d'],
      ],
    }),
    comment: bob.event({
      kind: 1111,
      created_at: at(6),
      tags: [
        ['A', `30023:${ann.pubkey}:x`],
        ['a', `30023:${ann.pubkey}:x`],
        ['E', id],
      ],
    }),
    repost: ann.event({
      kind: 6,
      created_at: at(7),
      tags: [
        ['k', '1'],
        ['n', 'x'],
      ],
    }),
    follows: bob.event({ kind: 3, created_at: at(8), tags: [['p', ann.pubkey]] }),
  };
}

describe('REQ finds', () => {
  const use = useRelay({ ...ALL_HINTS, 'storage.index_batch_events': 4 });
  const [ann, bob] = [new Author(), new Author()] as [Author, Author];
  const id = 'ab'.repeat(32);
  const events = eventsOf(ann, bob, id);
  type Name = keyof typeof events;
  const names = Object.keys(events) as Name[];

  beforeAll(async () => {
    const client = await use.connect();
    await publish(client, Object.values(events));
  });

  const { pubkey: a } = ann;
  const { pubkey: b } = bob;
  it.each<[string, object, Name[]]>([
    ['one id', { ids: [events.note.id] }, ['note']],
    ['several ids', { ids: [events.note.id, id, events.repost.id] }, ['note', 'repost']],
    ['an id and another kind', { ids: [events.note.id], kinds: [7] }, []],
    ['an id and its author', { ids: [events.note.id], authors: [a] }, ['note']],
    ['a pubkey', { authors: [b] }, ['reply', 'reaction', 'comment', 'follows']],
    ['pubkey and kind', { authors: [a], kinds: [30_023] }, ['article', 'other']],
    ['pubkey and #p', { authors: [b], '#p': [a] }, ['reply', 'reaction', 'follows']],
    ['kind and #n', { kinds: [1], '#n': ['x'] }, ['reply']],
    ['#n', { '#n': ['x'] }, ['reply', 'repost']],
    ['#k', { '#k': ['1'] }, ['reaction', 'repost']],
    ['two tags at once', { '#e': [id], '#p': [a] }, ['reply']],
    ['two values of a tag', { '#p': [a, b], kinds: [1] }, ['note', 'reply']],
    ['#d', { '#d': ['x'] }, ['article']],
    ['#a', { '#a': [`30023:${a}:x`] }, ['comment']],
    ['#A', { '#A': [`30023:${a}:x`] }, ['comment']],
    ['#E and not #e', { '#E': [id] }, ['comment']],
    ['#e and not #E', { '#e': [id] }, ['note', 'reply']],
    ['#g', { '#g': ['u33d'] }, ['other']],
    ['no prefix of #g', { '#g': ['u33'] }, []],
    ['no prefix of #a', { '#a': [`30023:${a}:`] }, []],
    ['#t in its case', { '#t': ['nostr'] }, ['note']],
    ['#t in another case', { '#t': ['Nostr'] }, ['article']],
    ['kinds', { kinds: [0, 3, 6] }, ['profile', 'repost', 'follows']],
    ['nobody', NO_EVENTS, []],
    ['everything', {}, names],
    ['everything since', { since: at(2) }, ['profile', 'note', 'reply']],
    ['everything of a year', { until: NOW, since: NOW - 86_400 * 365 }, names],
  ])('%s', async (_, filter, found) => {
    const { events: answer, end } = await use.client.req('s', filter);
    expect(answer).toEqual(found.map((name) => events[name]));
    expect(end).toEqual(eose('s', 'finish'));
  });
});

/** Registers tests of answers that are cut within a second. */
function secondTests(use: RelayInUse): void {
  it('does not split a second when the cap of the relay cuts', async () => {
    const author = new Author();
    const seconds = [3, 3, 3].map((count, i) =>
      Array.from({ length: count }, () => author.event({ created_at: NOW - 100 - i })),
    );
    const sorted = seconds.flat().sort(newestFirst);
    await publish(use.client, sorted);
    const page = { authors: [author.pubkey] };
    const first = await use.client.req('s', page);
    // The cap is 5, and it does not cut within a second: that second comes whole.
    expect(first.events).toEqual(sorted.slice(0, 6));
    expect(first.end).toEqual(eose('s', 'more'));
    const seen = [...first.events];
    while (seen.length < sorted.length) {
      const until = seen.at(-1)!.created_at - 1;
      const { events } = await use.client.query({ ...page, until });
      expect(events.length).toBeGreaterThan(0);
      seen.push(...events);
    }
    expect(seen).toEqual(sorted);
  });

  it.each([
    ['without a limit', {}, 5, 8],
    ['with a much higher limit', { limit: 100 }, 10, 13],
    ['with a limit in that second', { limit: 11 }, 10, 11],
  ])('completes the second in which its cap would cut, %s', async (_, asked, cap, come) => {
    const author = new Author();
    const sorted = [cap - 3, 6, 4]
      .flatMap((count, i) =>
        Array.from({ length: count }, () => author.event({ created_at: NOW - 100 - i })),
      )
      .sort(newestFirst);
    await publish(use.client, sorted);
    const { events, end } = await use.client.req('s', { authors: [author.pubkey], ...asked });
    expect(events).toEqual(sorted.slice(0, come));
    expect(end).toEqual(eose('s', 'more'));
  });

  it('splits a second that is larger than the cap', async () => {
    const author = new Author();
    const events = Array.from({ length: 12 }, () => author.event({ created_at: NOW - 100 }));
    await publish(use.client, events);
    const { events: found, end } = await use.client.req('s', { authors: [author.pubkey] });
    expect(found).toEqual([...events].sort(newestFirst).slice(0, 5));
    expect(end).toEqual(eose('s', 'more'));
  });
}

describe('EOSE says whether there is more (NIP-67)', () => {
  const use = useRelay({
    ...ALL_HINTS,
    ...ANY_TIME,
    'limits.limit_max': 10,
    'limits.limit_default': 5,
  });

  it.each([
    [0, {}, 0, 'finish'],
    [4, {}, 4, 'finish'],
    [5, {}, 5, 'finish'],
    [6, {}, 5, 'more'],
    [10, { limit: 10 }, 10, 'finish'],
    [11, { limit: 10 }, 10, 'more'],
    [11, { limit: 1_000_000 }, 10, 'more'],
    [10, { limit: 1_000_000 }, 10, 'finish'],
    [3, { limit: 2 }, 2, 'more'],
    [3, { limit: 3 }, 3, 'finish'],
  ] as const)('%i stored, asked for %j: %i come, %s', async (stored, asked, come, hint) => {
    const author = new Author();
    const events = series(author, stored);
    await publish(use.client, events);
    const answer = await use.client.req('s', { authors: [author.pubkey], ...asked });
    expect(answer.events).toEqual(events.slice(0, come));
    expect(answer.end).toEqual(eose('s', hint));
  });

  it('says "more" when one of several filters has more', async () => {
    const [one, another] = [new Author(), new Author()];
    await publish(use.client, [...series(one, 2), ...series(another, 7)]);
    const filters = [one, another].map(({ pubkey }) => ({ authors: [pubkey] }));
    expect((await use.client.req('s', ...filters)).end).toEqual(eose('s', 'more'));
  });

  secondTests(use);
});

describe.each([
  ['by default', {}, [undefined, undefined]],
  ['"off"', { 'query.eose_hints': 'off' }, [undefined, undefined]],
  ['"more"', { 'query.eose_hints': 'more' }, [undefined, ['more']]],
  ['"all"', { 'query.eose_hints': 'all' }, [['finish'], ['more']]],
] as const)(
  'EOSE of a whole answer and of one that is cut, eose_hints %s',
  (_, settings, hints) => {
    const use = useRelay({ ...ANY_TIME, 'limits.limit_default': 5, ...settings });

    it('has a third element or none', async () => {
      const author = new Author();
      const filter = { authors: [author.pubkey], kinds: [1] };
      const seen: unknown[] = [];
      for (const events of [series(author, 5), [author.event({ created_at: NOW })]]) {
        await publish(use.client, events);
        const { end } = await use.client.req('s', filter);
        expect(end.slice(0, 2)).toEqual(['EOSE', 's']);
        seen.push(end[2]);
      }
      expect(seen).toEqual(hints);
    });
  },
);
