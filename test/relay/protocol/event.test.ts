// Tests of EVENT against a real relay over WebSocket: every rule of NIP-01, NIP-40 and NIP-70 on
// what a relay does with a received event.

import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import { accepted, idsOf, refused } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import { inTime } from '../../support/pace.ts';
import { ANY_TIME } from '../../support/relay.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

const ZEROES = '0'.repeat(128);
const PREFIX =
  /^(duplicate|pow|blocked|rate-limited|invalid|restricted|mute|error|auth-required): \S/;

/** Returns an EVENT message as JSON text, with one part of the text replaced. */
function textOf(event: unknown, replace: string, by: string): string {
  const text = JSON.stringify(['EVENT', event]);
  expect(text).toContain(replace);
  return text.replace(replace, () => by);
}

/** Registers tests of the form of OK. */
function answerTests(use: RelayInUse): void {
  describe('is answered by OK with the same id and four elements', () => {
    const author = new Author();
    const valid = author.event();
    it.each<[string, NostrEvent | object]>([
      ['a valid event', valid],
      ['a duplicate', valid],
      ['a wrong signature', { ...author.event(), sig: ZEROES }],
      ['a wrong id', { ...author.event(), id: 'a'.repeat(64) }],
      ['a missing signature', { ...author.event(), sig: undefined }],
      ['a missing pubkey', { ...author.event(), pubkey: undefined }],
      ['a kind that is text', { ...author.event(), kind: '1' }],
      ['tags that are none', { ...author.event(), tags: 'x' }],
      ['no content', { ...author.event(), content: null }],
      ['an event of the far future', author.event({ created_at: now() + 10_000_000 })],
      ['an expired event', author.event({ tags: [['expiration', '1']] })],
      ['a protected event', author.event({ tags: [['-']] })],
      ['an AUTH event', author.event({ kind: 22_242 })],
      ['an ephemeral event', author.event({ kind: 20_001 })],
    ])('%s', async (_, event) => {
      const answer = await use.client.publish(event);
      expect(answer).toHaveLength(4);
      expect(answer.slice(0, 2)).toEqual(['OK', (event as NostrEvent).id]);
      expect(answer[2]).toBeTypeOf('boolean');
      expect(answer[3]).toBeTypeOf('string');
      if (answer[2] === false) expect(answer[3]).toMatch(PREFIX);
    });
  });
}

/** Registers tests of ids and signatures. */
function signatureTests(use: RelayInUse): void {
  describe('with a signature or id that is wrong is refused as invalid', () => {
    it('sig is all zeroes', async () => {
      const event = { ...new Author().event(), sig: ZEROES };
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
      expect((await use.client.query({ ids: [event.id] })).events).toEqual([]);
    });

    it('sig is that of another author', async () => {
      const event = new Author().event();
      event.sig = new Author().sign(event.id);
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });

    it.each([0, 63, 64, 127])('the digit %i of sig is changed', async (at) => {
      const event = new Author().event();
      const digit = event.sig[at] === '0' ? '1' : '0';
      event.sig = event.sig.slice(0, at) + digit + event.sig.slice(at + 1);
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });

    it('id is not the hash, even if sig signs that wrong id', async () => {
      const author = new Author();
      const id = 'a'.repeat(64);
      const event = { ...author.event(), id, sig: author.sign(id) };
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });

    it.each(['content', 'created_at', 'kind', 'pubkey', 'tags'])(
      '%s was changed',
      async (field) => {
        const event = new Author().event();
        const other = new Author().event({ created_at: now() - 1, kind: 7, tags: [['t', 'x']] });
        const changed = { ...event, [field]: other[field as keyof NostrEvent] };
        expect(await use.client.publish(changed)).toEqual(refused(event, 'invalid'));
      },
    );

    it('pubkey is no point of the curve', async () => {
      const event = new Author().event();
      event.pubkey = 'f'.repeat(64);
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });
  });
}

