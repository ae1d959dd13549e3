// Trees of filters (negentropy.filters, wok negentropy): a session with such a filter compares what
// a REQ of it finds, whatever changes. Real relay over real sockets; the commands as processes.

import { describe, expect, it, onTestFinished } from 'vitest';
import type { ListedTree } from '../../src/admin/sync-trees.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { conditionsKey, parseConditions } from '../../src/protocol/filter-text.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { until } from '../support/process.ts';
import { Random, testSeed } from '../support/random.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';
import { idsByNeg, Syncing } from '../support/syncing.ts';
import { wok, wokHere } from '../support/wok.ts';

const random = new Random(testSeed('sync/filter-trees'));
const alice = new Author();
const bob = new Author();
const FILTERS = [
  { kinds: [0, 1] },
  { authors: [alice.pubkey] },
  { kinds: [1, 4], '#t': ['a', 'b'] },
] as const;
const filters = (list: readonly object[]): Settings => ({
  'negentropy.filters': `[${list.map((one) => JSON.stringify(JSON.stringify(one))).join(',')}]`,
});
/** Few events fit into a session that has to read the index: a larger one has used a tree. */
const FEW: Settings = { 'negentropy.items_max': 5 };

async function relay(settings: Settings, directory = freshDirectory()): Promise<TestRelay> {
  const started = await startRelay(settings, directory);
  onTestFinished(() => started.stop());
  return started;
}

async function trees({ directory }: { directory: string }): Promise<ListedTree[]> {
  const control = await Control.connect(directory);
  const found = await control.ask<ListedTree[]>('negentropy');
  control.socket.destroy();
  return found;
}

/** Resolves when all trees have all of their events. */
function loaded(of: { directory: string }, count: number): Promise<void> {
  return until(async () => {
    const found = await trees(of);
    return found.length === count && found.every(({ isComplete }) => isComplete);
  }, 'complete trees');
}

async function idsByReq(client: Client, filter: object): Promise<string[]> {
  return (await client.query({ ...filter, limit: 5_000 })).events.map(({ id }) => id).sort();
}

async function publish(client: Client, events: readonly NostrEvent[]): Promise<void> {
  for (const event of events) client.send(['EVENT', event]);
  // An older profile is refused.
  for (const { id, kind } of events) expect((await client.ok(id))[2] || kind === 0).toBe(true);
}

/** Events of both authors, some with tags, profiles and private ones among them. */
function someEvents(count: number): NostrEvent[] {
  return Array.from({ length: count }, (_, n) => {
    const author = random.chance(0.5) ? alice : bob;
    const tags = random.chance(0.4) ? [['t', random.pick(['a', 'b', 'c'])]] : [];
    const kind = n % 20 === 0 ? 0 : random.pick([1, 1, 1, 4, 7]);
    return author.event({ kind, tags, created_at: now() - random.below(500) });
  });
}

describe('the tree of a filter', () => {
  it('has what a REQ finds, while events come, go and expire', async () => {
    const here = await relay({ ...filters(FILTERS), ...FEW, 'limits.limit_max': 5_000 });
    const client = await Client.connect(here.url);
    let stored: NostrEvent[] = [];
    for (let round = 0; round < 4; round++) {
      const fresh = someEvents(150);
      await publish(client, fresh);
      stored = [...stored, ...fresh];
      const deleted = random.pick(stored.filter(({ kind }) => kind === 1));
      const author = deleted.pubkey === alice.pubkey ? alice : bob;
      await publish(client, [author.deletion([['e', deleted.id]])]);
      await loaded(here, 4);
      for (const filter of FILTERS) {
        const found = await idsByReq(client, filter);
        expect(found.length).toBeGreaterThan(0);
        expect(await idsByNeg(client, filter), JSON.stringify(filter)).toEqual(found);
        const part = { ...filter, since: now() - 300, until: now() - 100 };
        expect(await idsByNeg(client, part)).toEqual(await idsByReq(client, part));
      }
    }
    const expiring = alice.event({ tags: [['expiration', String(now() + 1)]] });
    await publish(client, [expiring]);
    await until(
      async () => !(await idsByReq(client, { authors: [alice.pubkey] })).includes(expiring.id),
      'the expiration',
    );
    expect(await idsByNeg(client, FILTERS[1])).toEqual(await idsByReq(client, FILTERS[1]));
    const vanish = alice.event({ kind: 62, tags: [['relay', 'ALL_RELAYS']] });
    await publish(client, [vanish]);
    for (const filter of FILTERS)
      expect(await idsByNeg(client, filter)).toEqual(await idsByReq(client, filter));
  });

  it('is found however the filter is written, and is of one state', async () => {
    const here = await relay({ ...filters(FILTERS), ...FEW });
    const client = await Client.connect(here.url);
    const notes = Array.from({ length: 30 }, (_, n) =>
      alice.event({ created_at: now() - n, tags: [['t', n % 2 === 0 ? 'a' : 'b']] }),
    );
    await publish(client, notes);
    await loaded(here, 4);
    const turned = { '#t': ['b', 'a', 'a'], kinds: [4, 1] };
    const syncing = new Syncing(client, someEvents(40));
    const answer = await syncing.open(turned);
    await publish(client, [alice.event({ tags: [['t', 'a']] })]);
    await syncing.finish(answer);
    expect([...syncing.need].sort()).toEqual(notes.map(({ id }) => id).sort());
    // Another filter reads the index, with its limit.
    const other = new Syncing(client, []);
    expect((await other.open({ kinds: [1] }))[2]).toMatch(/^blocked: .* 5;/);
  });
});

