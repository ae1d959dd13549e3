// Tests of replaceable and addressable events (NIP-01) against a real relay over WebSocket, with
// the former version in the tail index or in the on-disk index.

import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import { accepted, eose, idsOf } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import { ALL_HINTS } from '../../support/relay.ts';
import { type RelayInUse, useRelay } from '../../support/use-relay.ts';

/** Time of the whole file, in seconds, so that events a second apart stay so. */
const NOW = now();

/** Returns an event of this kind, created this many seconds ago, with these d tags. */
function version(author: Author, kind: number, ago: number, ...d: string[][]): NostrEvent {
  const tags = d.map((values) => ['d', ...values]);
  return author.event({ kind, created_at: NOW - ago, tags });
}

/** Returns versions of the same second, lowest id, which is kept, first. */
function ties(author: Author, kind: number, count: number): NostrEvent[] {
  const created_at = NOW - 10;
  return Array.from({ length: count }, () => author.event({ kind, created_at })).sort((a, b) =>
    a.id < b.id ? -1 : 1,
  );
}

/** Returns the ids of the stored events of an author. */
async function stored(use: RelayInUse, author: Author, filter: object = {}): Promise<string[]> {
  const { events } = await use.client.query({ authors: [author.pubkey], ...filter });
  return idsOf(events);
}

/** Publishes an event, and expects that it is refused. */
async function expectRefused(use: RelayInUse, event: NostrEvent): Promise<void> {
  const answer = await use.client.publish(event);
  expect(answer.slice(0, 3)).toEqual(['OK', event.id, false]);
}

/** Registers tests of the kinds that are replaceable, addressable or neither. */
function kindTests(use: RelayInUse): void {
  it.each([0, 3, 10_000, 10_002, 19_999])(
    'of kind %i is kept once per pubkey and kind, whatever its d tag',
    async (kind) => {
      const author = new Author();
      const old = version(author, kind, 20, ['a']);
      const young = version(author, kind, 10, ['b']);
      expect(await use.client.publish(old)).toEqual(accepted(old));
      expect(await use.client.publish(young)).toEqual(accepted(young));
      expect(await stored(use, author)).toEqual([young.id]);
      expect(await stored(use, author, { kinds: [kind] })).toEqual([young.id]);
      expect(await stored(use, author, { '#d': ['a'] })).toEqual([]);
      expect(await stored(use, author, { ids: [old.id, young.id] })).toEqual([young.id]);
      expect((await use.client.count({ authors: [author.pubkey] }))[2]).toEqual({ count: 1 });
    },
  );

  it.each([30_000, 30_023, 39_999])(
    'of kind %i is kept once per pubkey, kind and d tag',
    async (kind) => {
      const author = new Author();
      const old = version(author, kind, 20, ['a']);
      const other = version(author, kind, 15, ['b']);
      const young = version(author, kind, 10, ['a', 'more']);
      for (const event of [old, other, young]) {
        expect(await use.client.publish(event)).toEqual(accepted(event));
      }
      expect(await stored(use, author)).toEqual([young.id, other.id]);
      expect(await stored(use, author, { '#d': ['a'] })).toEqual([young.id]);
      expect(await stored(use, author, { '#d': ['b'] })).toEqual([other.id]);
    },
  );

  it.each([1, 2, 4, 7, 40, 41, 44, 45, 78, 999, 1000, 9999, 40_000, 65_535])(
    'is none of kind %i, d tag or not',
    async (kind) => {
      const author = new Author();
      const old = version(author, kind, 20, ['a']);
      const young = version(author, kind, 10, ['a']);
      await use.client.publish(young);
      expect(await use.client.publish(old)).toEqual(accepted(old));
      expect(await stored(use, author)).toEqual([young.id, old.id]);
    },
  );
}

/** Registers tests of d tags that make one address or two. */
function addressTests(use: RelayInUse): void {
  it.each<[string, string[][], string[][]]>([
    ['no d tag and an empty one', [], [['']]],
    ['a d tag without a value and an empty one', [[]], [['']]],
    ['no d tag and one without a value', [], [[]]],
    ['a first d tag and the same before another', [['a']], [['a'], ['b']]],
    ['an empty first d tag before another, and none', [[], ['b']], []],
    ['colons', [['a:b']], [['a:b']]],
    ['characters of all kinds', [['ä "\\\n\u{1f600}']], [['ä "\\\n\u{1f600}']]],
  ])('counts as one address: %s', async (_, one, another) => {
    const author = new Author();
    const old = version(author, 30_000, 20, ...one);
    const young = version(author, 30_000, 10, ...another);
    await use.client.publish(old);
    await use.client.publish(young);
    expect(await stored(use, author)).toEqual([young.id]);
    const oldest = version(author, 30_000, 30, ...one);
    await expectRefused(use, oldest);
  });

  it.each<[string, string[][], string[][]]>([
    ['another value', [['a']], [['b']]],
    ['another case', [['a']], [['A']]],
    ['another second d tag that comes first', [['b'], ['a']], [['a'], ['b']]],
    ['a blank', [['']], [[' ']]],
    ['one with a colon more', [['a']], [['a:']]],
  ])('counts as two addresses: %s', async (_, one, another) => {
    const author = new Author();
    const old = version(author, 30_000, 20, ...one);
    const young = version(author, 30_000, 10, ...another);
    await use.client.publish(old);
    await use.client.publish(young);
    expect(await stored(use, author)).toEqual([young.id, old.id]);
  });
}

