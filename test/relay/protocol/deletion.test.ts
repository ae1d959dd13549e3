// Tests of deletion requests (NIP-09), and of gift wraps deleted by their recipients (NIP-59),
// against a real relay over WebSocket, with the target in the tail index or in the on-disk index.

import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import { accepted, idsOf, refused } from '../../support/answers.ts';
import { Author, addressOf, now } from '../../support/author.ts';
import { Client } from '../../support/client.ts';
import { freshDirectory, startRelay } from '../../support/relay.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

/** Time of the whole file, in seconds, so that events a second apart stay so. */
const NOW = now();

/** Publishes events, and expects that each is accepted. */
async function publish(use: RelayInUse, ...events: NostrEvent[]): Promise<void> {
  for (const event of events) {
    expect(await use.client.publish(event)).toEqual(accepted(event));
  }
}

/** Returns those of these events that are still stored. */
async function left(use: RelayInUse, ...events: NostrEvent[]): Promise<NostrEvent[]> {
  const found = idsOf((await use.client.query({ ids: idsOf(events) })).events);
  return events.filter(({ id }) => found.includes(id));
}

/** Returns a version of an article, created this many seconds ago. */
const article = (author: Author, ago: number, d = 'x') =>
  author.event({ kind: 30_023, created_at: NOW - ago, tags: [['d', d]] });

/** Registers tests of the events that an e tag removes, and of those that it does not. */
function targetTests(use: RelayInUse): void {
  it.each([1, 4, 1059, 40_000])('removes an own event of kind %i', async (kind) => {
    const author = new Author();
    const event = author.event({ kind, tags: [['t', 'x']] });
    const request = author.deletion([['e', event.id]]);
    await publish(use, event, request);
    expect(await left(use, event, request)).toEqual([request]);
    const { events } = await use.client.query({ authors: [author.pubkey] });
    expect(events).toEqual([request]);
    const count = await use.client.count({ authors: [author.pubkey], '#t': ['x'] });
    expect(count[2]).toEqual({ count: 0 });
  });

  it.each([0, 10_002, 30_023])('removes an own replaceable event of kind %i', async (kind) => {
    const author = new Author();
    const event = author.event({ kind });
    await publish(use, event, author.deletion([['e', event.id]]));
    expect(await left(use, event)).toEqual([]);
    expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
  });

  it('leaves the events of others alone, and is stored all the same', async () => {
    const [author, other] = [new Author(), new Author()];
    const event = author.event();
    const request = other.deletion([['e', event.id]]);
    await publish(use, event, request);
    expect(await left(use, event, request)).toEqual([event, request]);
  });
}

/** Registers tests of removed events that come again, later or together with the request. */
function returnTests(use: RelayInUse): void {
  it('has its event refused when it comes again', async () => {
    const author = new Author();
    const event = author.event();
    await publish(use, event, author.deletion([['e', event.id]]));
    expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
    const other = await use.connect();
    expect(await other.publish(event)).toEqual(refused(event, 'blocked'));
    expect(await left(use, event)).toEqual([]);
  });

  it('has its event refused when it comes later', async () => {
    const author = new Author();
    const event = author.event();
    await publish(use, author.deletion([['e', event.id]]));
    expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
    expect(await left(use, event)).toEqual([]);
  });

  it('of somebody else does not have an event refused that comes later', async () => {
    const [author, other] = [new Author(), new Author()];
    const event = author.event();
    await publish(use, other.deletion([['e', event.id]]), event);
    expect(await left(use, event)).toEqual([event]);
  });

  it('together with its event has the event gone, in either order', async () => {
    const author = new Author();
    const [one, another] = [author.event(), author.event()];
    use.client.send(['EVENT', one]);
    use.client.send(['EVENT', author.deletion([['e', one.id]])]);
    use.client.send(['EVENT', author.deletion([['e', another.id]])]);
    use.client.send(['EVENT', another]);
    await use.client.ok(another.id);
    expect(await left(use, one, another)).toEqual([]);
  });
}

