// Tests that private messages (NIP-17, NIP-59) reach only their parties by any sort of query,
// against a real relay over WebSocket.

import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import { accepted, closed, idsOf, refused } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import { Client } from '../../support/client.ts';
import { until } from '../../support/process.ts';
import { startRelay } from '../../support/relay.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

const PRIVATE = [4, 1059];

/** Opens a connection that is authenticated as these authors. */
async function as(use: RelayInUse, ...authors: Author[]): Promise<Client> {
  const client = await use.connect();
  await client.auth(...authors);
  return client;
}

/** Returns, for each filter, if it finds the event; expects that COUNT agrees with REQ. */
async function ways(client: Client, { id, kind, pubkey, tags, created_at }: NostrEvent) {
  const recipient = tags[0]![1]!;
  const crowd = Array.from({ length: 12 }, () => new Author().pubkey);
  const t = tags[1]![1]!;
  const many = Array.from({ length: 20 }, (_, n) => `${n}`);
  const filters = [
    { ids: [id] },
    { ids: [id], kinds: [kind] },
    { authors: [pubkey] },
    { authors: [pubkey], kinds: [kind] },
    { authors: [pubkey, ...crowd] },
    { '#p': [recipient] },
    { '#p': [recipient], kinds: [kind, 1] },
    { '#t': [t] },
    { '#t': [t, ...many] },
    { '#t': [t], kinds: [kind] },
    { kinds: [kind], since: created_at, until: created_at, '#t': [t] },
    { kinds: [...PRIVATE, 1], '#t': [t], limit: 1 },
    { since: created_at, until: created_at, '#t': [t] },
  ];
  const seen: boolean[] = [];
  for (const filter of filters) {
    const { events, end } = await client.query(filter);
    seen.push(events.some((event) => event.id === id));
    const [verb, , answer] = await client.count(filter);
    const counted = verb === 'COUNT' ? (answer as { count: number }).count : 0;
    expect(counted, JSON.stringify(filter)).toBe(events.length);
    // The EOSE hint does not reveal that there is more.
    if (events.length === 0 && end[0] === 'EOSE') expect(end[2]).not.toEqual(['more']);
  }
  return seen;
}

/** Registers tests of the parties that find and are sent a private event, and of all others. */
function partyTests(use: RelayInUse): void {
  it.each(PRIVATE)(
    'of kind %i comes to those involved by every way, to others by none',
    async (kind) => {
      const [sender, recipient, second] = [new Author(), new Author(), new Author()];
      const t = `t${Math.random()}`;
      const message = sender.event({
        kind,
        tags: [
          ['p', recipient.pubkey],
          ['t', t],
          ['p', second.pubkey, 'wss://relay.example'],
        ],
      });
      expect(await use.client.publish(message)).toEqual(accepted(message));
      for (const reader of [[recipient], [second], [new Author(), recipient]]) {
        expect(await ways(await as(use, ...reader), message)).not.toContain(false);
      }
      const [nobody, stranger] = [await use.connect(), await as(use, new Author(), new Author())];
      for (const client of [nobody, stranger]) {
        expect(await ways(client, message)).not.toContain(true);
      }
      // The author of a gift wrap is no party to it.
      const bySender = await ways(await as(use, sender), message);
      expect(new Set(bySender)).toEqual(new Set([kind === 4]));
    },
  );

  it.each([...PRIVATE, 21_059])(
    'of kind %i is delivered live to those involved only',
    async (kind) => {
      const [sender, recipient] = [new Author(), new Author()];
      const filters = [{ '#p': [recipient.pubkey] }, { authors: [sender.pubkey] }];
      const [nobody, stranger, reader, later] = [
        await use.connect(),
        await as(use, new Author()),
        await as(use, recipient),
        await use.connect(),
      ];
      // The same subscription id, so that all connections could share a frame.
      for (const client of [nobody, stranger, reader, later]) await client.req('live', ...filters);
      const wrap = () => sender.event({ kind, tags: [['p', recipient.pubkey]] });
      const [first, second] = [wrap(), wrap()];
      expect(await use.client.publish(first)).toEqual(accepted(first));
      await later.auth(recipient);
      expect(await use.client.publish(second)).toEqual(accepted(second));
      const end = sender.event({ tags: [['p', recipient.pubkey]] });
      await use.client.publish(end);
      for (const client of [nobody, stranger]) expect(await client.live('live')).toEqual(end);
      for (const event of [first, second, end]) expect(await reader.live('live')).toEqual(event);
      // A client that authenticates gets events published from then on without a new REQ; events in
      // flight at that moment may come, too.
      const got: NostrEvent[] = [];
      do got.push(await later.live('live'));
      while (got.at(-1)!.id !== end.id);
      expect(got.slice(-2)).toEqual([second, end]);
      expect(idsOf([first, second, end])).toEqual(expect.arrayContaining(idsOf(got)));
    },
  );
}