/** Registers tests of the version that is kept, and of those that are refused. */
function versionTests(use: RelayInUse): void {
  it('with the same created_at is kept where its id is the lowest, whichever came first', async () => {
    for (const kind of [0, 10_002, 30_000]) {
      const author = new Author();
      const [first, second, third] = ties(author, kind, 3) as [NostrEvent, NostrEvent, NostrEvent];
      expect(await use.client.publish(second)).toEqual(accepted(second));
      await expectRefused(use, third);
      expect(await stored(use, author)).toEqual([second.id]);
      expect(await use.client.publish(first)).toEqual(accepted(first));
      expect(await stored(use, author)).toEqual([first.id]);
      await expectRefused(use, second);
    }
  });

  it('that is older than the stored one is refused, the first time and again', async () => {
    const author = new Author();
    const young = version(author, 0, 10);
    const old = version(author, 0, 20);
    await use.client.publish(young);
    await expectRefused(use, old);
    await expectRefused(use, old);
    expect(await stored(use, author)).toEqual([young.id]);
  });

  it('that was replaced is refused when it comes again', async () => {
    const author = new Author();
    const old = version(author, 30_023, 20, ['x']);
    const young = version(author, 30_023, 10, ['x']);
    await use.client.publish(old);
    await use.client.publish(young);
    await expectRefused(use, old);
    expect(await stored(use, author)).toEqual([young.id]);
  });

  it('does not replace that of another author, kind or d tag', async () => {
    const [author, other] = [new Author(), new Author()];
    const kept = [
      version(author, 0, 20),
      version(author, 3, 21),
      version(author, 10_002, 22),
      version(author, 30_023, 23, ['x']),
      version(author, 30_024, 24, ['x']),
      version(author, 30_023, 25, ['y']),
    ];
    for (const event of kept) await use.client.publish(event);
    for (const kind of [0, 3, 10_002, 30_023]) {
      await use.client.publish(version(other, kind, 1, ['x']));
    }
    expect(await stored(use, author)).toEqual(idsOf(kept));
    expect(await stored(use, other)).toHaveLength(4);
  });
}

/** Registers tests of versions at once, delivered live, and found by a query. */
function deliveryTests(use: RelayInUse): void {
  it('in several versions at once ends as if they came in order', async () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 3, 0, 2],
    ]) {
      const author = new Author();
      const [lowest, highest] = ties(author, 0, 2) as [NostrEvent, NostrEvent];
      const versions = [version(author, 0, 30), version(author, 0, 20), highest, lowest];
      for (const at of order) use.client.send(['EVENT', versions[at]]);
      for (const { id } of versions) await use.client.ok(id);
      expect(await stored(use, author)).toEqual([lowest.id]);
    }
  });

  it('is delivered when it replaces, and not when it is refused', async () => {
    const author = new Author();
    await use.client.req('live', { authors: [author.pubkey] });
    const [old, young, younger] = [30, 20, 10].map((ago) => version(author, 0, ago));
    for (const event of [young!, old!, younger!]) await use.client.publish(event);
    expect(await use.client.live('live')).toEqual(young);
    expect(await use.client.live('live')).toEqual(younger);
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });

  it('is found again by its newest version only, with a limit as well', async () => {
    const author = new Author();
    for (let ago = 30; ago > 0; ago--) await use.client.publish(version(author, 0, ago));
    const newest = version(author, 0, 0);
    await use.client.publish(newest);
    const asked = { kinds: [0], authors: [author.pubkey] };
    for (const limit of [1, 2, 100]) {
      const { events, end } = await use.client.req('profile', { ...asked, limit });
      expect(events).toEqual([newest]);
      expect(end).not.toEqual(eose('profile', 'more'));
    }
    expect((await use.client.req('all', asked)).end).toEqual(eose('all', 'finish'));
  });
}

describe.each([
  ['in the tail of the log', {}],
  ['in the index', { 'storage.index_batch_events': 1 }],
])('a replaceable event whose former version is %s', (_, settings) => {
  const use = useRelay({ ...ALL_HINTS, ...settings });

  kindTests(use);
  addressTests(use);
  versionTests(use);
  deliveryTests(use);
});
