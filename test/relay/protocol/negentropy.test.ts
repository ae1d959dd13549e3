// Tests of negentropy sessions (NIP-77) against a real relay over WebSocket, with the client side
// of nostr-tools.

import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../../src/protocol/event.ts';
import type { RefusalPrefix } from '../../../src/protocol/refusal.ts';
import { accepted, idsOf, notice } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import type { Client } from '../../support/client.ts';
import { until } from '../../support/process.ts';
import { Random, testSeed } from '../../support/random.ts';
import { testConfig } from '../../support/relay.ts';
import { idsByNeg, Syncing } from '../../support/syncing.ts';
import { useRelay } from '../../support/use-relay.ts';

const random = new Random(testSeed('relay/protocol/negentropy'));
const EVERYTHING = { limit: 100_000 };

async function idsByReq(client: Client, filter: object): Promise<string[]> {
  return idsOf((await client.query({ ...EVERYTHING, ...filter })).events).sort();
}

function negError(id: string, prefix: RefusalPrefix): unknown[] {
  return ['NEG-ERR', id, expect.stringMatching(new RegExp(`^${prefix}: \\S`))];
}

/** Returns notes of an author, several in a second, of which some have a tag. */
function notesOf(author: Author, count: number): NostrEvent[] {
  const start = now() - count;
  return Array.from({ length: count }, (_, n) =>
    author.event({
      created_at: start + random.below(Math.ceil(count / 3)),
      tags: n % 3 === 0 ? [['t', 'third']] : [],
    }),
  );
}

async function publishAll(client: Client, events: readonly NostrEvent[]): Promise<void> {
  for (const event of events) client.send(['EVENT', event]);
  for (const event of events) expect(await client.ok(event.id)).toEqual(accepted(event));
}

describe('a session', () => {
  const use = useRelay({ 'limits.limit_max': 100_000, 'negentropy.frame_bytes_max': 4096 });

  it.each([60_000, 4096])(
    'finds what each side lacks, with client frames of %i bytes',
    async (bytes) => {
      const author = new Author();
      const all = notesOf(author, 900);
      const inRelay = all.filter(() => random.chance(0.8));
      const inClient = all.filter(() => random.chance(0.8));
      await publishAll(use.client, inRelay);
      const syncing = new Syncing(use.client, inClient, bytes);
      const rounds = await syncing.finish(await syncing.open({ authors: [author.pubkey] }));
      expect(rounds).toBeGreaterThan(1);
      const [relayIds, clientIds] = [new Set(idsOf(inRelay)), new Set(idsOf(inClient))];
      const needed = idsOf(inRelay).filter((id) => !clientIds.has(id));
      const had = idsOf(inClient).filter((id) => !relayIds.has(id));
      expect([...syncing.need].sort()).toEqual(needed.sort());
      expect([...syncing.have].sort()).toEqual(had.sort());
    },
  );

  it('compares the events that a REQ of the filter finds', async () => {
    const [author, other] = [new Author(), new Author()];
    const notes = notesOf(author, 60);
    await publishAll(use.client, [...notes, ...notesOf(other, 20)]);
    const [first, last] = [notes[0]!.created_at, notes[30]!.created_at];
    const authors = [author.pubkey];
    for (const filter of [
      {},
      { authors },
      { authors: [author.pubkey, other.pubkey], kinds: [1] },
      { authors, '#t': ['third'] },
      { authors, since: Math.min(first, last), until: Math.max(first, last) },
      { authors, limit: 7 },
      { authors, limit: 0 },
      { ids: idsOf(notes.slice(0, 5)) },
      { kinds: [] },
      { authors, since: 2, until: 1 },
      { authors: Array.from({ length: 30 }, () => new Author().pubkey).concat(authors) },
    ]) {
      expect(await idsByNeg(use.client, filter), JSON.stringify(filter)).toEqual(
        await idsByReq(use.client, filter),
      );
    }
  });
});