/** Registers tests of queries beside other events, of limits and of deletion. */
function queryTests(use: RelayInUse): void {
  it('asked for alone is refused, beside others it is left out', async () => {
    const someone = new Author();
    const client = use.client;
    for (const filter of [{ kinds: [1059] }, { kinds: [4, 1059], '#p': [someone.pubkey] }]) {
      expect((await client.req('s', filter)).end).toEqual(closed('s', 'auth-required'));
      expect((await client.req('s', { kinds: [1] }, filter)).end[0]).toBe('CLOSED');
      const [verb, , why] = await client.count(filter);
      expect([verb, why]).toEqual(['CLOSED', expect.stringMatching(/^auth-required: /)]);
    }
    expect((await client.req('s', { kinds: [1, 1059] })).end[0]).toBe('EOSE');
    expect((await client.req('s', { kinds: [1059], ids: [] })).end[0]).toBe('EOSE');
    await client.auth(new Author());
    const others = { kinds: [1059], '#p': [someone.pubkey] };
    expect((await client.req('s', others)).end).toEqual(closed('s', 'restricted'));
    expect((await client.req('s', { kinds: [1059] })).end[0]).toBe('EOSE');
  });

  it('is found among very many of others, in order and up to the limit', async () => {
    const [reader, other] = [new Author(), new Author()];
    const time = now() - 1_000;
    const wraps = Array.from({ length: 60 }, (_, n) =>
      new Author().event({
        kind: 1059,
        created_at: time + n,
        tags: [['p', (n % 6 === 0 ? reader : other).pubkey]],
      }),
    );
    for (const wrap of wraps) await use.client.publish(wrap);
    const own = wraps.filter((_, n) => n % 6 === 0).reverse();
    const client = await as(use, reader);
    const { events } = await client.query({
      kinds: [1059],
      since: time,
      until: time + 60,
      limit: 4,
    });
    expect(idsOf(events)).toEqual(idsOf(own.slice(0, 4)));
    const count = await client.count({ kinds: [1059], since: time, until: time + 60 });
    expect(count[2]).toEqual({ count: own.length });
  });

  it('is deleted by its recipient, and stays away', async () => {
    const recipient = new Author();
    const wrap = new Author().event({ kind: 1059, tags: [['p', recipient.pubkey]] });
    await use.client.publish(wrap);
    const client = await as(use, recipient);
    expect((await client.query({ kinds: [1059] })).events).toEqual([wrap]);
    await client.publish(recipient.deletion([['e', wrap.id]]));
    expect((await client.query({ kinds: [1059] })).events).toEqual([]);
    expect(await client.publish(wrap)).toEqual(refused(wrap, 'blocked'));
  });
}

describe.each([
  ['in the tail of the log', { 'storage.index_batch_events': 100_000 }],
  ['in the index', { 'storage.index_batch_events': 1 }],
])('a private message %s', (_, settings) => {
  const use = useRelay({ ...settings, 'query.timeline_events': 16 });

  partyTests(use);
  queryTests(use);
});