/** Registers tests of events that came before, were replaced or were deleted. */
function repetitionTests(use: RelayInUse): void {
  describe('that comes twice is answered by OK true, duplicate:', () => {
    it.each([1, 0, 5, 1059, 10_002, 30_023, 20_001])('kind %i', async (kind) => {
      const event = new Author().event({ kind, tags: [['d', 'x']] });
      expect(await use.client.publish(event)).toEqual(accepted(event));
      expect(await use.client.publish(event)).toEqual(accepted(event, 'duplicate'));
      const other = await use.connect();
      expect(await other.publish(event)).toEqual(accepted(event, 'duplicate'));
    });

    it('also when both come in one go', async () => {
      const event = new Author().event();
      for (let i = 0; i < 3; i++) use.client.send(['EVENT', event]);
      const answers = [await use.client.any(), await use.client.any(), await use.client.any()];
      expect(answers).toEqual([
        accepted(event),
        accepted(event, 'duplicate'),
        accepted(event, 'duplicate'),
      ]);
      expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
    });

    it('and is delivered once', async () => {
      const author = new Author();
      const [first, second] = [author.event(), author.event()];
      await use.client.req('live', { authors: [author.pubkey] });
      for (const event of [first, first, second]) await use.client.publish(event);
      expect(await use.client.live('live')).toEqual(first);
      expect(await use.client.live('live')).toEqual(second);
    });
  });

  it('older than a stored replaceable or addressable one is refused by OK false', async () => {
    for (const kind of [0, 30_023]) {
      const author = new Author();
      const newer = author.event({ kind, tags: [['d', 'x']] });
      const older = author.event({ kind, tags: [['d', 'x']], created_at: now() - 100 });
      await use.client.publish(newer);
      const answer = await use.client.publish(older);
      expect(answer.slice(0, 3)).toEqual(['OK', older.id, false]);
      expect(answer[3]).toMatch(PREFIX);
    }
  });

  it('that was deleted before is refused by OK false', async () => {
    const author = new Author();
    const event = author.event();
    await use.client.publish(event);
    await use.client.publish(author.deletion([['e', event.id]]));
    expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
  });
}

/** Registers tests of the fields of an event, and of payloads that are no event. */
function fieldTests(use: RelayInUse): void {
  describe('with hex that is upper case or of another length is refused as invalid', () => {
    const author = new Author();
    const event = author.event();
    it.each<[string, Partial<NostrEvent>]>([
      ['id in upper case', { id: event.id.toUpperCase() }],
      ['id with 0x', { id: `0x${event.id.slice(2)}` }],
      ['id too short', { id: event.id.slice(2) }],
      ['id too long', { id: `${event.id}00` }],
      ['id not hex', { id: 'g'.repeat(64) }],
      ['id like a text', { id: '"\\ é\u{1f600}\n' }],
      ['pubkey in upper case', { pubkey: author.pubkey.toUpperCase() }],
      ['pubkey too short', { pubkey: author.pubkey.slice(2) }],
      ['pubkey compressed', { pubkey: `02${author.pubkey}` }],
      ['sig in upper case', { sig: event.sig.toUpperCase() }],
      ['sig too short', { sig: event.sig.slice(2) }],
      ['sig too long', { sig: `${event.sig}00` }],
      ['sig empty', { sig: '' }],
    ])('%s', async (_, changed) => {
      use.client.send(['EVENT', { ...event, ...changed }]);
      const id = changed.id ?? event.id;
      expect(await use.client.any()).toEqual(refused({ id }, 'invalid'));
    });
  });

  it('with fields beside those of NIP-01 is accepted, and they are stripped', async () => {
    const author = new Author();
    await use.client.req('live', { authors: [author.pubkey] });
    const event = author.event();
    const more = { relays: ['wss://relay.example'], ...event, seen: { on: [] }, constructor: 1 };
    expect(await use.client.publish(more)).toEqual(accepted(event));
    expect(await use.client.live('live')).toEqual(event);
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
  });

  describe('whose payload is no object or has no id is answered all the same', () => {
    it.each([
      '["EVENT"]',
      '["EVENT",null]',
      '["EVENT",1]',
      '["EVENT","x"]',
      '["EVENT",[]]',
      '["EVENT",{}]',
      '["EVENT",{"id":1}]',
      '["EVENT",{"id":null,"kind":1}]',
      '["EVENT",[{"id":"x"}]]',
    ])('%s', async (text) => {
      use.client.send(text);
      expect(await use.client.any()).toEqual(refused({ id: '' }, 'invalid'));
    });
  });
}

