// Write rules that depend on the event alone (proof of work, keys, tags, content, times), each at
// its edge, against an in-process relay over real sockets; leadingZeroBits as a unit.

import { nip19 } from 'nostr-tools';
import { describe, expect, it } from 'vitest';
import { leadingZeroBits } from '../../src/protocol/proof-of-work.ts';
import { accepted, refused } from '../support/answers.ts';
import { Author, type Draft } from '../support/author.ts';
import { http } from '../support/http.ts';
import { useRelay } from '../support/use-relay.ts';

/** Mines an event of exactly this difficulty that commits to a target, or to none. */
function mined(bits: number, target: string | null, draft: Draft = {}) {
  const author = new Author();
  for (let nonce = 0; ; nonce++) {
    const commitment = ['nonce', String(nonce), ...(target === null ? [] : [target])];
    const event = author.event({ ...draft, tags: [commitment] });
    if (leadingZeroBits(event.id) === bits) return event;
  }
}

describe('leadingZeroBits', () => {
  it.each([
    ['f', 0],
    ['8', 0],
    ['7', 1],
    ['1', 3],
    ['0f', 4],
    ['00002', 18],
  ])('of %s… are %i', (start, bits) => {
    expect(leadingZeroBits(start.padEnd(64, 'f'))).toBe(bits);
  });

  it('of zero are 256', () => expect(leadingZeroBits('0'.repeat(64))).toBe(256));
});

describe('pow_min', () => {
  const use = useRelay({
    'policy.pow_min': 6,
    'policy.pow_min_by_kind': ['7=0', '20000-29999=2', '20001=3'],
  });

  it('takes what has the difficulty and commits to it or to more', async () => {
    for (const event of [mined(6, '6'), mined(8, '6'), mined(7, '7')]) {
      expect(await use.client.publish(event)).toEqual(accepted(event));
    }
  });

  it('refuses one bit less, however it commits', async () => {
    for (const event of [mined(5, '6'), mined(5, '5'), new Author().event({ content: 'lazy' })]) {
      const [, , ok, why] = await use.client.publish(event);
      if (leadingZeroBits(event.id) >= 6) continue;
      expect([ok, why]).toEqual([
        false,
        expect.stringMatching(/^pow: difficulty \d is less than 6/),
      ]);
    }
  });

  it('refuses luck: a committed target below the demand, or none', async () => {
    for (const event of [mined(9, '5'), mined(6, null), mined(6, 'six')]) {
      expect(await use.client.publish(event)).toEqual(refused(event, 'pow'));
    }
  });

  it('does not believe an id that was made up', async () => {
    const event = { ...new Author().event({ tags: [['nonce', '1', '6']] }), id: '0'.repeat(64) };
    expect(await use.client.publish(event)).toEqual(refused(event, 'invalid'));
  });

  it('asks for more or less by kind; the last entry that fits applies', async () => {
    const free = new Author().event({ kind: 7 });
    expect(await use.client.publish(free)).toEqual(accepted(free));
    const two = mined(2, '2', { kind: 20_000 });
    expect(await use.client.publish(two)).toEqual(accepted(two));
    const short = mined(2, '2', { kind: 20_001 });
    expect(await use.client.publish(short)).toEqual(refused(short, 'pow'));
  });

  it('is in the relay information document', async () => {
    const { body } = await http(use.relay.httpUrl, { Accept: 'application/nostr+json' });
    const { limitation } = JSON.parse(body) as { limitation: Record<string, unknown> };
    expect(limitation).toMatchObject({ min_pow_difficulty: 6, restricted_writes: true });
  });
});

describe('public keys', () => {
  const [friend, foe, stranger] = [new Author(), new Author(), new Author()];
  const use = useRelay({
    'policy.pubkeys_allowed': [nip19.npubEncode(friend.pubkey), foe.pubkey],
    'policy.pubkeys_denied': [foe.pubkey],
  });

  it('allowed may write, denied may not even if allowed, others may not', async () => {
    const fine = friend.event();
    expect(await use.client.publish(fine)).toEqual(accepted(fine));
    const blocked = foe.event();
    expect(await use.client.publish(blocked)).toEqual(refused(blocked, 'blocked'));
    const restricted = stranger.event();
    expect(await use.client.publish(restricted)).toEqual(refused(restricted, 'restricted'));
  });

  it('cannot be used by others without their signature', async () => {
    const forged = { ...stranger.event(), pubkey: friend.pubkey };
    expect(await use.client.publish(forged)).toEqual(refused(forged, 'invalid'));
  });
});

describe('tags and content', () => {
  const use = useRelay({
    'policy.hashtags_max': 2,
    'policy.mentions_max': 2,
    'policy.tags_required': ['30023=title', 'addressable=d'],
    'policy.tag_patterns_denied': ['t=(?i)^nsfw$', 'client=^spam'],
    'policy.content_patterns_denied': ['(?i)free\\s+airdrop', '(a+)+b'],
  });

  const tags = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => [name, i.toString(16).padStart(64, '0')]);

  it.each<[string, Draft]>([
    ['as many hashtags as allowed', { tags: tags('t', 2) }],
    ['as many mentions as allowed', { tags: tags('p', 2) }],
    ['a follow list of many', { kind: 3, tags: tags('p', 500) }],
    [
      'an article with its tags',
      {
        kind: 30_023,
        tags: [
          ['d', 'a'],
          ['title', 'A'],
        ],
      },
    ],
    ['a value that only contains the pattern', { tags: [['t', 'notnsfw']] }],
    ['the same value in another tag', { tags: [['r', 'nsfw']] }],
    ['a content that is near', { content: 'free of airdrops' }],
  ])('%s', async (_, draft) => {
    const event = new Author().event(draft);
    expect(await use.client.publish(event)).toEqual(accepted(event));
  });

  it.each<[string, Draft]>([
    ['one hashtag more', { tags: tags('t', 3) }],
    ['one mention more', { tags: tags('p', 3) }],
    ['an article without a title', { kind: 30_023, tags: [['d', 'a']] }],
    ['an addressable event without d', { kind: 30_000 }],
    ['a denied tag, in any case', { tags: [['x'], ['t', 'NsFw']] }],
    ['a denied client', { tags: [['client', 'spammer 3000']] }],
    ['a denied content', { content: 'get your FREE\n Airdrop now' }],
  ])('not %s', async (_, draft) => {
    const event = new Author().event(draft);
    expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
  });

  it('patterns cannot be made slow', async () => {
    const event = new Author().event({ content: 'a'.repeat(100_000) });
    const before = process.cpuUsage();
    expect(await use.client.publish(event)).toEqual(accepted(event));
    // Bound in CPU time: a backtracking engine would need longer than the test may take.
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
  });
});

describe('lengths by kind', () => {
  const use = useRelay({ 'limits.content_length_by_kind': ['7=2', 'addressable=100'] });

  it('content', async () => {
    const cases: [number, number][] = [
      [7, 2],
      [30_000, 100],
    ];
    for (const [kind, length] of cases) {
      const fits = new Author().event({ kind, content: '\u{1f600}'.repeat(length) });
      expect(await use.client.publish(fits)).toEqual(accepted(fits));
      const over = new Author().event({ kind, content: 'x'.repeat(length + 1) });
      expect(await use.client.publish(over)).toEqual(refused(over, 'invalid'));
    }
  });
});
