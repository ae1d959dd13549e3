// Tests of reposts (NIP-18) that embed a protected event (NIP-70) in any disguise, and of those
// that stay allowed: unit tests, and a real relay over WebSocket.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { checkEventPolicy } from '../../src/protocol/event-check.ts';
import { embedsProtected } from '../../src/protocol/repost.ts';
import { accepted, refused } from '../support/answers.ts';
import { Author } from '../support/author.ts';
import { testSeed } from '../support/random.ts';
import { useRelay } from '../support/use-relay.ts';

const SEED = testSeed('protocol/repost');
const author = new Author();

function embedded(tags: string[][], draft: { kind?: number; content?: string } = {}): string {
  return canonicalJson(author.event({ tags, ...draft }));
}

const PROTECTED = embedded([['t', 'x'], ['-']], { content: 'for few' });
const OPEN = embedded([['t', 'x']], { content: 'for all' });

/**
 * Ways to write an event into the content of a repost. Each gets canonical JSON; the results for
 * protected events are rejected.
 */
const DISGUISES: readonly (readonly [string, (json: string) => string])[] = [
  ['nothing', (json) => json],
  ['a byte order mark', (json) => `\ufeff${json}`],
  ['a byte order mark taken for Latin-1', (json) => `ï»¿${json}`],
  ['NUL before and after', (json) => `\0${json}\0`],
  ['white space that JSON does not know', (json) => `\v\f\u00a0\u2028\u3000${json}\u2029`],
  ['white space between the tokens', (json) => json.replace(/[[\]{}:,]/g, '\u00a0$&\u2003\n\0')],
  ['format characters between the tokens', (json) => json.replace(/[[\]{}:,]/g, '\u200b$&\u2060')],
  ['rubbish between the tokens', (json) => json.replace(/[[\]{}:,]/g, ' x $& / ')],
  ['text before', (json) => `RT @somebody: ${json}`],
  ['text after', (json) => `${json} see this`],
  ['a quote before', (json) => `" ${json}`],
  ['an escaped quote before', (json) => `\\" ${json}`],
  ['backslashes before', (json) => `\\\\\\ ${json}`],
  ['a quoted word before', (json) => `he said "look": ${json}`],
  ['a quote after', (json) => `${json} "`],
  ['brackets before', (json) => `]]}} [ { ${json}`],
  ['another JSON before', (json) => `{"a":[1,2]} ${json}`],
  ['an array', (json) => `[${json}]`],
  ['a client message', (json) => `["EVENT","sub",${json}]`],
  ['arrays in arrays', (json) => `${'['.repeat(100)}${json}${']'.repeat(100)}`],
  ['arrays that do not end', (json) => `${'['.repeat(20_000)}${json}`],
  ['an object around it', (json) => `{"a":{"b":[null,{"event":${json}}]}}`],
  ['a JSON string', (json) => JSON.stringify(json)],
  ['a JSON string in a JSON string', (json) => JSON.stringify(JSON.stringify(json))],
  ['a JSON string in an array', (json) => JSON.stringify([json])],
  ['a JSON string in an object', (json) => JSON.stringify({ kind: 1, event: json })],
  ['a JSON string without its quotes', (json) => JSON.stringify(json).slice(1, -1)],
  ['a JSON string with an end of its own', (json) => `${JSON.stringify(json)} there`],
  ['quotes as codes', (json) => JSON.stringify(json).replaceAll('\\"', '\\u0022')],
  ['no end', (json) => json.slice(0, -1)],
  ['no signature', (json) => json.replace(/,"sig":"\w+"/, '')],
  ['the tag name as a code', (json) => json.replaceAll('"-"', '"\\u002d"')],
  ['the tag name as a code in capitals', (json) => json.replaceAll('"-"', '"\\u002D"')],
  ['a NUL behind the tag name', (json) => json.replaceAll('"-"', '"-\\u0000"')],
  ['the key as codes', (json) => json.replaceAll('"tags"', '"\\u0074a\\u0067s"')],
  ['the key in capitals', (json) => json.replaceAll('"tags"', '"Tags"')],
  ['the key twice, first', (json) => json.replace(/\}$/, ',"tags":[]}')],
  ['the key twice, last', (json) => json.replace(/^\{/, '{"tags":[["t","x"]],')],
  ['more in the tag', (json) => json.replaceAll('["-"]', '["-","",{},[]]')],
  ['a tag in a tag', (json) => json.replaceAll('["-"]', '[["-"]]')],
  ['a repost of a repost', (json) => embedded([], { kind: 6, content: json })],
  ['a generic repost of a repost', (json) => embedded([], { kind: 16, content: json })],
  ['a kind that is a text', (json) => JSON.stringify({ kind: '6', content: json })],
  ['a kind with a fraction', (json) => `{"kind":6.0,"content":${JSON.stringify(json)}}`],
  ['two kinds', (json) => `{"kind":1,"content":${JSON.stringify(json)},"kind":6}`],
  ['two contents', (json) => `{"kind":6,"content":${JSON.stringify(json)},"content":""}`],
  ['no kind', (json) => JSON.stringify({ content: json })],
  [
    'a repost with text behind it, in a repost',
    (json) => embedded([], { kind: 6, content: `\ufeff${json} x` }),
  ],
];

