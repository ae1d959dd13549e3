// Tests of every option of [limits], at its bound and beyond it, against a real relay over
// WebSocket. `limit_max` and `limit_default` are in 83.

import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import { accepted, closed, eose, notice, refused } from '../../support/answers.ts';
import { Author, type Draft, now } from '../../support/author.ts';
import { Client, type Message } from '../../support/client.ts';
import { until } from '../../support/process.ts';
import { ALL_HINTS, startRelay } from '../../support/relay.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

const NO_EVENTS = { authors: ['0'.repeat(64)] };

/** Publishes an event of a new author, and expects that it is accepted. */
async function expectAccepted(use: RelayInUse, draft: Draft): Promise<void> {
  const event = new Author().event(draft);
  expect(await use.client.publish(event)).toEqual(accepted(event));
}

/** Publishes an event of a new author, and expects that it is refused for this reason. */
async function expectRefused(use: RelayInUse, draft: Draft, why: RegExp): Promise<void> {
  const event = new Author().event(draft);
  const answer = await use.client.publish(event);
  expect(answer).toEqual(refused(event, 'invalid'));
  expect(answer[3]).toMatch(why);
}

/** Registers tests of message_bytes_max. */
function messageBytesTests(use: RelayInUse): void {
  describe('message_bytes_max', () => {
    /** Returns a REQ of this many bytes, filled up with repetitions of `filler`. */
    function messageOf(bytes: number, filler: string): string {
      const bare = JSON.stringify(['REQ', 's', NO_EVENTS, { '#t': [''] }]);
      const room = bytes - Buffer.byteLength(bare);
      const size = Buffer.byteLength(filler);
      const text = filler.repeat(Math.floor(room / size)) + 'x'.repeat(room % size);
      const message = JSON.stringify(['REQ', 's', NO_EVENTS, { '#t': [text] }]);
      expect(Buffer.byteLength(message)).toBe(bytes);
      return message;
    }

    it.each(['x', 'é', '\u{1f600}'])('takes 9,000 bytes of "%s"', async (filler) => {
      use.client.send(messageOf(9000, filler));
      expect(await use.client.any()).toEqual(eose('s', 'finish'));
    });

    it.each([
      [9001, 'x'],
      [9001, '\u{1f600}'],
      [18_000, 'x'],
    ])('closes with 1009 for %i bytes of "%s"', async (bytes, filler) => {
      use.client.send(messageOf(bytes, filler));
      expect((await use.client.ended()).code).toBe(1009);
      expect(use.client.inbox).toEqual([]);
    });

    it('closes with 1009 when the fragments are too large together', async () => {
      const text = messageOf(9001, 'x');
      use.client.socket.send(text.slice(0, 6000), { fin: false });
      use.client.socket.send(text.slice(6000), { fin: true });
      expect((await use.client.ended()).code).toBe(1009);
    });

    it('cuts off whoever sends more than twice as much, and serves others', async () => {
      const other = await use.connect();
      use.client.send('x'.repeat(1_000_000));
      // uWebSockets.js does not read that far, and may close without a close frame.
      expect([1006, 1009]).toContain((await use.client.ended()).code);
      await other.sync();
    });
  });
}

/** Registers tests of event_bytes_max. */
function eventBytesTests(use: RelayInUse): void {
  describe('event_bytes_max', () => {
    /** Returns a draft of an event with this many bytes of canonical JSON. */
    function sized(bytes: number, filler = 'x'): Draft {
      const draft = (text: string): Draft => ({ content: '', tags: [['title', text]] });
      const bare = Buffer.byteLength(JSON.stringify(new Author().event(draft(''))));
      const size = Buffer.byteLength(JSON.stringify(filler)) - 2;
      const count = Math.floor((bytes - bare) / size);
      return draft(filler.repeat(count) + 'x'.repeat(bytes - bare - count * size));
    }

    it.each(['x', 'é', '\n', '\u{1f600}', '\u0001'])('takes 5,000 bytes of %j', async (filler) => {
      await expectAccepted(use, sized(5000, filler));
      await expectRefused(use, sized(5001, filler), /too large/);
    });

    it('means the event without the spaces and the fields that are stripped', async () => {
      const event = new Author().event(sized(5000));
      const spaced = JSON.stringify(['EVENT', { ...event, seen: 'x'.repeat(3000) }], null, 4);
      use.client.send(spaced);
      expect(await use.client.ok(event.id)).toEqual(accepted(event));
    });
  });
}