/** Registers tests of versions of an address, older and younger than the request. */
function versionTests(use: RelayInUse): void {
  it('removes the version that is not younger than it, and has older ones refused', async () => {
    const author = new Author();
    const event = article(author, 10);
    await publish(use, event, author.deletion([['a', addressOf(event)]], event.created_at));
    expect(await left(use, event)).toEqual([]);
    for (const older of [event, article(author, 11), article(author, 1000)]) {
      expect(await use.client.publish(older)).toEqual(refused(older, 'blocked'));
    }
  });

  it('leaves a younger version alone', async () => {
    const author = new Author();
    const event = article(author, 10);
    await publish(use, event, author.deletion([['a', addressOf(event)]], event.created_at - 1));
    expect(await left(use, event)).toEqual([event]);
  });

  it('lets a younger version in later, also when it came before everything', async () => {
    const author = new Author();
    const [old, young] = [article(author, 20), article(author, 9)];
    await publish(use, author.deletion([['a', addressOf(old)]], NOW - 10));
    expect(await use.client.publish(old)).toEqual(refused(old, 'blocked'));
    await publish(use, young);
    expect(await left(use, old, young)).toEqual([young]);
  });

  it('is not undone by another one that is older', async () => {
    const author = new Author();
    const [old, young] = [article(author, 20), article(author, 9)];
    const tag = ['a', addressOf(old)];
    await publish(use, author.deletion([tag], NOW - 10), author.deletion([tag], NOW - 30));
    expect(await use.client.publish(old)).toEqual(refused(old, 'blocked'));
    await publish(use, young);
  });
}

/** Registers tests of the addresses that an a tag speaks of. */
function addressTests(use: RelayInUse): void {
  it('speaks of exactly this kind, pubkey and d', async () => {
    const [author, other] = [new Author(), new Author()];
    const gone = article(author, 10, 'x');
    const kept = [
      article(other, 10, 'x'),
      article(author, 10, 'X'),
      article(author, 10, 'x '),
      article(author, 10, ''),
      author.event({ kind: 30_024, tags: [['d', 'x']], created_at: NOW - 10 }),
      author.event({ kind: 1, tags: [['d', 'x']], created_at: NOW - 10 }),
    ];
    await publish(use, gone, ...kept, author.deletion([['a', addressOf(gone)]]));
    expect(await left(use, gone, ...kept)).toEqual(kept);
  });

  it.each(['a:b', ':', '::x', '30023:x:y', '', 'ä "\n'])('takes a d of "%s"', async (d) => {
    const author = new Author();
    const [gone, kept] = [article(author, 10, d), article(author, 10, `${d}:`)];
    await publish(use, gone, kept, author.deletion([['a', addressOf(gone)]]));
    expect(await left(use, gone, kept)).toEqual([kept]);
    expect(await use.client.publish(gone)).toEqual(refused(gone, 'blocked'));
  });

  it.each([0, 3, 10_000, 10_002])('with an empty d removes a replaceable kind %i', async (kind) => {
    const author = new Author();
    const event = author.event({ kind, created_at: NOW - 10, tags: [['d', 'ignored']] });
    await publish(use, event, author.deletion([['a', `${kind}:${author.pubkey}:`]], NOW));
    expect(await left(use, event)).toEqual([]);
    const older = author.event({ kind, created_at: NOW - 20 });
    expect(await use.client.publish(older)).toEqual(refused(older, 'blocked'));
    await publish(use, author.event({ kind, created_at: NOW + 10 }));
  });

  it('leaves the addresses of others alone', async () => {
    const [author, other] = [new Author(), new Author()];
    const event = article(author, 10);
    const request = other.deletion([['a', addressOf(event)]]);
    await publish(use, event, request);
    expect(await left(use, event, request)).toEqual([event, request]);
    await publish(use, article(author, 5));
  });
}

