// Unit tests of two steps before a message is parsed: the rejection of a frame by its raw bytes,
// and the address of a client behind proxies.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientAddress } from '../../../src/io/client-address.ts';
import { addresseeOf, looksLikeClose, refusalTo } from '../../../src/protocol/unparsed.ts';
import { cpuMilliseconds } from '../../support/pace.ts';

const ID = 'ab'.repeat(32);
const WHY = 'rate-limited: try again';

/** Returns the answer to a frame that is rejected without having been parsed. */
function answerTo(frame: string | Buffer): unknown {
  return JSON.parse(refusalTo(addresseeOf(Buffer.from(frame)), WHY));
}

/** Registers tests of the message that each frame is answered by. */
function addresseeTests(): void {
  it.each([
    JSON.stringify(['EVENT', { id: ID }]),
    JSON.stringify(['EVENT', { kind: 1, content: '"id":"x"', tags: [['id', ID], ['id']], id: ID }]),
    JSON.stringify(['EVENT', { id: ID }], null, 2),
    ` \n\t[ "EVENT" , { "id" : "${ID}" , "content":`,
    `["EVENT",{"id":"${ID}","content":"\u0001"}]`,
    `["EVENT",{"id":"not an id","id":"${ID}"}]`,
  ])('is an OK for an EVENT: %s', (frame) => {
    expect(answerTo(frame)).toEqual(['OK', ID, false, WHY]);
  });

  it('is an OK for an AUTH', () => {
    expect(answerTo(JSON.stringify(['AUTH', { id: ID }]))).toEqual(['OK', ID, false, WHY]);
  });

  it.each(['REQ', 'COUNT'])('is a CLOSED for a %s, whatever its id is', (verb) => {
    for (const id of [
      'sub',
      '',
      '"',
      '\\',
      'a\\"b',
      ']',
      '\u{1f600}'.repeat(64),
      '\u0000',
      'é,"',
    ]) {
      expect(answerTo(JSON.stringify([verb, id, {}]))).toEqual(['CLOSED', id, WHY]);
      expect(answerTo(` [\n"${verb}" , ${JSON.stringify(id)} , {`)).toEqual(['CLOSED', id, WHY]);
    }
  });

  it('makes an id well-formed before it is echoed', () => {
    expect(answerTo('["REQ","\\ud800",{}]')).toEqual(['CLOSED', '\ufffd', WHY]);
  });

  it.each(['NEG-OPEN', 'NEG-MSG'])('is a NEG-ERR for a %s', (verb) => {
    expect(answerTo(JSON.stringify([verb, 'n', {}, '61']))).toEqual(['NEG-ERR', 'n', WHY]);
  });

  it.each([
    '',
    '[',
    '{}',
    'EVENT',
    '["event",{"id":"x"}]',
    '["CLOSE","sub"]',
    '["EVENT"]',
    '["EVENT",{}]',
    `["EVENT",{"id":"${ID.toUpperCase()}"}]`,
    `["EVENT",{"id":"${ID.slice(1)}"}]`,
    `["EVENT",{"id":"${ID}0"}]`,
    JSON.stringify(['EVENT', { content: `"id":"${ID}"` }]),
    JSON.stringify(['EVENT', { tags: [['id', ID]] }]),
    '["REQ"]',
    '["REQ",1,{}]',
    '["REQ","unfinished',
    '["REQ","\\x",{}]',
    `["REQ","${'a'.repeat(5000)}",{}]`,
    `${' '.repeat(200)}["REQ","far behind",{}]`,
    '["NEG-CLOSE","n"]',
    '["EVENTS","sub"]',
  ])('is a NOTICE where no id is found: %s', (frame) => {
    expect(answerTo(frame)).toEqual(['NOTICE', WHY]);
  });
}

describe('the refusal of a message that nobody parses', () => {
  addresseeTests();

  it('lets a CLOSE be told from the rest', () => {
    for (const frame of ['["CLOSE","s"]', ' [\n"CLOSE"']) {
      expect(looksLikeClose(Buffer.from(frame))).toBe(true);
    }
    for (const frame of ['["CLOSED"]', '["close","s"]', '["REQ","CLOSE"]', '', '"CLOSE"']) {
      expect(looksLikeClose(Buffer.from(frame))).toBe(false);
    }
  });

  it('is a valid message for any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc
        .tuple(
          fc.constantFrom('["REQ",', '["EVENT",{"id":', '["COUNT","', '["NEG-OPEN","\\'),
          fc.string({ unit: 'binary', maxLength: 100 }),
        )
        .map(([start, rest]) => Buffer.from(start + rest)),
    );
    fc.assert(
      fc.property(bytes, (frame) => {
        const answer = answerTo(frame) as unknown[];
        expect(['NOTICE', 'OK', 'CLOSED', 'NEG-ERR']).toContain(answer[0]);
        expect(answer.at(-1)).toBe(WHY);
      }),
      { numRuns: 500 },
    );
  });

  it('takes no longer for a hostile frame than for any other', () => {
    const hostile = Buffer.from(`["EVENT",{${'"id"'.repeat(50_000)}`);
    // CPU time, because it does not grow on a busy machine.
    const milliseconds = cpuMilliseconds(() => {
      expect(answerTo(hostile)).toEqual(['NOTICE', WHY]);
      expect(answerTo(`["REQ","${'\\"'.repeat(60_000)}`)).toEqual(['NOTICE', WHY]);
    });
    expect(milliseconds).toBeLessThan(2000);
  });
});