/** Registers tests of json_depth_max. */
function depthTests(use: RelayInUse): void {
  describe('json_depth_max', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

    it('takes an event with 7 levels and refuses one with 8, by its id', async () => {
      const event = new Author().event({ tags: [['t', '[[[[[[[[[[[[']] });
      const text = (depth: number) =>
        JSON.stringify(['EVENT', event]).replace('{', `{"more":${nested(depth)},`);
      use.client.send(text(6));
      expect(await use.client.any()).toEqual(refused(event, 'invalid'));
      use.client.send(text(5));
      expect(await use.client.any()).toEqual(accepted(event));
    });

    it('refuses a REQ or COUNT that is deeper, by its id', async () => {
      for (const verb of ['REQ', 'COUNT']) {
        use.client.send(`["${verb}","s",{"ids":${nested(6)}}]`);
        expect(await use.client.any()).toEqual(closed('s', 'invalid'));
      }
    });

    it('counts objects like arrays', async () => {
      use.client.send(`${'{"a":'.repeat(8)}1${'}'.repeat(8)}`);
      expect(await use.client.any()).toEqual(notice('invalid'));
    });
  });
}

function tagValueTests(use: RelayInUse): void {
  it('tag_value_bytes_max', async () => {
    for (const value of ['x'.repeat(100), 'é'.repeat(50), '\u{1f600}'.repeat(25)]) {
      await expectAccepted(use, { tags: [['t', value]] });
      await expectAccepted(use, { tags: [['Z', value, `${value}x`]] });
      await expectRefused(use, { tags: [['t', `${value}x`]] }, /too long/);
      await expectRefused(use, { tags: [['a'], ['Z', `${value}x`]] }, /too long/);
      await expectAccepted(use, {
        tags: [
          ['title', `${value}x`],
          ['1', `${value}x`],
        ],
      });
    }
  });

  it('tag_value_bytes_max leaves room for the address of every d tag', async () => {
    const author = new Author();
    const d = 'x'.repeat(100);
    const address = `30023:${author.pubkey}:${d}`;
    const event = author.event({ kind: 30023, tags: [['d', d]] });
    expect(await use.client.publish(event)).toEqual(['OK', event.id, true, '']);
    for (const name of ['a', 'A', 'q']) {
      const reply = author.event({ kind: 1111, tags: [[name, address]] });
      expect(await use.client.publish(reply)).toEqual(['OK', reply.id, true, '']);
      expect((await use.client.query({ [`#${name}`]: [address] })).events).toEqual([reply]);
      await expectRefused(use, { tags: [[name, `${address}x`]] }, /too long: 172 bytes/);
    }
    const deletion = author.event({ kind: 5, tags: [['a', address]] });
    expect(await use.client.publish(deletion)).toEqual(['OK', deletion.id, true, '']);
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([]);
  });
}

function toldBytesTest(use: RelayInUse): void {
  it('event_bytes_max lowers the message length that NIP-11 tells', async () => {
    const headers = { accept: 'application/nostr+json' };
    const response = await fetch(use.relay.httpUrl, { headers });
    const { limitation } = (await response.json()) as { limitation: Record<string, number> };
    expect(limitation.max_message_length).toBe(5010);
    const messageOf = (text: string) =>
      JSON.stringify(['EVENT', author.event({ tags: [['title', text]], content: '' })]);
    const author = new Author();
    const longest = messageOf('x'.repeat(5010 - messageOf('').length));
    expect(longest).toHaveLength(5010);
    const [, event] = JSON.parse(longest) as [string, NostrEvent];
    expect(await use.client.publish(event)).toEqual(['OK', event.id, true, '']);
  });
}