describe('the tree of a filter of private or changing kinds', () => {
  it('has private events for their parties only', async () => {
    const here = await relay(filters([{ kinds: [1, 4] }]));
    const client = await Client.connect(here.url);
    const secret = alice.event({ kind: 4, tags: [['p', bob.pubkey]] });
    const open = alice.event();
    await publish(client, [secret, open]);
    await loaded(here, 2);
    expect(await idsByNeg(client, { kinds: [1, 4] })).toEqual([open.id]);
    await client.auth(bob);
    expect(await idsByNeg(client, { kinds: [1, 4] })).toEqual([open.id, secret.id].sort());
  });

  it('comes and goes with a reload, and follows the private kinds', async () => {
    const here = await relay(FEW);
    const client = await Client.connect(here.url);
    const notes = Array.from({ length: 20 }, (_, n) => alice.event({ created_at: now() - n }));
    await publish(client, notes);
    const ids = notes.map(({ id }) => id).sort();
    const refused = async () => (await new Syncing(client, []).open({ kinds: [1] }))[0];
    expect(await refused()).toBe('NEG-ERR');
    const change = (settings: Settings) =>
      here.relay.reload(testConfig(here.directory, { ...FEW, ...settings }));
    await change(filters([{ kinds: [1] }]));
    await loaded(here, 2);
    expect(await idsByNeg(client, { kinds: [1] })).toEqual(ids);
    await change({ ...filters([{ kinds: [1] }]), 'auth.private_kinds': ['1'] });
    await loaded(here, 2);
    await until(async () => (await trees(here))[1]?.events === 0, 'a tree without events');
    await change({});
    await until(async () => (await trees(here)).length === 1, 'no tree');
    expect(await refused()).toBe('NEG-ERR');
  });
});

describe('wok negentropy', () => {
  it('adds, lists, reloads and removes trees of the running relay, which keeps them', async () => {
    const directory = freshDirectory();
    const first = await startRelay({ ...filters([{ kinds: [0] }]), ...FEW }, directory);
    const client = await Client.connect(first.url);
    const notes = Array.from({ length: 20 }, (_, n) => alice.event({ created_at: now() - n }));
    await publish(client, notes);
    const run = (...args: string[]) => wok(['negentropy', ...args, '--data', directory]);
    expect((await run('add', '{"kinds":[1]}')).code).toBe(exitCodes.ok);
    await loaded(first, 3);
    await until(async () => (await trees(first))[2]!.events === 20, 'the size');
    const { out } = await run('list');
    expect(out.split('\n').slice(0, 3)).toEqual([
      '1  {}  20 events, always kept',
      '2  {"kinds":[0]}  0 events, of negentropy.filters',
      '3  {"kinds":[1]}  20 events, added by wok negentropy',
    ]);
    expect((await run('build', '3')).code).toBe(exitCodes.ok);
    await loaded(first, 3);
    expect(await idsByNeg(client, { kinds: [1] })).toHaveLength(20);
    await first.stop();
    // Without a relay as well, by one that the command starts.
    expect(JSON.parse((await run('list', '--json')).out)).toHaveLength(2);
    const second = await relay(FEW, directory);
    await loaded(second, 2);
    const again = await Client.connect(second.url);
    expect(await idsByNeg(again, { kinds: [1] })).toHaveLength(20);
    expect((await run('remove', '2')).code).toBe(exitCodes.ok);
    await until(async () => (await trees(second)).length === 1, 'no tree');
    expect((await new Syncing(again, []).open({ kinds: [1] }))[0]).toBe('NEG-ERR');
  });

  it('refuses what cannot be a tree', async () => {
    const here = await relay({ ...filters([{ kinds: [0] }]), 'negentropy.trees_max': 1 });
    const run = (...args: string[]) => wokHere(['negentropy', ...args, '--data', here.directory]);
    for (const [args, code, sentence] of [
      [['add', '{}'], exitCodes.usage, 'A tree is of a filter of authors, kinds or tags'],
      [['add', '{"kinds":[1],"since":5}'], exitCodes.usage, 'A tree is of a filter'],
      [['add', 'kinds=1'], exitCodes.usage, 'A tree is of a filter'],
      [['add', '{"kinds":[0,0]}'], exitCodes.refused, 'There is a tree of this filter already.'],
      [['add', '{"kinds":[7]}'], exitCodes.refused, 'At most 1 filters can have a tree'],
      [['remove', '{"kinds":[9]}'], exitCodes.refused, 'There is no tree of this filter.'],
      [['remove', '2'], exitCodes.refused, 'remove it there'],
      [['remove', '1'], exitCodes.refused, 'always kept'],
      [['build', '7'], exitCodes.refused, 'there is no tree 7'],
      [['build', '{"kinds":[9]}'], exitCodes.refused, 'add it first'],
    ] as const) {
      const ran = await run(...args);
      expect(ran.err, args.join(' ')).toContain(sentence);
      expect(ran.code).toBe(code);
    }
  });
});

describe('the key of a filter', () => {
  const keyOf = (filter: object) => conditionsKey(parseConditions(JSON.stringify(filter))!);

  it('is the same for the same conditions only', () => {
    expect(keyOf({ kinds: [10, 9] })).toBe(keyOf({ kinds: [9, 10, 9] }));
    expect(keyOf({ '#a': ['1'], '#b': ['2'] })).toBe(keyOf({ '#b': ['2'], '#a': ['1'] }));
    expect(keyOf({ '#a': ['1', '2'] })).not.toBe(keyOf({ '#a': ['1'], '#b': ['2'] }));
    expect(keyOf({ kinds: [1] })).not.toBe(keyOf({ kinds: [1], authors: [alice.pubkey] }));
  });
});