/** Registers tests of kind and created_at. */
function numberTests(use: RelayInUse): void {
  describe('has a kind from 0 to 65535', () => {
    it.each([0, 1, 65_535])('%i is accepted', async (kind) => {
      const event = new Author().event({ kind });
      expect(await use.client.publish(event)).toEqual(accepted(event));
    });

    it.each([-1, 65_536, 4_294_967_297, 1.5, 1e300, '1', null, true, [1]])(
      '%j is refused as invalid',
      async (kind) => {
        const event = new Author().event({ kind: kind as number });
        expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
      },
    );
  });

  describe('has a created_at that is a whole number of seconds', () => {
    it.each([0, 915_148_800, 1_420_070_400, now() - 7 * 86_400, now() + 800])(
      '%i is accepted',
      async (created_at) => {
        const event = new Author().event({ created_at });
        expect(await use.client.publish(event)).toEqual(accepted(event));
      },
    );

    it.each(['1700000000', 1.5, -200, -1, 1e300, null, false, {}, [now()]])(
      '%j is refused as invalid',
      async (created_at) => {
        const event = new Author().event({ created_at: created_at as number });
        expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
      },
    );

    it.each([now() + 86_400 * 365, 2 ** 31 + 1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])(
      '%i lies too far in the future',
      async (created_at) => {
        const event = new Author().event({ created_at });
        expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
      },
    );

    it('and is not there', async () => {
      const { created_at: _, ...event } = new Author().event();
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });
  });
}

/** Registers tests of text that stays as it was signed. */
function textTests(use: RelayInUse): void {
  describe('keeps its text as it is', () => {
    /** Publishes an event with this content, and expects it unchanged, live and stored. */
    async function survives(content: string, tags: string[][] = []) {
      const author = new Author();
      await use.client.req('live', { authors: [author.pubkey] });
      const event = author.event({ content, tags });
      expect(await use.client.publish(event)).toEqual(accepted(event));
      expect(await use.client.live('live')).toEqual(event);
      expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
    }

    it.each([
      ['the seven escapes of NIP-01', '\n " \\ \r \t \b \f'],
      ['non-characters', '\ufdd1 \u{10fff2} \uffff \u{1ffff}'],
      ['U+007F', 'a\u007fb'],
      ['U+2028 and U+2029', '\u2028\u2029'],
      ['control characters, hashed as JSON.stringify does', '\u0000\u0001\u000b\u001f'],
      ['slashes', 'https://relay.example/ \\/ </script>'],
      ['text that looks like an escape', '\\u0001 \\\\u0001 \\n'],
      ['text that looks like the rest of the event', '","sig":"x"}],["EVENT","live",{"id":"'],
      ['composed and decomposed letters', 'é e\u0301 ﬁ Å \u212b'],
      ['emoji', '\u{1f469}\u200d\u{1f680}\u{1f1e9}\u{1f1ea}'],
      ['a byte order mark', '\ufeffx\ufeff'],
      ['nothing', ''],
    ])('%s', async (_, content) => {
      await survives(content);
      await survives('in a tag', [['x', content, content]]);
    });

    it('control characters, hashed verbatim, to the letter of NIP-01', async () => {
      const content = 'a\u0001b\u001f';
      const event = new Author().event(
        { content },
        ({ pubkey, created_at, kind }) => `[0,"${pubkey}",${created_at},${kind},[],"${content}"]`,
      );
      expect(await use.client.publish(event)).toEqual(accepted(event));
      expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
    });

    it('however it was escaped in the message', async () => {
      const event = new Author().event({ content: 'a/b é' });
      use.client.send(textOf(event, 'a/b é', '\\u0061\\/b \\u00e9'));
      expect(await use.client.ok(event.id)).toEqual(accepted(event));
      expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
    });

    it('but is refused when it was hashed over another escape', async () => {
      const event = new Author().event({ content: 'a/b' }, (made) =>
        JSON.stringify([0, made.pubkey, made.created_at, 1, [], 'a/b']).replace('/', '\\/'),
      );
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });

    it('but is refused, with its id, when it holds raw control bytes: that is no JSON', async () => {
      const event = new Author().event({ content: 'a\u0001b' });
      use.client.send(textOf(event, '\\u0001', '\u0001'));
      expect(await use.client.any()).toEqual(refused(event, 'invalid'));
    });

    it.each(['\\ud800', '\\udc00', '\\udc00\\ud800', 'a\\ud83d b'])(
      'but is refused as invalid when it holds a lone surrogate: %s',
      async (escaped) => {
        const author = new Author();
        // The hashed text as UTF-8 encoding replaces it, and as JSON.stringify escapes it.
        for (const hashed of ['\ufffd', JSON.parse(`"${escaped}"`) as string]) {
          const event = author.event({ content: 'MARK' }, (made) =>
            JSON.stringify([0, made.pubkey, made.created_at, 1, [], hashed]),
          );
          use.client.send(textOf(event, 'MARK', escaped));
          expect(await use.client.any()).toEqual(refused(event, 'invalid'));
        }
        const tagged = author.event({ tags: [['t', 'MARK']] });
        use.client.send(textOf(tagged, 'MARK', escaped));
        expect(await use.client.any()).toEqual(refused(tagged, 'invalid'));
      },
    );
  });
}