describe('the events of a session', () => {
  const use = useRelay({ 'limits.limit_max': 100_000 });

  it('are those of the moment when it was opened', async () => {
    const author = new Author();
    const [before, after] = [author.event(), author.event()];
    await publishAll(use.client, [before]);
    const filter = { authors: [author.pubkey] };
    const syncing = new Syncing(use.client, notesOf(new Author(), 40));
    const answer = await syncing.open(filter);
    await publishAll(use.client, [after]);
    await syncing.finish(answer);
    expect([...syncing.need]).toEqual([before.id]);
    expect(await idsByNeg(use.client, filter)).toEqual(idsOf([before, after]).sort());
  });

  it('are not deleted, replaced, expired or vanished', async () => {
    const [author, gone] = [new Author(), new Author()];
    const [deleted, kept] = [author.event(), author.event()];
    const old = author.event({ kind: 0, created_at: now() - 9, content: '{}' });
    const expiring = author.event({ tags: [['expiration', String(now() + 1)]] });
    const profile = author.event({ kind: 0, content: '{"name":"b"}' });
    const deletion = author.deletion([['e', deleted.id]]);
    const vanish = gone.event({ kind: 62, tags: [['relay', 'ALL_RELAYS']] });
    await publishAll(use.client, [deleted, kept, old, expiring, profile, gone.event(), deletion]);
    expect(await use.client.publish(vanish)).toEqual(accepted(vanish));
    const filter = { authors: [author.pubkey, gone.pubkey] };
    await until(
      async () => (await idsByReq(use.client, filter)).length === 4,
      'the expiration of an event',
    );
    expect(await idsByNeg(use.client, filter)).toEqual(
      idsOf([kept, profile, deletion, vanish]).sort(),
    );
  });

  it('are those of the last NEG-OPEN with its id, apart from subscriptions', async () => {
    const author = new Author();
    const first = author.event();
    await publishAll(use.client, [first]);
    const syncing = new Syncing(use.client, []);
    await use.client.req(syncing.id, { authors: [author.pubkey] });
    await syncing.finish(await syncing.open({ authors: [author.pubkey] }));
    expect([...syncing.need]).toEqual([first.id]);
    const live = author.event();
    await use.client.publish(live);
    expect(await use.client.live(syncing.id)).toEqual(live);
    const again = new Syncing(use.client, []);
    use.client.send(['NEG-OPEN', again.id, { ids: ['0'.repeat(64)] }, '6100000200']);
    await again.answer();
    await again.finish(await again.open({ authors: [author.pubkey] }));
    expect([...again.need].sort()).toEqual(idsOf([first, live]).sort());
  });

  it('are found again after the sync worker was restarted', async () => {
    const author = new Author();
    await publishAll(use.client, [author.event()]);
    const syncing = new Syncing(use.client, []);
    await syncing.open({ authors: [author.pubkey] });
    await use.relay.relay.kill('sync', 0);
    await until(async () => use.relay.relay.health().healthy, 'the new worker');
    use.client.send(['NEG-MSG', syncing.id, '61']);
    expect(await syncing.answer()).toEqual(negError(syncing.id, 'closed'));
    expect(await idsByNeg(use.client, { authors: [author.pubkey] })).toHaveLength(1);
  });
});

describe('private events', () => {
  const use = useRelay({ 'limits.limit_max': 100_000 });

  it('are compared with their parties only', async () => {
    const [author, recipient, stranger] = [new Author(), new Author(), new Author()];
    const tags = [['p', recipient.pubkey]];
    const message = author.event({ kind: 4, tags, content: 'x' });
    const wrap = author.event({ kind: 1059, tags, content: 'y' });
    const note = author.event({ tags });
    await publishAll(use.client, [message, wrap, note]);
    const filters = [{ authors: [author.pubkey] }, { '#p': [recipient.pubkey] }, {}];
    for (const filter of filters) {
      const found: string[][] = [];
      for (const reader of [null, author, recipient, stranger]) {
        const client = await use.connect();
        if (reader !== null) await client.auth(reader);
        const ids = await idsByNeg(client, filter);
        expect(ids).toEqual(await idsByReq(client, filter));
        found.push(ids.filter((id) => id === message.id || id === wrap.id));
      }
      expect(found).toEqual([[], [message.id], [message.id, wrap.id].sort(), []]);
    }
  });

  it('of a key that came after NEG-OPEN are in the next answer', async () => {
    const [author, recipient] = [new Author(), new Author()];
    const wraps = Array.from({ length: 3 }, () =>
      author.event({ kind: 1059, tags: [['p', recipient.pubkey]] }),
    );
    await publishAll(use.client, wraps);
    const syncing = new Syncing(use.client, []);
    const filter = { kinds: [1, 1059], '#p': [recipient.pubkey] };
    await syncing.open(filter);
    await use.client.auth(recipient);
    // A list of nothing for all of time: the relay answers with the list of all its ids.
    use.client.send(['NEG-MSG', syncing.id, '6100000200']);
    syncing.take(await syncing.answer());
    expect([...syncing.need].sort()).toEqual(idsOf(wraps).sort());
  });

  it('are those of the kinds that are private now', async () => {
    const { relay, directory } = use.relay;
    const author = new Author();
    const message = author.event({ kind: 4, tags: [['p', author.pubkey]] });
    await publishAll(use.client, [message]);
    expect(await idsByNeg(use.client, {})).not.toContain(message.id);
    const open = { 'limits.limit_max': 100_000, 'auth.private_kinds': [] };
    await relay.reload(testConfig(directory, open));
    expect(await idsByNeg(use.client, {})).toContain(message.id);
    await relay.reload(testConfig(directory, { 'limits.limit_max': 100_000 }));
    expect(await idsByNeg(use.client, {})).not.toContain(message.id);
    expect(await idsByNeg(use.client, {})).toEqual(await idsByReq(use.client, {}));
  });

  it('alone need a key', async () => {
    const syncing = new Syncing(use.client, []);
    const answer = await syncing.open({ kinds: [1059] });
    expect(answer).toEqual(negError(syncing.id, 'auth-required'));
    expect(use.client.challenges).toHaveLength(1);
  });
});