/** Registers tests of the hint of EOSE that a connection is given. */
function hintTests(use: RelayInUse): void {
  it.each([
    ['everything', {}, false],
    ['a kind that is not private', { kinds: [1] }, true],
    ['an id that was not found', { ids: ['0'.repeat(64)] }, false],
    ['nothing', { ids: [] }, true],
    ['an author', { authors: [new Author().pubkey] }, false],
  ])('is only told "finish" where nothing may be hidden: %s', async (_, filter, isComplete) => {
    const { end } = await use.client.req('s', { ...filter, since: now() + 60 });
    expect(end[2]).toEqual(isComplete ? ['finish'] : undefined);
  });

  it('is told "finish" when every id that it names was found', async () => {
    const note = new Author().event();
    await use.client.publish(note);
    expect((await use.client.req('s', { ids: [note.id] })).end[2]).toEqual(['finish']);
  });

  it('is told "finish" about what its own keys may read, and about that only', async () => {
    const [me, other] = [new Author(), new Author()];
    await use.client.auth(me);
    const hint = async (filter: object) => (await use.client.req('s', filter)).end[2];
    expect(await hint({ '#p': [me.pubkey] })).toEqual(['finish']);
    expect(await hint({ '#p': [me.pubkey, other.pubkey] })).toBeUndefined();
    expect(await hint({ authors: [me.pubkey], kinds: [4] })).toEqual(['finish']);
    // The author of a gift wrap may not read it.
    expect(await hint({ authors: [me.pubkey], kinds: [1059] })).toBeUndefined();
    expect(await hint({ authors: [other.pubkey] })).toBeUndefined();
  });
}

describe('a subscription that is open when its connection authenticates', () => {
  const use = useRelay({ 'query.eose_hints': 'all' });

  it.each([
    ['named beside others', (me: string) => ({ kinds: [1, 1059], '#p': [me] })],
    ['among all kinds', (me: string) => ({ '#p': [me] })],
  ])('is sent the private events that it was not given: %s', async (_, filterFor) => {
    const [me, sender] = [new Author(), new Author()];
    const time = now() - 100;
    const tags = [['p', me.pubkey]];
    const wraps = [0, 1, 2].map((n) => sender.event({ kind: 1059, created_at: time + n, tags }));
    const note = sender.event({ kind: 1, created_at: time, tags });
    for (const event of [...wraps, note]) await use.client.publish(event);
    const [client, late] = [await use.connect(), await use.connect()];
    const filter = filterFor(me.pubkey);
    const { events, end } = await client.req('s', filter);
    expect([events, end]).toEqual([[note], ['EOSE', 's']]);
    await late.auth(me);
    const asked = await late.req('s', filter);
    expect(asked.end).toEqual(['EOSE', 's', ['finish']]);
    expect(idsOf(asked.events).sort()).toEqual(idsOf([...wraps, note]).sort());
    await client.auth(me);
    for (const wrap of wraps.toReversed()) expect(await client.live('s')).toEqual(wrap);
    // A repeated AUTH with the same key sends nothing again; another key sends its own events only.
    await client.auth(me, new Author());
    const live = sender.event({ kind: 1059, tags });
    await use.client.publish(live);
    expect(await client.live('s')).toEqual(live);
    await client.sync();
    expect(client.inbox).toEqual([]);
  });

  it('is sent so many as its limit says, and nothing once it is closed', async () => {
    const me = new Author();
    const time = now() - 100;
    const wraps = Array.from({ length: 9 }, (_, n) =>
      new Author().event({ kind: 1059, created_at: time + n, tags: [['p', me.pubkey]] }),
    );
    for (const wrap of wraps) await use.client.publish(wrap);
    const client = await use.connect();
    await client.req('two', { '#p': [me.pubkey], limit: 2 });
    await client.req('none', { '#p': [me.pubkey], limit: 0 });
    await client.req('closed', { '#p': [me.pubkey] });
    const challenge = await client.challenge();
    client.send(['AUTH', me.auth(challenge, client.socket.url)]);
    client.send(['CLOSE', 'closed']);
    for (const wrap of wraps.slice(-2).reverse()) expect(await client.live('two')).toEqual(wrap);
    await client.sync();
    await client.sync();
    expect(client.inbox.filter(([verb, id]) => verb === 'EVENT' && id !== 'closed')).toEqual([]);
  });

  hintTests(use);
});