describe('the address of a client', () => {
  const address = new ClientAddress(['127.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8']);

  it.each([
    ['203.0.113.7', '', '203.0.113.7', 'is the peer without a header'],
    ['127.0.0.1', '', '127.0.0.1', 'is the proxy where it says nothing'],
    ['203.0.113.7', '198.51.100.1', '203.0.113.7', 'is the peer where that is no trusted proxy'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1', 'is what a trusted proxy heard from'],
    ['::1', '2001:db8::1', '2001:db8::1', 'is what a trusted proxy heard from, over IPv6'],
    ['127.0.0.1', '198.51.100.1, 10.1.2.3', '198.51.100.1', 'is found behind two trusted proxies'],
    ['127.0.0.1', '6.6.6.6, 198.51.100.1', '198.51.100.1', 'is not what the client made up'],
    ['127.0.0.1', '6.6.6.6,198.51.100.1,10.1.2.3', '198.51.100.1', 'the same behind two proxies'],
    ['127.0.0.1', '10.1.2.3', '10.1.2.3', 'may be inside the trusted network'],
    ['fd00::5', '10.1.2.3, fd12::1', '10.1.2.3', 'with proxies of both families'],
    ['127.0.0.1', 'unknown', '127.0.0.1', 'is the proxy where it names no address'],
    ['127.0.0.1', '198.51.100.1, _hidden', '127.0.0.1', 'is the proxy where the last is none'],
    ['127.0.0.1', ', ,', '127.0.0.1', 'is the proxy where the header is empty items'],
    ['127.0.0.1', '  198.51.100.1\t', '198.51.100.1', 'without the white space'],
    ['127.0.0.1', '198.51.100.1:4711', '198.51.100.1', 'without a port'],
    ['127.0.0.1', '[2001:db8::1]:4711', '2001:db8::1', 'without a port, over IPv6'],
    ['127.0.0.1', '[2001:db8::1]', '2001:db8::1', 'without brackets'],
    ['127.0.0.1', '2001:0DB8:0:0::1', '2001:db8::1', 'in one form'],
    [
      '::ffff:127.0.0.1',
      '::ffff:198.51.100.1',
      '198.51.100.1',
      'as IPv4 where it is one inside IPv6',
    ],
    ['0000:0000:0000:0000:0000:ffff:7f00:0001', '', '127.0.0.1', 'as the socket writes it'],
    ['', '198.51.100.1', '', 'is unknown of a socket that was reset'],
  ])('peer %s, header "%s": %s (%s)', (peer, header, expected) => {
    expect(address.of(peer, header).ip).toBe(expected);
  });

  it('believes nobody where nobody is trusted', () => {
    const traced = new ClientAddress([]).of('127.0.0.1', '198.51.100.1');
    expect(traced).toEqual({ ip: '127.0.0.1', fault: 'untrusted' });
  });

  it.each([
    ['127.0.0.1', '', 'missing'],
    ['127.0.0.1', 'unknown', 'malformed'],
    ['127.0.0.1', '198.51.100.1, unix:', 'malformed'],
    ['127.0.0.1', ', ,', 'malformed'],
    ['127.0.0.1', '198.51.100.1', null],
    ['127.0.0.1', '127.0.0.1', null],
    ['127.0.0.1', '10.1.2.3', null],
    ['127.0.0.1', 'unknown, 10.1.2.3', null],
    ['203.0.113.7', '', null],
    ['203.0.113.7', 'unknown', null],
    ['', '', null],
  ])('of peer %s and header "%s" may be missing: %s', (peer, header, fault) => {
    expect(address.of(peer, header).fault).toBe(fault);
  });

  it('believes everybody where all networks are trusted, as far as the header goes', () => {
    const all = new ClientAddress(['0.0.0.0/0', '::/0']);
    expect(all.of('127.0.0.1', '198.51.100.1, 203.0.113.7').ip).toBe('198.51.100.1');
  });

  it('does not throw, whatever the header is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (header) => {
        expect(address.of('127.0.0.1', header).ip).toBeTypeOf('string');
        expect(address.of(header, header).ip).toBeTypeOf('string');
      }),
      { numRuns: 500 },
    );
  });
});