describe('a refusal', () => {
  const use = useRelay({
    'negentropy.items_max': 20,
    'negentropy.sessions_max': 2,
    'negentropy.ranges_max': 16,
  });
  const open = async (message: readonly unknown[]) => {
    use.client.send(message);
    return use.client.next(([verb]) => verb.startsWith('NEG-'));
  };

  it('has the id, and a prefix that says why', async () => {
    const filter = { kinds: [1] };
    for (const [message, prefix] of [
      [['NEG-OPEN', 'a'], 'invalid'],
      [['NEG-OPEN', 'a', filter], 'invalid'],
      [['NEG-OPEN', 'a', { kinds: ['1'] }, '61'], 'invalid'],
      [['NEG-OPEN', 'a', [filter], '61'], 'invalid'],
      [['NEG-OPEN', 'a', filter, ''], 'invalid'],
      [['NEG-OPEN', 'a', filter, 'xx'], 'invalid'],
      [['NEG-OPEN', 'a', filter, '610'], 'invalid'],
      [['NEG-OPEN', 'a', filter, 1], 'invalid'],
      [['NEG-OPEN', 'a', filter, '00'], 'invalid'],
      [['NEG-OPEN', 'a', filter, '6100'], 'invalid'],
      [['NEG-OPEN', 'a', filter, `61${'010000'.repeat(17)}`], 'invalid'],
      [['NEG-OPEN', '', filter, '61'], 'invalid'],
      [['NEG-OPEN', 'x'.repeat(65), filter, '61'], 'invalid'],
      [['NEG-MSG', 'nothing', '61'], 'closed'],
      [['NEG-MSG', 'nothing', 'xx'], 'invalid'],
    ] as const) {
      const text = JSON.stringify(message).slice(0, 80);
      expect(await open(message), text).toEqual(negError(message[1], prefix));
    }
    use.client.send(['NEG-OPEN', 1, filter, '61']);
    expect(await use.client.any()).toEqual(notice('invalid'));
    use.client.send(['NEG-CLOSE', 1]);
    expect(await use.client.any()).toEqual(notice('invalid'));
    use.client.send(['NEG-CLOSE', 'nothing']);
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });

  it('of a protocol version is the one byte that this relay knows', async () => {
    expect(await open(['NEG-OPEN', 'v', {}, '62'])).toEqual(['NEG-MSG', 'v', '61']);
  });

  it('of a filter with too many events tells how many there may be', async () => {
    const author = new Author();
    await publishAll(use.client, notesOf(author, 21));
    const filter = { authors: [author.pubkey] };
    const syncing = new Syncing(use.client, []);
    expect(await syncing.open(filter)).toEqual([...negError(syncing.id, 'blocked'), 20]);
    expect(await idsByNeg(use.client, { ...filter, limit: 20 })).toHaveLength(20);
  });

  it('of one session too many leaves the others open', async () => {
    for (const id of ['a', 'b'])
      expect((await open(['NEG-OPEN', id, {}, '61']))[0]).toBe('NEG-MSG');
    expect(await open(['NEG-OPEN', 'c', {}, '61'])).toEqual(negError('c', 'rate-limited'));
    expect((await open(['NEG-OPEN', 'a', {}, '61']))[0]).toBe('NEG-MSG');
    expect((await open(['NEG-MSG', 'b', '61']))[0]).toBe('NEG-MSG');
    use.client.send(['NEG-CLOSE', 'b']);
    expect(await open(['NEG-MSG', 'b', '61'])).toEqual(negError('b', 'closed'));
    expect((await open(['NEG-OPEN', 'c', {}, '61']))[0]).toBe('NEG-MSG');
    // Another connection has its own.
    const other = await use.connect();
    other.send(['NEG-MSG', 'a', '61']);
    expect(await other.any()).toEqual(negError('a', 'closed'));
  });
});

describe('an idle session', () => {
  const use = useRelay({ 'negentropy.idle_seconds': 1 });

  it('is ended with its id', async () => {
    use.client.send(['NEG-OPEN', 'idle', {}, '61']);
    expect((await use.client.any())[0]).toBe('NEG-MSG');
    expect(await use.client.any()).toEqual(negError('idle', 'closed'));
    use.client.send(['NEG-MSG', 'idle', '61']);
    expect(await use.client.any()).toEqual(negError('idle', 'closed'));
  });
});

describe('a relay without negentropy', () => {
  const use = useRelay({ 'negentropy.enabled': false });

  it('refuses it by id, in a text that is not taken for "too much"', async () => {
    for (const message of [
      ['NEG-OPEN', 'n', { kinds: [1] }, '6100000200'],
      ['NEG-MSG', 'n', '6100000200'],
    ]) {
      use.client.send(message);
      expect(await use.client.any()).toEqual(negError('n', 'unsupported'));
    }
    use.client.send(['NEG-CLOSE', 'n']);
    await use.client.sync();
    expect(use.client.inbox).toEqual([]);
  });
});