describe('limits of a message and an event', () => {
  const use = useRelay({
    ...ALL_HINTS,
    'limits.message_bytes_max': 9000,
    'limits.event_bytes_max': 5000,
    'limits.tags_max': 20,
    'limits.tag_value_bytes_max': 100,
    'limits.content_length_max': 800,
    'limits.json_depth_max': 7,
  });

  messageBytesTests(use);
  eventBytesTests(use);

  it('tags_max', async () => {
    const tags = (count: number) => Array.from({ length: count }, () => ['t', 'x']);
    await expectAccepted(use, { tags: tags(20) });
    await expectRefused(use, { tags: tags(21) }, /tags/);
    await expectRefused(use, { tags: Array.from({ length: 21 }, () => []) }, /tags/);
  });

  tagValueTests(use);
  toldBytesTest(use);

  it('content_length_max, in Unicode characters', async () => {
    for (const character of ['x', 'é', '日', '\u{1f600}', '\n', '"']) {
      await expectAccepted(use, { content: character.repeat(800) });
      await expectRefused(use, { content: character.repeat(801) }, /too long/);
    }
    await expectAccepted(use, { content: `${'\u{1f600}'.repeat(799)}x` });
    await expectRefused(use, { content: `${'\u{1f600}'.repeat(799)}xx` }, /too long/);
  });

  depthTests(use);
});

describe('a hostile message', () => {
  const use = useRelay(ALL_HINTS);
  const size = 240_000;

  it.each([
    ['brackets', '['.repeat(size)],
    ['braces', '{"a":'.repeat(size / 5)],
    ['an event of brackets', `["EVENT",{"tags":${'['.repeat(size)}`],
    ['quotes', '"'.repeat(size)],
    ['backslashes', `["${'\\'.repeat(size)}`],
    ['keys', `["EVENT",{${'"id":'.repeat(size / 5)}`],
    ['numbers', `[${'1,'.repeat(size / 2)}1]`],
    ['a number', `["REQ","s",{"since":${'9'.repeat(size)}}]`],
    ['arrays', `["EVENT",{"tags":[${'[],'.repeat(size / 3)}[]]}]`],
    ['empty tags', JSON.stringify(['EVENT', { tags: Array(size / 12).fill(['', '', '']) }])],
  ])('of %s is answered soon, and others are served meanwhile', async (_, text) => {
    const other = await use.connect();
    const event = new Author().event();
    const before = process.cpuUsage();
    for (let i = 0; i < 5; i++) use.client.send(text.slice(0, 262_144));
    expect(await other.publish(event)).toEqual(accepted(event));
    for (let i = 0; i < 5; i++) {
      expect(['NOTICE', 'OK', 'CLOSED']).toContain((await use.client.any())[0]);
    }
    // CPU time in milliseconds, of all threads of the relay and of this one.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(5000);
    expect(await use.client.publish(event)).toEqual(accepted(event, 'duplicate'));
  });
});