/** Registers tests of bytes that are no UTF-8, and of JSON with a key twice. */
function encodingTests(use: RelayInUse): void {
  it.each([
    ['0xff', [0xff]],
    ['a surrogate as three bytes', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a character that is cut off', [0xe2, 0x82]],
  ])('with bytes that are no UTF-8 (%s) ends the connection unread', async (_, bytes) => {
    const event = new Author().event({ content: 'MARK' });
    const text = Buffer.from(JSON.stringify(['EVENT', event]));
    const at = text.indexOf('MARK');
    const frame = Buffer.concat([text.subarray(0, at), Buffer.from(bytes), text.subarray(at + 4)]);
    use.client.socket.send(frame, { binary: false });
    // RFC 6455 requires 1007; uWebSockets.js ends the connection without a close frame.
    expect([1006, 1007]).toContain((await use.client.ended()).code);
    const other = await use.connect();
    expect((await other.query({ authors: [event.pubkey] })).events).toEqual([]);
  });

  describe('with a key twice', () => {
    it('means the last, in the hash and in what is stored', async () => {
      const event = new Author().event({ content: 'last' });
      use.client.send(textOf(event, '"content":"last"', '"content":"first","content":"last"'));
      expect(await use.client.ok(event.id)).toEqual(accepted(event));
      expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
    });

    it('is refused when the first was meant', async () => {
      const event = new Author().event({ content: 'first' });
      use.client.send(textOf(event, '"content":"first"', '"content":"first","content":"last"'));
      expect(await use.client.ok(event.id)).toEqual(refused(event, 'invalid'));
    });
  });
}

/** Registers tests of tags that are unusual. */
function tagTests(use: RelayInUse): void {
  describe('with unusual tags', () => {
    it.each<[string, string[][]]>([
      ['an empty tag', [[]]],
      ['a tag without a value', [['t']]],
      ['an empty name', [['', 'x']]],
      ['an e tag that is no id', [['e', 'not hex']]],
      ['a p tag in upper case', [['p', 'A'.repeat(64)]]],
      ['an empty p tag', [['p', '']]],
      ['a p tag without a value', [['p']]],
      ['a g tag that is no geohash', [['g', 'Here & there!']]],
      ['an a tag that is no address', [['a', 'nowhere']]],
      ['2,000 tags', Array.from({ length: 2000 }, (_, i) => ['t', String(i)])],
    ])('%s is accepted as it is', async (_, tags) => {
      const event = new Author().event({ tags });
      expect(await use.client.publish(event)).toEqual(accepted(event));
      expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
    });

    it.each([[[1]], [['t', 1]], [['t', null]], [['t', ['x']]], ['t'], [null], [{}], {}, null, 'x'])(
      '%j is refused as invalid',
      async (tags) => {
        const event = new Author().event({ tags: tags as string[][] });
        expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
      },
    );

    it('a reaction without e and p, and one to a website without k and i, are accepted', async () => {
      for (const kind of [7, 17]) {
        const event = new Author().event({ kind, content: '+' });
        expect(await use.client.publish(event)).toEqual(accepted(event));
      }
    });

    it('a reference that is no id is not found, and does not hide one that is', async () => {
      const author = new Author();
      const id = 'ab'.repeat(32);
      const event = author.event({
        tags: [
          ['e', 'not hex'],
          ['e', id],
          ['p', id.toUpperCase()],
        ],
      });
      await use.client.publish(event);
      const { authors } = { authors: [author.pubkey] };
      expect((await use.client.query({ authors, '#e': [id] })).events).toEqual([event]);
      expect((await use.client.query({ authors, '#p': [id] })).events).toEqual([]);
    });

    it('a value of 1,024 bytes is indexed, one byte more is refused', async () => {
      const author = new Author();
      const value = `${'x'.repeat(1022)}é`;
      const longest = author.event({ tags: [['t', value]] });
      expect(await use.client.publish(longest)).toEqual(accepted(longest));
      expect((await use.client.query({ '#t': [value] })).events).toEqual([longest]);
      const longer = author.event({ tags: [['t', `${value}x`]] });
      expect(await use.client.publish(longer)).toEqual(refused(longer, 'invalid'));
      const notIndexed = author.event({
        tags: [
          ['title', `${value}x`],
          ['t', 'x', `${value}x`],
        ],
      });
      expect(await use.client.publish(notIndexed)).toEqual(accepted(notIndexed));
    });
  });
}

/** Registers tests of the values that are indexed, and of events that are too large. */
function indexAndSizeTests(use: RelayInUse): void {
  it('is found only by the first value of a tag with a one-letter name', async () => {
    const author = new Author();
    const tags = [
      ['t', 'first', 'second'],
      ['T', 'upper'],
      ['tt', 'long'],
      ['1', 'digit'],
    ];
    const event = author.event({ tags });
    await use.client.publish(event);
    const find = async (filter: object) =>
      idsOf((await use.client.query({ authors: [author.pubkey], ...filter })).events);
    expect(await find({ '#t': ['first'] })).toEqual([event.id]);
    expect(await find({ '#T': ['upper'] })).toEqual([event.id]);
    expect(await find({ '#t': ['second'] })).toEqual([]);
    expect(await find({ '#t': ['upper'] })).toEqual([]);
    expect(await find({ '#T': ['first'] })).toEqual([]);
    expect(await find({ '#t': ['long', 'digit'] })).toEqual([]);
  });

  describe('too large', () => {
    // By default only a message beyond message_bytes_max could hold an event that is too large.
    const small = useRelay({ 'limits.event_bytes_max': 131_072 });

    it('is refused as invalid and too large, and the connection lives on', async () => {
      const event = new Author().event({ tags: [['x', 'y', 'z'.repeat(140_000)]] });
      const answer = await small.client.publish(event);
      expect(answer).toEqual(refused(event, 'invalid'));
      expect(answer[3]).toMatch(/too large/);
      await small.client.sync();
    });
  });
}

/** Registers tests of expirations (NIP-40). */
function expirationTests(use: RelayInUse): void {
  describe('that carries an expiration (NIP-40)', () => {
    it.each([String(now() - 1), '1', '0', '00'])('of %s is refused', async (expiration) => {
      const event = new Author().event({ tags: [['expiration', expiration]] });
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });

    it('of this very second is refused', async () => {
      const event = new Author().event({ tags: [['expiration', String(now())]] });
      expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    });

    it.each(['', 'soon', '-1', '1.5', '1e3', ' 5', '0x10', '9'.repeat(30)])(
      'of "%s", which is no number, never expires',
      async (expiration) => {
        const event = new Author().event({ tags: [['expiration', expiration]] });
        expect(await use.client.publish(event)).toEqual(accepted(event));
        expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
      },
    );

    it('twice: the first counts', async () => {
      const author = new Author();
      const [past, future] = [String(now() - 10), String(now() + 1000)];
      const lives = author.event({
        tags: [
          ['expiration', future],
          ['expiration', past],
        ],
      });
      const over = author.event({
        tags: [
          ['expiration', past],
          ['expiration', future],
        ],
      });
      expect(await use.client.publish(lives)).toEqual(accepted(lives));
      expect(await use.client.publish(over)).toEqual(refused(over, 'invalid'));
    });

    it('and is ephemeral is delivered all the same', async () => {
      const author = new Author();
      await use.client.req('live', { authors: [author.pubkey] });
      const event = author.event({ kind: 20_001, tags: [['expiration', '1']] });
      expect(await use.client.publish(event)).toEqual(accepted(event));
      expect(await use.client.live('live')).toEqual(event);
    });
  });
}

/** Registers tests of protected events (NIP-70). */
function protectionTests(use: RelayInUse): void {
  describe('that is protected (NIP-70)', () => {
    it.each([[['-']], [['-', 'x']], [['t', 'x'], ['-']]])(
      'by %j is only taken from its author',
      async (...tags) => {
        const [author, other] = [new Author(), new Author()];
        const event = author.event({ tags: tags as string[][] });
        expect(await use.client.publish(event)).toEqual(refused(event, 'auth-required'));
        await use.client.auth(other);
        expect(await use.client.publish(event)).toEqual(refused(event, 'restricted'));
        await use.client.auth(author);
        expect(await use.client.publish(event)).toEqual(accepted(event));
      },
    );

    it.each([6, 16])('inside a repost of kind %i is blocked', async (kind) => {
      const author = new Author();
      const inner = author.event({ tags: [['-']] });
      const repost = author.event({ kind, content: JSON.stringify(inner) });
      expect(await use.client.publish(repost)).toEqual(refused(repost, 'blocked'));
      const again = author.event({ kind: 16, content: JSON.stringify(repost) });
      expect(await use.client.publish(again)).toEqual(refused(again, 'blocked'));
      const spaced = author.event({ kind, content: JSON.stringify(inner, null, 2) });
      expect(await use.client.publish(spaced)).toEqual(refused(spaced, 'blocked'));
    });

    it('is not confused with what only looks like it', async () => {
      const author = new Author();
      const harmless = author.event({
        content: '["-"]',
        tags: [['t', '-'], ['--'], ['x', '["-"]']],
      });
      const repost = author.event({ kind: 6, content: JSON.stringify(harmless) });
      const quote = author.event({ content: JSON.stringify(author.event({ tags: [['-']] })) });
      const broken = author.event({ kind: 6, content: '{"tags":[["-"]]' });
      for (const event of [harmless, repost, quote, broken]) {
        expect(await use.client.publish(event)).toEqual(accepted(event));
      }
    });
  });
}

/** Registers tests of kinds that are not stored: AUTH and ephemeral ones. */
function unstoredTests(use: RelayInUse): void {
  it('of kind 22242 is refused, never stored and never delivered', async () => {
    const author = new Author();
    await use.client.req('live', { authors: [author.pubkey] });
    const event = author.event({ kind: 22_242 });
    expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
    const next = author.event();
    await use.client.publish(next);
    expect(await use.client.live('live')).toEqual(next);
    expect((await use.client.query({ kinds: [22_242] })).events).toEqual([]);
  });

  describe('that is ephemeral', () => {
    it('is accepted although nobody listens, and never found', async () => {
      for (const kind of [20_000, 21_059, 29_999]) {
        const event = new Author().event({ kind });
        expect(await use.client.publish(event)).toEqual(accepted(event));
        expect((await use.client.query({ ids: [event.id] })).events).toEqual([]);
        expect(await use.client.count({ authors: [event.pubkey] })).toMatchObject({
          2: { count: 0 },
        });
      }
    });

    it('is delivered to another connection as it was sent', async () => {
      const author = new Author();
      const listener = await use.connect();
      await listener.req('live', { authors: [author.pubkey], kinds: [20_001] });
      const event = author.event({ kind: 20_001, tags: [['p', author.pubkey]], content: '"\n' });
      await use.client.publish(event);
      expect(await listener.live('live')).toEqual(event);
      expect((await listener.query({ authors: [author.pubkey] })).events).toEqual([]);
    });
  });

  it('is delivered to its own connection, once for each subscription, before or after its OK', async () => {
    const author = new Author();
    await use.client.req('a', { authors: [author.pubkey] });
    await use.client.req('b', { kinds: [1], authors: [author.pubkey] }, { ids: ['0'.repeat(64)] });
    await use.client.req('c', { kinds: [7], authors: [author.pubkey] });
    const event = author.event();
    expect(await use.client.publish(event)).toEqual(accepted(event));
    expect(await use.client.live('a')).toEqual(event);
    expect(await use.client.live('b')).toEqual(event);
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });
}

describe('EVENT', () => {
  const use = useRelay();

  answerTests(use);
  signatureTests(use);
  repetitionTests(use);
  fieldTests(use);
  numberTests(use);
  textTests(use);
  encodingTests(use);
  tagTests(use);
  indexAndSizeTests(use);
  expirationTests(use);
  protectionTests(use);
  unstoredTests(use);
});

describe('EVENT without limits of time', () => {
  const use = useRelay(ANY_TIME);

  it('is refused when its created_at is written 1e+10 and hashed like that', async () => {
    const event = new Author().event(
      { created_at: 1e10 },
      ({ pubkey, content }) => `[0,"${pubkey}",1e+10,1,[],"${content}"]`,
    );
    use.client.send(textOf(event, '"created_at":10000000000', '"created_at":1e+10'));
    expect(await use.client.ok(event.id)).toEqual(refused(event, 'invalid'));
  });

  it('means the number, however it is written', async () => {
    const event = new Author().event({ created_at: 1e10 });
    use.client.send(textOf(event, '"created_at":10000000000', '"created_at":1e+10'));
    expect(await use.client.ok(event.id)).toEqual(accepted(event));
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
  });

  it('takes a created_at up to 2^53-1', async () => {
    const event = new Author().event({ created_at: Number.MAX_SAFE_INTEGER });
    expect(await use.client.publish(event)).toEqual(accepted(event));
    expect((await use.client.query({ ids: [event.id] })).events).toEqual([event]);
  });

  it.each(['9007199254740992', '9007199254740993', '9223372036854775807', '1e400'])(
    'refuses a created_at of %s before its precision is lost',
    async (written) => {
      const event = new Author().event({ created_at: 5 }, (made) =>
        JSON.stringify([0, made.pubkey, 5, 1, [], made.content]).replace(',5,', `,${written},`),
      );
      use.client.send(textOf(event, '"created_at":5', `"created_at":${written}`));
      expect(await use.client.ok(event.id)).toEqual(refused(event, 'invalid'));
    },
  );
});

describe('a stored EVENT that expires (NIP-40)', () => {
  const use = useRelay({ 'writer.expired_purge_seconds': 86_400 });

  it('is never sent again, although it was not purged yet', () =>
    inTime(async (scale, within) => {
      const author = new Author();
      const stays = author.event({ created_at: now() - 1 });
      await use.client.publish(stays);
      const done = within(2_000 * scale);
      const expires = author.event({ tags: [['expiration', String(now() + 1 + 2 * scale)]] });
      expect(await use.client.publish(expires)).toEqual(accepted(expires));
      const byAuthor = { authors: [author.pubkey] };
      expect(idsOf((await use.client.query(byAuthor)).events)).toEqual([expires.id, stays.id]);
      done();
      const stored = async (filter: object) => idsOf((await use.client.query(filter)).events);
      await expect.poll(() => stored(byAuthor)).toEqual([stays.id]);
      expect(await stored({ ids: [expires.id] })).toEqual([]);
      expect(await stored({ ...byAuthor, limit: 1 })).toEqual([stays.id]);
      expect((await use.client.count(byAuthor))[2]).toEqual({ count: 1 });
      expect((await use.client.publish(expires))[2]).toBe(false);
    }));
});
