// Tests of COUNT (NIP-45) and of malformed messages, against a real relay over WebSocket.

import { describe, expect, it } from 'vitest';
import { accepted, closed, eose, notice } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import { INVALID_FILTERS } from '../../support/generator.ts';
import { ALL_HINTS } from '../../support/relay.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

/** Publishes this many notes of a new author. */
async function notes(use: RelayInUse, count: number): Promise<Author> {
  const author = new Author();
  for (let i = 0; i < count; i++) {
    const tags = i % 2 === 0 ? [['t', 'even']] : [];
    await use.client.publish(author.event({ created_at: now() - i, tags }));
  }
  return author;
}

/** Returns the payload of the answer to a COUNT. */
async function count(use: RelayInUse, ...filters: object[]): Promise<unknown> {
  const answer = await use.client.count(...filters);
  expect(answer).toHaveLength(3);
  expect(answer[0]).toBe('COUNT');
  return answer[2];
}

describe('COUNT', () => {
  const use = useRelay({ ...ALL_HINTS, 'limits.limit_max': 5, 'limits.limit_default': 3 });

  it('is exact, also beyond the limits for stored events', async () => {
    const { pubkey } = await notes(use, 12);
    expect(await count(use, { authors: [pubkey] })).toEqual({ count: 12 });
    expect(await count(use, { authors: [pubkey], limit: 2 })).toEqual({ count: 12 });
    expect(await count(use, { authors: [pubkey], limit: 0 })).toEqual({ count: 12 });
    expect(await count(use, { authors: [pubkey], '#t': ['even'] })).toEqual({ count: 6 });
  });

  it('of nothing is 0', async () => {
    expect(await count(use, { authors: ['0'.repeat(64)] })).toEqual({ count: 0 });
    expect(await count(use, { kinds: [] })).toEqual({ count: 0 });
    expect(await count(use, { since: 2, until: 1 })).toEqual({ count: 0 });
  });

  it('of several filters counts each event once', async () => {
    const [one, another] = [await notes(use, 4), await notes(use, 3)];
    const [ones, others] = [one, another].map(({ pubkey }) => ({ authors: [pubkey] }));
    expect(await count(use, ones!, others!)).toEqual({ count: 7 });
    expect(await count(use, ones!, ones!, { ...ones, '#t': ['even'] })).toEqual({ count: 4 });
    expect(await count(use, ones!, { ids: ['0'.repeat(64)] }, { kinds: [] })).toEqual({ count: 4 });
  });

  it('has a query id of its own, apart from subscriptions', async () => {
    const author = await notes(use, 2);
    const filter = { authors: [author.pubkey] };
    await use.client.req('same', { ...filter, limit: 0 });
    use.client.send(['COUNT', 'same', filter]);
    expect(await use.client.any()).toEqual(['COUNT', 'same', { count: 2 }]);
    use.client.send(['COUNT', 'same', { kinds: ['1'] }]);
    expect(await use.client.any()).toEqual(closed('same', 'invalid'));
    const live = author.event();
    await use.client.publish(live);
    expect(await use.client.live('same')).toEqual(live);
    // A COUNT does not become a subscription.
    use.client.send(['COUNT', 'other', filter]);
    expect(await use.client.any()).toEqual(['COUNT', 'other', { count: 3 }]);
    await use.client.publish(author.event());
    await use.client.live('same');
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });

  it('with the same id twice at once is answered twice', async () => {
    const { pubkey } = await notes(use, 2);
    for (let i = 0; i < 2; i++) use.client.send(['COUNT', 'c', { authors: [pubkey] }]);
    expect(await use.client.any()).toEqual(['COUNT', 'c', { count: 2 }]);
    expect(await use.client.any()).toEqual(['COUNT', 'c', { count: 2 }]);
  });

  it.each(['"\\', '\u{1f600}'.repeat(64), '\n'])('echoes its id: %j', async (id) => {
    use.client.send(['COUNT', id, { authors: ['0'.repeat(64)] }]);
    expect(await use.client.any()).toEqual(['COUNT', id, { count: 0 }]);
  });

  it('is refused by CLOSED with its id', async () => {
    for (const { filter, prefix } of INVALID_FILTERS) {
      use.client.send(['COUNT', 'c', filter]);
      expect(await use.client.any()).toEqual(closed('c', prefix));
    }
    use.client.send(['COUNT', 'c']);
    expect(await use.client.any()).toEqual(closed('c', 'invalid'));
    use.client.send('["COUNT","c",{');
    expect(await use.client.any()).toEqual(closed('c', 'invalid'));
    use.client.send(['COUNT', '', {}]);
    expect(await use.client.any()).toEqual(closed('', 'invalid'));
  });

  it('without a readable id is refused by NOTICE', async () => {
    for (const text of ['["COUNT"]', '["COUNT",1,{}]', '["COUNT",{}]']) {
      use.client.send(text);
      expect(await use.client.any()).toEqual(notice('invalid'));
    }
  });
});