/** Registers tests of subscriptions_max. */
function subscriptionTests(use: RelayInUse): void {
  describe('subscriptions_max', () => {
    it('refuses one more by CLOSED rate-limited, until one is closed', async () => {
      const author = new Author();
      const filter = { authors: [author.pubkey] };
      for (const subId of ['a', 'b', 'c', 'd']) {
        expect((await use.client.req(subId, filter)).end).toEqual(eose(subId, 'finish'));
      }
      expect((await use.client.req('e', filter)).end).toEqual(closed('e', 'rate-limited'));
      // Replacing a subscription takes no further place, and a COUNT takes none.
      expect((await use.client.req('a', filter)).end).toEqual(eose('a', 'finish'));
      expect((await use.client.count(filter))[0]).toBe('COUNT');
      use.client.send(['CLOSE', 'b']);
      expect((await use.client.req('e', filter)).end).toEqual(eose('e', 'finish'));
      expect((await use.client.req('b', filter)).end).toEqual(closed('b', 'rate-limited'));
      const live = author.event();
      await use.client.publish(live);
      for (const subId of ['a', 'c', 'd', 'e']) expect(await use.client.live(subId)).toEqual(live);
      await use.client.query(filter).catch(() => {});
      expect(use.client.inbox).toEqual([]);
    });

    it('has one more wait for a place, in the order they came, until it is closed itself', async () => {
      const author = new Author();
      const filter = { authors: [author.pubkey] };
      for (const subId of ['a', 'b', 'c', 'd']) await use.client.req(subId, filter);
      for (const subId of ['e', 'f', 'g']) use.client.send(['REQ', subId, filter]);
      use.client.send(['CLOSE', 'f']);
      use.client.send(['CLOSE', 'a']);
      expect(await use.client.any()).toEqual(eose('e', 'finish'));
      use.client.send(['REQ', 'g', { ids: [] }, filter]);
      use.client.send(['CLOSE', 'b']);
      expect(await use.client.any()).toEqual(eose('g', 'finish'));
      const live = author.event();
      await use.client.publish(live);
      for (const subId of ['c', 'd', 'e', 'g']) expect(await use.client.live(subId)).toEqual(live);
      for (const subId of ['c', 'd', 'e', 'g']) use.client.send(['CLOSE', subId]);
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    });

    it('answers every one of a burst whose client closes what is answered', async () => {
      const ids = Array.from({ length: 60 }, (_, n) => `burst ${n}`);
      use.client.tap = ([verb, subId]) => {
        if (verb === 'EOSE') use.client.send(['CLOSE', subId]);
        return false;
      };
      for (const subId of ids) use.client.send(['REQ', subId, NO_EVENTS]);
      for (const subId of ids) {
        expect(await use.client.next(([, of]) => of === subId)).toEqual(eose(subId, 'finish'));
      }
    });

    it('does not count what was refused', async () => {
      for (let i = 0; i < 10; i++) {
        expect((await use.client.req(`bad${i}`, { kinds: ['x'] })).end[0]).toBe('CLOSED');
      }
      for (let i = 0; i < 4; i++) {
        expect((await use.client.req(`good${i}`, NO_EVENTS)).end[0]).toBe('EOSE');
      }
      expect((await use.client.req('good0', { kinds: ['x'] })).end[0]).toBe('CLOSED');
      expect((await use.client.req('good4', NO_EVENTS)).end[0]).toBe('EOSE');
    });

    it('counts each connection for itself', async () => {
      const other = await use.connect();
      for (const subId of ['a', 'b', 'c', 'd']) {
        expect((await use.client.req(subId, NO_EVENTS)).end[0]).toBe('EOSE');
        expect((await other.req(subId, NO_EVENTS)).end[0]).toBe('EOSE');
      }
      expect((await other.req('e', NO_EVENTS)).end).toEqual(closed('e', 'rate-limited'));
    });
  });
}