describe('a repost', () => {
  it.each(DISGUISES)('may not embed a protected event: %s', (_, disguise) => {
    for (const kind of [6, 16]) {
      const repost = author.event({ kind, content: disguise(PROTECTED) });
      expect(checkEventPolicy(repost)).toMatch(/^blocked: /);
      expect(checkEventPolicy({ ...repost, kind: 1 })).toBeNull();
    }
  });

  it.each(DISGUISES)('may embed another event: %s', (name, disguise) => {
    const isTooDeep = /^arrays (in|that)/.test(name);
    // Brackets nested deeper than in any event are rejected only if they may hold the tag.
    expect(embedsProtected(disguise(OPEN))).toBe(false);
    const mentions = embedded([['t', '-'], ['-x'], ['']], { content: '["-"] \\u002d "-" \0' });
    expect(embedsProtected(disguise(mentions))).toBe(isTooDeep);
  });

  it.each([
    ['quotes one in a note', embedded([], { content: `see ${PROTECTED}` })],
    ['quotes one in a tag', embedded([['description', PROTECTED]], { kind: 9735 })],
    ['quotes one in a note, with text before', `RT: ${embedded([], { content: PROTECTED })}`],
    ['has no content', ''],
    ['is a sentence', 'NIP-70 has a tag ["-"], written "tags":[["-"]] in the event'],
    ['is an example', 'like {"tags":[["-"]]}'],
    ['is an array', '["-"]'],
    ['is a string', '"-"'],
    ['is no JSON', 'null -"-'],
    ['has a tag of this value', embedded([['t', '-']])],
    ['has tags that are none', '{"id":"x","tags":["-"],"content":""}'],
    ['has tags by name', '{"id":"x","tags":{"0":["-"]},"x":"-"}'],
    ['is brackets', `${'['.repeat(30_000)}"-"`],
  ])('is taken that %s', (_, content) => {
    expect(embedsProtected(content)).toBe(false);
  });
});

describe('a repost: nesting, other text, and time', () => {
  it('is not taken when its strings nest deeper than can be looked at', () => {
    let content = PROTECTED;
    for (let depth = 0; depth < 12; depth++) {
      // As \u codes, backslashes grow by five characters a level instead of doubling.
      content = JSON.stringify({ kind: 6, content })
        .replaceAll('\\\\', '\\u005c')
        .replaceAll('\\"', '\\u0022');
      expect(embedsProtected(content)).toBe(true);
    }
  });

  it('is found out under any disguise in a disguise, and let through without the tag', () => {
    const disguise = fc.constantFrom(...DISGUISES.map(([, one]) => one));
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(disguise, disguise, text, text, (inner, outer, before, after) => {
        const tagged = `${before}${outer(inner(PROTECTED))}${after}`;
        expect(embedsProtected(tagged)).toBe(true);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('is never refused for what its note says', () => {
    const piece = fc.constantFrom(
      ...[
        '"-"',
        '["-"]',
        '"tags":',
        '[[',
        ']]',
        '\\',
        '"',
        '{',
        '}',
        '\\u002d',
        '\\u0022',
        ',',
        ':',
      ],
      ...['\0', '\ufeff', PROTECTED, JSON.stringify(PROTECTED), '"kind":6', '"content":"', 'x'],
    );
    const words = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
    const tag = fc.array(words, { minLength: 1, maxLength: 3 });
    const tags = fc.array(tag, { maxLength: 4 });
    fc.assert(
      fc.property(words, tags, fc.nat(65_535), (content, found, kind) => {
        fc.pre(kind !== 6 && kind !== 16 && !found.some(([name]) => /^-(\0|$)/.test(name!)));
        expect(embedsProtected(embedded(found, { kind, content }))).toBe(false);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('is read in a time that grows with its length', () => {
    const patterns = ['[', '{', '"', '\\"', '\\\\"', '"tags":[', '"a":{"tags":[["x"],', '"\\"-",'];
    const worst = (size: number) => {
      const times = patterns.map((pattern) => {
        const content = `"-",${pattern.repeat(size / pattern.length)}`;
        const start = performance.now();
        embedsProtected(content);
        return performance.now() - start;
      });
      return Math.max(...times);
    };
    worst(32_000);
    // With quadratic growth 16 times the length would take 256 times the time. The machine may be
    // busy at times, so one good round of 20 is enough.
    const ratio = () => worst(512_000) / worst(32_000);
    const isLinear = Array.from({ length: 20 }, () => ratio).some((round) => round() < 100);
    expect(isLinear).toBe(true);
  });
});

describe('a relay', () => {
  const use = useRelay();

  it('refuses reposts that hide a protected event, and takes the others', async () => {
    const sent = DISGUISES.flatMap(([, disguise], at) =>
      [PROTECTED, OPEN].map((json): [NostrEvent, boolean] => {
        const kind = at % 2 === 0 ? 6 : 16;
        const tags = [['n', String(at)]];
        return [author.event({ kind, tags, content: disguise(json) }), json === OPEN];
      }),
    );
    for (const [event, isTaken] of sent) {
      const wanted = isTaken ? accepted(event) : refused(event, 'blocked');
      expect(await use.client.publish(event)).toEqual(wanted);
    }
  });
});