/** Registers tests of requests with several targets, and with none that counts. */
function mixedTests(use: RelayInUse): void {
  it('carries out its own targets and ignores those of others', async () => {
    const [author, other] = [new Author(), new Author()];
    const [mine, theirs] = [author.event(), other.event()];
    const [article, theirArticle] = [author, other].map((by) =>
      by.event({ kind: 30_023, created_at: NOW - 5, tags: [['d', 'x']] }),
    ) as [NostrEvent, NostrEvent];
    const request = author.deletion([
      ['e', theirs.id],
      ['a', addressOf(theirArticle)],
      ['e', 'f'.repeat(64)],
      ['e', 'not an id'],
      ['e'],
      ['a', 'nowhere'],
      ['a', `1:${author.pubkey}:`],
      ['k', '1'],
      ['e', mine.id, 'wss://relay.example'],
      ['a', addressOf(article), 'wss://relay.example'],
    ]);
    await publish(use, mine, theirs, article, theirArticle, request);
    const all = [mine, theirs, article, theirArticle, request];
    expect(await left(use, ...all)).toEqual([theirs, theirArticle, request]);
  });

  it.each<[string, (author: Author) => string[][]]>([
    ['no tags', () => []],
    [
      'only k tags',
      () => [
        ['k', '1'],
        ['k', '30023'],
      ],
    ],
    ['only a foreign a tag', () => [['a', `30023:${new Author().pubkey}:x`]]],
    ['only an a tag of nothing', ({ pubkey }) => [['a', `30023:${pubkey}:nothing`]]],
    ['an a tag of a kind that has no address', ({ pubkey }) => [['a', `1:${pubkey}:`]]],
    ['an a tag without d', ({ pubkey }) => [['a', `30023:${pubkey}`]]],
    ['an a tag with upper-case hex', ({ pubkey }) => [['a', `30023:${pubkey.toUpperCase()}:x`]]],
    ['an a tag with a leading zero', ({ pubkey }) => [['a', `030023:${pubkey}:x`]]],
    ['empty tags', () => [['e', ''], ['a', ''], ['e'], ['a'], []]],
    ['a p tag', ({ pubkey }) => [['p', pubkey]]],
  ])('with %s removes nothing', async (_, tags) => {
    const author = new Author();
    const kept = [
      author.event(),
      author.event({ kind: 0 }),
      author.event({ kind: 30_023, tags: [['d', 'x']], created_at: NOW - 5 }),
    ];
    await publish(use, ...kept, author.deletion(tags(author)));
    expect(await left(use, ...kept)).toEqual(kept);
  });
}

/** Registers tests of a request as an event of its own. */
function requestTests(use: RelayInUse): void {
  it('is no target of another one: nothing comes back', async () => {
    const author = new Author();
    const event = author.event();
    const request = author.deletion([['e', event.id]]);
    const regret = author.deletion([
      ['e', request.id],
      ['k', '5'],
    ]);
    await publish(use, event, request, regret);
    expect(await left(use, request, regret)).toEqual([request, regret]);
    expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
    expect(await use.client.publish(request)).toEqual(accepted(request, 'duplicate'));
  });

  it('is taken although another one came first that names it', async () => {
    const author = new Author();
    const event = author.event();
    const request = author.deletion([['e', event.id]]);
    await publish(use, event, author.deletion([['e', request.id]]), request);
    expect(await left(use, event, request)).toEqual([request]);
  });

  it('is published on: live, stored, and found by what it names', async () => {
    const author = new Author();
    const event = author.event();
    await use.client.req('live', { kinds: [5], authors: [author.pubkey] });
    const request = author.deletion([['e', event.id]]);
    await publish(use, event, request);
    expect(await use.client.live('live')).toEqual(request);
    const found = await use.client.query({ kinds: [5], '#e': [event.id] });
    expect(found.events).toEqual([request]);
  });
}