describe('limits of a REQ', () => {
  const use = useRelay({
    ...ALL_HINTS,
    'limits.filters_max': 3,
    'limits.filter_values_max': 10,
    'limits.filter_tags_max': 2,
    'limits.subscriptions_max': 4,
    'limits.subscription_id_length_max': 100,
  });

  it.each(['REQ', 'COUNT'])('filters_max of a %s', async (verb) => {
    use.client.send([verb, 's', NO_EVENTS, NO_EVENTS, NO_EVENTS]);
    expect((await use.client.any())[0]).toBe(verb === 'REQ' ? 'EOSE' : 'COUNT');
    use.client.send([verb, 's', NO_EVENTS, NO_EVENTS, NO_EVENTS, NO_EVENTS]);
    expect(await use.client.any()).toEqual(closed('s', 'error'));
    use.client.send([verb, 's', ...Array.from({ length: 1000 }, () => ({}))]);
    expect(await use.client.any()).toEqual(closed('s', 'error'));
  });

  it('filter_values_max, all lists of a filter together', async () => {
    const ids = (count: number) =>
      Array.from({ length: count }, (_, i) => `${i}`.padStart(64, '0'));
    const fine = [{ ids: ids(10) }, { authors: ids(4), '#e': ids(3), kinds: [1, 2, 3] }];
    expect((await use.client.req('s', ...fine)).end).toEqual(eose('s', 'finish'));
    for (const filter of [
      { ids: ids(11) },
      { authors: ids(4), '#e': ids(4), kinds: [1, 2, 3] },
      { '#t': Array(11).fill('same') },
    ]) {
      expect((await use.client.req('s', filter)).end).toEqual(closed('s', 'error'));
      expect((await use.client.req('s', NO_EVENTS, filter)).end).toEqual(closed('s', 'error'));
    }
  });

  it('filter_tags_max', async () => {
    const two = { ...NO_EVENTS, '#t': ['x'], '#T': ['x'] };
    expect((await use.client.req('s', two, two)).end).toEqual(eose('s', 'finish'));
    const three = { ...two, '#d': ['x'] };
    expect((await use.client.req('s', three)).end).toEqual(closed('s', 'error'));
  });

  it('subscription_id_length_max, in Unicode characters', async () => {
    for (const character of ['x', '\u{1f600}']) {
      const longest = character.repeat(100);
      expect((await use.client.req(longest, NO_EVENTS)).end).toEqual(eose(longest, 'finish'));
      const longer = character.repeat(101);
      expect((await use.client.req(longer, NO_EVENTS)).end).toEqual(closed(longer, 'invalid'));
    }
  });

  subscriptionTests(use);
});

describe('limits of time', () => {
  const use = useRelay({
    ...ALL_HINTS,
    'limits.created_at_past_seconds_max': 1000,
    'limits.created_at_future_seconds_max': 1000,
    'limits.ephemeral_age_seconds_max': 500,
  });

  // Offsets are minutes before a limit that an event approaches as time passes, and seconds beside
  // a limit that it moves away from.
  it.each([
    [1, -700, true],
    [1, -1005, false],
    [0, -1005, false],
    [30_023, 995, true],
    [30_023, 1300, false],
    [20_001, -200, true],
    [20_001, -505, false],
    [20_001, 995, true],
    [20_001, 1300, false],
    [5, -700, true],
    [5, -1005, false],
  ])('kind %i, %i seconds from now: %s', async (kind, seconds, taken) => {
    const event = new Author().event({ kind, created_at: now() + seconds });
    const answer = await use.client.publish(event);
    expect(answer).toEqual(taken ? accepted(event) : refused(event, 'invalid'));
  });
});

describe('ephemeral_age_seconds_max, without a limit for others', () => {
  const use = useRelay({ ...ALL_HINTS, 'limits.ephemeral_age_seconds_max': 60 });

  it('concerns ephemeral events only', async () => {
    const old = { created_at: now() - 10_000 };
    const [ephemeral, regular] = [
      new Author().event({ ...old, kind: 20_001 }),
      new Author().event(old),
    ];
    expect(await use.client.publish(ephemeral)).toEqual(refused(ephemeral, 'invalid'));
    expect(await use.client.publish(regular)).toEqual(accepted(regular));
  });
});