describe('COUNT where it is switched off', () => {
  const use = useRelay({ ...ALL_HINTS, 'query.count_enabled': false });

  it('is refused by CLOSED', async () => {
    expect(await use.client.count({ kinds: [1] })).toEqual(closed('count-1', 'unsupported'));
    await use.client.sync();
  });
});

/** Registers tests of messages that are none, blank, or have an unknown verb. */
function unreadableTests(use: RelayInUse): void {
  it.each([
    '{}',
    '[]',
    '[1]',
    '[null]',
    '[["REQ","s",{}]]',
    'true',
    '0',
    '"REQ"',
    'null',
    '{"0":"REQ","1":"s","2":{}}',
    '[{"0":"REQ"}]',
    'REQ',
    'hello',
    '[',
    '["REQ"',
    '[]]',
    '\u0000',
    '\ufeff["REQ","s",{}]',
    '["REQ","s",{}]["REQ","t",{}]x',
  ])(
    'that is no array with a verb is answered by NOTICE, or CLOSED with its id: %s',
    async (text) => {
      use.client.send(text);
      const answer = await use.client.any();
      expect(text.startsWith('["REQ","s"') ? closed('s', 'invalid') : notice('invalid')).toEqual(
        answer,
      );
      await use.client.sync();
      expect(use.client.inbox).toEqual([]);
    },
  );

  it.each(['\n', '', ' \r\n\t'])('that is blank is passed over: %j', async (text) => {
    use.client.send(text);
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });

  it.each([
    ['HELLO'],
    ['event', {}],
    [''],
    ['REQ ', 's', {}],
    ['OK', 'x', true, ''],
    ['EOSE', 's'],
    ['__proto__'],
    ['toString'],
    ['"\\\ud83d\ude00'],
    ['x'.repeat(1000)],
  ])('with an unknown verb is answered by NOTICE: %j', async (...message) => {
    use.client.send(message);
    expect(await use.client.any()).toEqual(notice('unsupported'));
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });
}

/** Registers tests of the ways in which JSON may write a message. */
function spellingTests(use: RelayInUse): void {
  it('may have white space where JSON has it', async () => {
    const event = new Author().event();
    use.client.send(`\r\n\t [ "EVENT" ,\n${JSON.stringify(event, null, 4)}\n]\n`);
    expect(await use.client.any()).toEqual(accepted(event));
    use.client.send(` [ "REQ" , "s" , ${JSON.stringify({ ids: [event.id] }, null, 1)} ] `);
    expect(await use.client.stored('s')).toEqual({ events: [event], end: eose('s', 'finish') });
  });

  it('may have escapes in its verb', async () => {
    use.client.send('["\\u0052EQ","s",{"ids":[]}]');
    expect(await use.client.any()).toEqual(eose('s', 'finish'));
  });

  it('may have more elements than anybody asked for', async () => {
    const event = new Author().event();
    use.client.send(['EVENT', event, { id: 'f'.repeat(64), content: 'more' }, 1]);
    expect(await use.client.any()).toEqual(accepted(event));
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
  });
}

/** Registers tests of binary frames, fragments and pings. */
function frameTests(use: RelayInUse): void {
  it('in a binary frame is answered by NOTICE', async () => {
    for (const bytes of [
      Buffer.from('["REQ","s",{}]'),
      Buffer.from([0xff, 0x00]),
      Buffer.alloc(0),
    ]) {
      use.client.socket.send(bytes, { binary: true });
      expect(await use.client.any()).toEqual(notice('invalid'));
    }
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });

  it('in several fragments is one message', async () => {
    const event = new Author().event();
    const text = JSON.stringify(['EVENT', event]);
    const third = Math.floor(text.length / 3);
    use.client.socket.send(text.slice(0, third), { fin: false });
    use.client.socket.send(text.slice(third, 2 * third), { fin: false });
    use.client.socket.send(text.slice(2 * third), { fin: true });
    expect(await use.client.any()).toEqual(accepted(event));
  });

  it('of the WebSocket itself does not disturb: a ping is answered by a pong', async () => {
    const author = new Author();
    await use.client.req('s', { authors: [author.pubkey] });
    const pong = new Promise((resolve) => use.client.socket.once('pong', resolve));
    use.client.socket.ping('hello');
    expect(String(await pong)).toBe('hello');
    use.client.socket.pong('unasked');
    const event = author.event();
    await use.client.publish(event);
    expect(await use.client.live('s')).toEqual(event);
  });
}

describe('a message', () => {
  const use = useRelay(ALL_HINTS);

  unreadableTests(use);
  spellingTests(use);
  frameTests(use);

  it('after many bad ones is still answered', async () => {
    for (let i = 0; i < 200; i++) {
      use.client.send(i % 2 === 0 ? 'nonsense' : ['REQ', `s${i}`, { kinds: ['x'] }]);
    }
    for (let i = 0; i < 200; i++) {
      expect((await use.client.any())[0]).toBe(i % 2 === 0 ? 'NOTICE' : 'CLOSED');
    }
    const event = new Author().event();
    expect(await use.client.publish(event)).toEqual(accepted(event));
  });
});