it('what monitor replays and what is caught up from the log is as private', async () => {
  const relay = await startRelay({
    'monitor.replay_events_max': 16,
    'writer.batch_events_max': 8,
    'query.slice_milliseconds': 1,
  });
  const [reader, sender] = [new Author(), new Author()];
  const writer = await Client.connect(relay.url);
  const [stranger, recipient] = [await Client.connect(relay.url), await Client.connect(relay.url)];
  await recipient.auth(reader);
  await stranger.auth(new Author());
  // Every round has a second of its own, and the last event of all is the newest, so that queries
  // with a limit find it however late their answers are.
  const time = now() - 100;
  const filler = Array.from({ length: 400 }, () => sender.event({ created_at: time }));
  for (const event of filler) writer.send(['EVENT', event]);
  const wraps: NostrEvent[] = [];
  for (let round = 0; round < 30; round++) {
    // Sent between writes, so that hand-overs are late.
    for (const client of [stranger, recipient]) {
      client.send(['REQ', `s${round}`, { authors: [sender.pubkey], limit: 5 }, { kinds: [4, 1] }]);
    }
    for (let n = 0; n < 20; n++) {
      const event = sender.event({
        kind: n % 2 === 0 ? 4 : 1,
        created_at: time + 1 + round,
        tags: [['p', reader.pubkey]],
      });
      if (event.kind === 4) wraps.push(event);
      writer.send(['EVENT', event]);
    }
  }
  const last = sender.event();
  await writer.publish(last);
  for (const client of [stranger, recipient]) {
    await client.next(
      ([verb, , event]) => verb === 'EVENT' && (event as NostrEvent).id === last.id,
    );
    await client.sync();
  }
  const kindsOf = (client: Client) =>
    client.inbox.flatMap(([verb, , event]) =>
      verb === 'EVENT' ? [(event as NostrEvent).kind] : [],
    );
  expect(kindsOf(stranger)).not.toContain(4);
  expect(kindsOf(recipient)).toContain(4);
  expect(wraps.length).toBe(300);
  await relay.stop();
});

it('an inbox takes gift wraps from anybody, up to so many, and gives them to whom they are for', async () => {
  const relay = await startRelay({ 'auth.dm_inbox': true, 'auth.dm_inbox_events_max': 3 });
  const [client, recipient] = [await Client.connect(relay.url), new Author()];
  const wrap = () => new Author().event({ kind: 1059, tags: [['p', recipient.pubkey]] });
  const note = recipient.event();
  expect(await client.publish(note)).toEqual(refused(note, 'blocked'));
  const nobodys = new Author().event({ kind: 1059 });
  expect(await client.publish(nobodys)).toEqual(refused(nobodys, 'invalid'));
  for (const kind of [0, 10_002, 10_050]) {
    const event = recipient.event({ kind });
    expect(await client.publish(event)).toEqual(accepted(event));
  }
  const kept = [wrap(), wrap(), wrap()];
  for (const event of kept) expect(await client.publish(event)).toEqual(accepted(event));
  const tooMany = wrap();
  expect(await client.publish(tooMany)).toEqual(refused(tooMany, 'restricted'));
  const elsewhere = new Author().event({ kind: 1059, tags: [['p', new Author().pubkey]] });
  expect(await client.publish(elsewhere)).toEqual(accepted(elsewhere));
  expect((await client.req('s', { kinds: [0] })).end).toEqual(closed('s', 'auth-required'));
  await client.auth(recipient);
  const { events } = await client.query({ kinds: [1059] });
  expect(idsOf(events).sort()).toEqual(idsOf(kept).sort());
  await client.publish(recipient.deletion([['e', kept[0]!.id]]));
  const next = wrap();
  await until(async () => (await client.publish(next))[2] === true, 'a look at the numbers');
  const again = wrap();
  expect(await client.publish(again)).toEqual(refused(again, 'restricted'));
  await relay.stop();
});