/** Registers tests of messages that are refused before they are parsed. */
function unparsedTests(use: RelayInUse): void {
  it('refuses what is too much before it is parsed, by its id, and answers everything', async () => {
    const author = new Author();
    // Repeated, because the messages do not always reach the relay together.
    for (let full = 0; full < 4; ) {
      const events = Array.from({ length: 20 }, () => author.event());
      for (const event of events) use.client.send(['EVENT', event]);
      const answers: Message[] = [];
      for (const { id } of events) answers.push(await use.client.ok(id));
      const taken = events.filter((_, i) => answers[i]![2] === true);
      // The CLOSE of the query before may still count as in flight.
      expect(taken.length).toBeGreaterThanOrEqual(7);
      if (taken.length < 20) full++;
      for (const [i, event] of events.entries()) {
        const answer = answers[i]!;
        expect(answer).toEqual(answer[2] ? accepted(event) : refused(event, 'rate-limited'));
      }
      const found = await use.client.query({ ids: events.map(({ id }) => id) });
      expect(found.events).toHaveLength(taken.length);
    }
  });

  it('refuses the other message types by their ids as well', async () => {
    const ids = Array.from({ length: 16 }, (_, i) => `${i} "é`);
    const isBusy = ([, ...rest]: Message) => String(rest.at(-1)).startsWith('rate-limited: ');
    let last: Message[] = [];
    // Repeated, because the messages do not always reach the relay together.
    await until(async () => {
      for (const id of ids) use.client.send(['COUNT', id, NO_EVENTS]);
      use.client.send(['REQ', 'req', NO_EVENTS]);
      use.client.send(['NEG-OPEN', 'neg', {}, '61']);
      use.client.send(['HELLO']);
      const answers: Message[] = [];
      for (let i = 0; i < 19; i++) answers.push(await use.client.any());
      for (const id of ids) {
        const answer = answers.find((message) => message[1] === id)!;
        if (answer[0] !== 'COUNT') expect(answer).toEqual(closed(id, 'rate-limited'));
      }
      last = answers.filter(([verb, id]) => verb === 'NOTICE' || id === 'req' || id === 'neg');
      return last.every(isBusy);
    }, 'a refusal of each');
    expect(last).toHaveLength(3);
    const busy = expect.stringMatching(/^rate-limited: /);
    expect(last).toContainEqual(closed('req', 'rate-limited'));
    expect(last).toContainEqual(['NEG-ERR', 'neg', busy]);
    expect(last).toContainEqual(notice('rate-limited'));
  });
}

describe('in_flight_bytes_max', () => {
  const use = useRelay({
    ...ALL_HINTS,
    // Room for eight of the events below.
    'limits.in_flight_bytes_max': 7_000,
  });

  unparsedTests(use);

  it('does not keep a CLOSE from ending its subscription', async () => {
    const author = new Author();
    const ids = Array.from({ length: 8 }, (_, i) => `s${i}`);
    for (const id of ids) await use.client.req(id, { authors: [author.pubkey] });
    for (const id of ids) use.client.send(['COUNT', id, NO_EVENTS]);
    for (const id of ids) use.client.send(['CLOSE', id]);
    for (const id of ids) await use.client.next(([, of]) => of === id);
    await use.client.sync();
    await use.client.publish(author.event());
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });

  it('sends a client away that goes on sending what is refused, and no other', async () => {
    const [flooder, other] = [await use.connect(), await use.connect()];
    const closed = new Promise((resolve) => {
      flooder.socket.once('close', (code, reason) => resolve([code, reason.toString()]));
    });
    await until(() => {
      for (let i = 0; i < 2_000; i++) flooder.send(['COUNT', `${i}`, NO_EVENTS]);
      return flooder.socket.readyState !== flooder.socket.OPEN;
    }, 'the end of the connection');
    const busy = expect.stringMatching(/^rate-limited: too many unanswered messages/);
    expect(await closed).toEqual([1008, busy]);
    expect(flooder.inbox).toContainEqual(['NOTICE', busy]);
    await other.sync();
  });

  it('concerns one connection and no other', async () => {
    const other = await use.connect();
    const events = Array.from({ length: 30 }, () => new Author().event());
    for (const event of events) use.client.send(['EVENT', event]);
    const mine = new Author().event();
    expect(await other.publish(mine)).toEqual(accepted(mine));
  });
});