/** Registers tests of gift wraps (NIP-59), which their recipients may delete. */
function giftWrapTests(use: RelayInUse): void {
  describe('for a gift wrap (NIP-59)', () => {
    const wrap = (...recipients: Author[]) =>
      new Author().event({ kind: 1059, tags: recipients.map(({ pubkey }) => ['p', pubkey]) });

    it('by its recipient removes it and has it refused when it comes again', async () => {
      const recipient = new Author();
      const event = wrap(recipient);
      await publish(
        use,
        event,
        recipient.deletion([
          ['e', event.id],
          ['k', '1059'],
        ]),
      );
      expect(await left(use, event)).toEqual([]);
      expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
    });

    it('by one of several recipients removes it', async () => {
      const recipient = new Author();
      const event = wrap(new Author(), recipient);
      await publish(use, event, recipient.deletion([['e', event.id]]));
      expect(await left(use, event)).toEqual([]);
    });

    it('by its recipient has it refused when it comes later', async () => {
      const recipient = new Author();
      const event = wrap(recipient);
      await publish(use, recipient.deletion([['e', event.id]]));
      expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
    });

    it('by anybody else leaves it alone, before and after it came', async () => {
      const [recipient, other] = [new Author(), new Author()];
      const [one, another] = [wrap(recipient), wrap(recipient)];
      await publish(
        use,
        one,
        other.deletion([
          ['e', one.id],
          ['e', another.id],
        ]),
        another,
      );
      expect(await left(use, one, another)).toEqual([one, another]);
    });

    it('does not let people delete other kinds that name them', async () => {
      const [author, named] = [new Author(), new Author()];
      const events = [1, 4, 1058, 1060].map((kind) =>
        author.event({ kind, tags: [['p', named.pubkey]] }),
      );
      await publish(use, ...events, named.deletion(events.map(({ id }) => ['e', id])));
      expect(await left(use, ...events)).toEqual(events);
    });
  });
}

describe.each([
  ['in the tail of the log', { 'auth.private_kinds': [] }],
  ['in the index', { 'storage.index_batch_events': 1, 'auth.private_kinds': [] }],
])('a deletion request for what is %s', (_, settings) => {
  const use = useRelay(settings);

  describe('by e tag', () => {
    targetTests(use);
    returnTests(use);

    it('may name an event twice', async () => {
      const author = new Author();
      const event = author.event();
      await publish(
        use,
        event,
        author.deletion([
          ['e', event.id],
          ['e', event.id],
        ]),
      );
      expect(await left(use, event)).toEqual([]);
    });

    it('does not remove the reactions to it', async () => {
      const [author, other] = [new Author(), new Author()];
      const event = author.event();
      const reaction = other.event({
        kind: 7,
        tags: [
          ['e', event.id],
          ['p', author.pubkey],
        ],
      });
      await publish(use, event, reaction, author.deletion([['e', event.id]]));
      expect(await left(use, event, reaction)).toEqual([reaction]);
    });
  });

  describe('by a tag', () => {
    versionTests(use);
    addressTests(use);
  });

  mixedTests(use);
  requestTests(use);
  giftWrapTests(use);
});

it('a deletion outlives a restart', async () => {
  const directory = freshDirectory();
  const author = new Author();
  const event = author.event();
  const article = author.event({ kind: 30_023, tags: [['d', 'x']], created_at: NOW - 5 });
  let relay = await startRelay({}, directory);
  let client = await Client.connect(relay.url);
  await client.publish(event);
  await client.publish(
    author.deletion([
      ['e', event.id],
      ['a', addressOf(article)],
    ]),
  );
  await relay.stop();
  relay = await startRelay({}, directory);
  client = await Client.connect(relay.url);
  for (const gone of [event, article]) {
    expect(await client.publish(gone)).toEqual(refused(gone, 'blocked'));
  }
  await relay.stop();
});