it('a burst of 3,000 events on one connection is stored whole by the defaults', async () => {
  const relay = await startRelay();
  const client = await Client.connect(relay.url);
  const author = new Author();
  const events = Array.from({ length: 3_000 }, (_, n) => author.event({ content: `${n}` }));
  for (const event of events) client.send(['EVENT', event]);
  for (const event of events) expect(await client.ok(event.id)).toEqual(accepted(event));
  await relay.stop();
});

describe('one message in flight', () => {
  const use = useRelay({
    ...ALL_HINTS,
    'limits.in_flight_bytes_max': 1024,
    'limits.subscriptions_max': 2,
    'limits.event_bytes_max': 3000,
    'limits.content_length_max': 2000,
  });

  /** Sends COUNTs until one is not rejected for messages in flight. */
  async function settled(): Promise<void> {
    await expect.poll(async () => (await use.client.count(NO_EVENTS))[0]).toBe('COUNT');
  }

  const author = new Author();
  const event = author.event();
  const ephemeral = author.event({ kind: 20_001 });
  it.each<[string, unknown]>([
    ['an event', ['EVENT', event]],
    ['a duplicate', ['EVENT', event]],
    ['an ephemeral event', ['EVENT', ephemeral]],
    ['an ephemeral event again', ['EVENT', ephemeral]],
    ['an event with a wrong signature', ['EVENT', { ...author.event(), sig: '0'.repeat(128) }]],
    ['an event that is too large', ['EVENT', author.event({ content: 'x'.repeat(5000) })]],
    ['an event that is none', ['EVENT', 1]],
    ['a deletion', ['EVENT', author.deletion([['e', event.id]])]],
    ['a deleted event', ['EVENT', event]],
    ['a REQ', ['REQ', 's', NO_EVENTS]],
    ['a REQ that replaces it', ['REQ', 's', { authors: [author.pubkey] }]],
    ['a bad REQ that ends it', ['REQ', 's', { x: 1 }]],
    ['a REQ without an id', ['REQ', 1]],
    ['another REQ', ['REQ', 'a', NO_EVENTS]],
    ['yet another REQ', ['REQ', 'b', NO_EVENTS]],
    ['one REQ too many', ['REQ', 'c', NO_EVENTS]],
    ['a CLOSE', ['CLOSE', 'a']],
    ['the same CLOSE', ['CLOSE', 'a']],
    ['a bad CLOSE', ['CLOSE', 1]],
    ['a COUNT', ['COUNT', 'x', {}]],
    ['a bad COUNT', ['COUNT', 'x', 1]],
    ['an AUTH', ['AUTH', author.event({ kind: 22_242 })]],
    ['an AUTH that is none', ['AUTH']],
    ['NEG-OPEN', ['NEG-OPEN', 'n', {}, '61']],
    ['NEG-CLOSE', ['NEG-CLOSE', 'n']],
    ['an unknown message type', ['HELLO']],
    ['no message type', [1]],
    ['no JSON', 'nonsense'],
    ['no JSON, with an id', '["REQ","s",'],
    ['what nests too deep', '['.repeat(50)],
    ['nothing', ''],
    ['white space', '\n'],
  ])('is answered, and makes way for the next: %s', async (_, message) => {
    for (let i = 0; i < 2; i++) {
      await settled();
      use.client.send(message);
    }
    await settled();
  });

  it('makes way for the next when the answers come at once', async () => {
    for (let i = 0; i < 5; i++) {
      await settled();
      for (const message of [
        ['REQ', 's', {}],
        ['CLOSE', 's'],
        ['COUNT', 'x', {}],
        ['REQ', 's', {}],
      ]) {
        use.client.send(message);
      }
    }
    await settled();
  });

  it('does not count binary frames, which are answered at once', async () => {
    for (let i = 0; i < 5; i++) use.client.socket.send(Buffer.from('x'), { binary: true });
    for (let i = 0; i < 5; i++) expect(await use.client.any()).toEqual(notice('invalid'));
    await settled();
  });
});
