// Bans, allowances and removals by `wok mod` and the control socket: they take effect at once in
// every worker and survive a restart. In-process relay over real sockets; NetworkSet as a unit.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { NetworkSet, normalNetwork } from '../../src/lib/network-set.ts';
import type { ListedRow } from '../../src/store/database/listed.ts';
import type { AuditRow } from '../../src/web/api/moderation.ts';
import { accepted, idsOf, refused } from '../support/answers.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { http } from '../support/http.ts';
import { inTime } from '../support/pace.ts';
import { until } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import { freshDirectory, type Settings, startRelay, type TestRelay } from '../support/relay.ts';
import { type Ran, wokHere } from '../support/wok.ts';

interface Use {
  relay: TestRelay;
  control: Control;
  client: Client;
  /** Runs `wok mod …` against this relay. */
  mod(...args: string[]): Promise<Ran>;
}

async function start(settings: Settings = {}, directory = freshDirectory()): Promise<Use> {
  const relay = await startRelay({ 'ingester.workers': 2, ...settings }, directory);
  const control = await Control.connect(directory);
  const client = await Client.connect(relay.url);
  onTestFinished(async () => {
    client.socket.terminate();
    control.socket.destroy();
    await relay.stop();
  });
  return {
    relay,
    control,
    client,
    mod: (...args) => wokHere(['mod', ...args, '--data', directory]),
  };
}

async function restart(use: Use, settings: Settings = {}): Promise<Use> {
  use.client.socket.terminate();
  use.control.socket.destroy();
  await use.relay.stop();
  return start(settings, use.relay.directory);
}

describe('a banned author', () => {
  it('is refused at once by every worker, also after a restart and after workers died, until unbanned', async () => {
    let use = await start();
    const [author, other] = [new Author(), new Author()];
    const old = author.event();
    expect(await use.client.publish(old)).toEqual(accepted(old));
    await use.control.ask('mod.put', { list: 'pubkey', subject: author.pubkey, stance: 'ban' });
    const clients = await Promise.all([1, 2, 3, 4].map(() => Client.connect(use.relay.url)));
    for (const client of clients) {
      const event = author.event();
      expect(await client.publish(event)).toEqual(refused(event, 'blocked'));
      const fine = other.event();
      expect(await client.publish(fine)).toEqual(accepted(fine));
      client.socket.terminate();
    }
    // Stored events stay where their removal was not asked for.
    expect(idsOf((await use.client.query({ ids: [old.id] })).events)).toEqual([old.id]);

    use = await restart(use);
    const event = author.event();
    expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
    for (const [station, worker] of [
      ['ingester', 0],
      ['ingester', 1],
      ['admin', 0],
    ] as const) {
      await use.relay.relay.kill(station, worker);
      const healthy = async () => (await http(`${use.relay.httpUrl}/health`)).status === 200;
      await until(healthy, 'being well again');
    }
    for (let i = 0; i < 4; i++) {
      const client = await Client.connect(use.relay.url);
      expect(await client.publish(event)).toEqual(refused(event, 'blocked'));
      client.socket.terminate();
    }
    const { mod } = use;
    expect((await mod('unban', 'pubkey', author.pubkey)).code).toBe(exitCodes.ok);
    const client = await Client.connect(use.relay.url);
    expect(await client.publish(event)).toEqual(accepted(event));
    client.socket.terminate();
  });

  it('has no event stored that was in flight', async () => {
    const { client, control } = await start();
    const author = new Author();
    const events = Array.from({ length: 300 }, () => author.event());
    for (const event of events) client.send(['EVENT', event]);
    await control.ask('mod.put', {
      list: 'pubkey',
      subject: author.pubkey,
      stance: 'ban',
      remove: true,
    });
    for (const { id } of events) await client.ok(id);
    expect((await client.query({ authors: [author.pubkey] })).events).toEqual([]);
    expect(await client.count({ authors: [author.pubkey] })).toMatchObject({ 2: { count: 0 } });
  });
});

describe('a ban with an expiry', () => {
  it('ends by itself, and is removed from the list', () =>
    inTime(async (scale, within) => {
      const { client, control } = await start();
      const author = new Author();
      const done = within(2000 * scale);
      const expiresAt = now() + 1 + 2 * scale;
      await control.ask('mod.put', {
        list: 'pubkey',
        subject: author.pubkey,
        stance: 'ban',
        expiresAt,
      });
      const event = author.event();
      expect(await client.publish(event)).toEqual(refused(event, 'blocked'));
      done();
      await until(() => now() >= expiresAt, 'the end of the ban');
      expect(await client.publish(event)).toEqual(accepted(event));
      const banned = () => control.ask<ListedRow[]>('mod.list', { list: 'pubkey', stance: 'ban' });
      await until(async () => (await banned()).length === 0, 'the list to forget');
      const [last] = await control.ask<AuditRow[]>('mod.audit', { limit: 1 });
      expect(last).toMatchObject({ by: 'relay', action: 'unban pubkey', reason: 'expired' });
    }));
});

describe('a removed event', () => {
  it('is gone from REQ and COUNT, is refused when it comes back, and may come back when unbanned', async () => {
    let use = await start();
    const author = new Author();
    const [bad, good] = [author.event(), author.event()];
    await use.client.publish(bad);
    await use.client.publish(good);
    const { code } = await use.mod('remove', 'event', bad.id, '--reason', 'illegal');
    expect(code).toBe(exitCodes.ok);
    const everything = { authors: [author.pubkey] };
    expect(idsOf((await use.client.query(everything)).events)).toEqual([good.id]);
    expect(await use.client.count(everything)).toMatchObject({ 2: { count: 1 } });
    expect(await use.client.publish(bad)).toEqual(refused(bad, 'blocked'));
    use = await restart(use);
    expect(await use.client.publish(bad)).toEqual(refused(bad, 'blocked'));
    await use.control.ask('mod.take', { list: 'event', subject: bad.id, stance: 'ban' });
    expect(await use.client.publish(bad)).toEqual(accepted(bad));
  });

  it('reaches no open subscription when it is published again', async () => {
    const { client, control } = await start();
    const author = new Author();
    const event = author.event();
    await control.ask('mod.put', { list: 'event', subject: event.id, stance: 'ban' });
    await client.req('live', { authors: [author.pubkey] });
    expect(await client.publish(event)).toEqual(refused(event, 'blocked'));
    const next = author.event();
    await client.publish(next);
    expect((await client.live('live')).id).toBe(next.id);
  });
});

describe('a removed author', () => {
  it('loses everything written so far, in slices, wherever it stands, and may write anew', async () => {
    let use = await start({ 'storage.index_batch_events': 200 });
    const [author, other] = [new Author(), new Author()];
    const events = Array.from({ length: 450 }, (_, i) =>
      author.event({ created_at: now() - 1000 + i, kind: i % 3 === 0 ? 1 : 30_000 + i }),
    );
    const ahead = author.event({ created_at: now() + 500 });
    for (const event of [...events, ahead, other.event()]) use.client.send(['EVENT', event]);
    for (const event of [...events, ahead]) {
      expect(await use.client.ok(event.id)).toEqual(accepted(event));
    }
    const { out } = await use.mod('remove', 'author', author.pubkey);
    expect(out).toContain('451 events');
    const check = async () => {
      expect((await use.client.query({ authors: [author.pubkey] })).events).toEqual([]);
      expect(await use.client.count({})).toMatchObject({ 2: { count: 1 } });
      for (const event of [events[0]!, events.at(-1)!, ahead]) {
        expect(await use.client.publish(event)).toEqual(refused(event, 'blocked'));
      }
    };
    await check();
    use = await restart(use);
    await check();
    const later = author.event({ created_at: now() + 600 });
    expect(await use.client.publish(later)).toEqual(accepted(later));
  });
});

describe('a removal', () => {
  it('that was interrupted continues by itself when the admin worker is back', async () => {
    // Three times as many events each time, until some are left when the admin worker has died.
    for (let events = 3000, left = 0; left === 0; events *= 3) {
      const { relay, control, client } = await start({ 'storage.index_batch_events': 500 });
      const author = new Author();
      const publisher = await Publisher.connect(relay.url);
      const oldest = now() - 10 * events;
      let made = 0;
      const next = () => (made++ < events ? author.event({ created_at: oldest + made }) : null);
      await publisher.publish(next, 256);
      publisher.socket.terminate();
      control.answer('mod.remove', { what: 'author', subject: author.pubkey }).catch(() => {});
      const count = async () =>
        ((await client.count({ authors: [author.pubkey] }))[2] as { count: number }).count;
      await until(async () => (await count()) < events, 'the beginning');
      await relay.relay.kill('admin', 0);
      left = await count();
      await until(async () => (await count()) === 0, 'the end');
    }
  });

  it('holds for what is imported, too', async () => {
    const { relay, control, client } = await start();
    const [author, banned] = [new Author(), new Author()];
    const [event, fine] = [author.event(), author.event()];
    await client.publish(event);
    await control.ask('mod.remove', { what: 'event', subject: event.id });
    await control.ask('mod.put', { list: 'pubkey', subject: banned.pubkey, stance: 'ban' });
    client.socket.terminate();
    control.socket.destroy();
    await relay.stop();
    const file = join(freshDirectory(), 'events.jsonl');
    const lines = [event, fine, banned.event()].map((one) => JSON.stringify(one));
    writeFileSync(file, `${lines.join('\n')}\n`);
    expect((await wokHere(['import', file, '--data', relay.directory])).code).toBe(exitCodes.ok);
    const again = await start({}, relay.directory);
    expect(idsOf((await again.client.query({})).events)).toEqual([fine.id]);
  });
});

describe('a banned kind', () => {
  it('is refused, an allowed one taken in spite of the configuration', async () => {
    const { client, mod } = await start({ 'policy.kinds_denied': ['7', '8'] });
    const author = new Author();
    await mod('ban', 'kind', '1');
    await mod('allow', 'kind', '7');
    for (const [kind, taken] of [
      [1, false],
      [7, true],
      [8, false],
      [9, true],
    ] as const) {
      const event = author.event({ kind });
      const answer = await client.publish(event);
      expect(answer).toEqual(taken ? accepted(event) : refused(event, 'blocked'));
    }
  });
});

describe('an allowed author', () => {
  it('may write where only some may', async () => {
    const { client, mod } = await start({ 'policy.pubkeys_allowed': [new Author().pubkey] });
    const author = new Author();
    const event = author.event();
    expect(await client.publish(event)).toEqual(refused(event, 'restricted'));
    await mod('allow', 'pubkey', author.pubkey);
    expect(await client.publish(event)).toEqual(accepted(event));
    await mod('unallow', 'pubkey', author.pubkey);
    const again = author.event();
    expect(await client.publish(again)).toEqual(refused(again, 'restricted'));
  });
});

describe('a banned address', () => {
  it('is cut off at once and not let in again until it is unbanned; health is told all the same', async () => {
    const use = await start({ 'io.trusted_proxies': ['127.0.0.1'] });
    const from = (ip: string) =>
      Client.connect(use.relay.url, { headers: { 'X-Forwarded-For': ip } });
    const [one, other] = [await from('192.0.2.7'), await from('198.51.100.1')];
    await use.mod('ban', 'ip', '192.0.2.0/24', '--for', '1h');
    expect(await one.ended()).toMatchObject({ code: 1008 });
    await expect(from('192.0.2.200')).rejects.toThrow('HTTP 403');
    await other.sync();
    expect((await http(use.relay.httpUrl)).status).toBe(200);
    const after = await restart(use, { 'io.trusted_proxies': ['127.0.0.1'] });
    const again = () =>
      Client.connect(after.relay.url, { headers: { 'X-Forwarded-For': '192.0.2.7' } });
    await expect(again()).rejects.toThrow('HTTP 403');
    await after.mod('unban', 'ip', '192.0.2.0/24');
    await (await again()).close();
  });
});

describe('a banned key', () => {
  const BLOCKED = expect.stringMatching(/^blocked: /);

  it('loses its subscriptions and its connections, and cannot authenticate any more', async () => {
    const { relay, client, mod } = await start();
    const [author, friend] = [new Author(), new Author()];
    const connect = async (...keys: Author[]) => {
      const one = await Client.connect(relay.url);
      if (keys.length > 0) await one.auth(...keys);
      await one.req('a', { kinds: [1] });
      await one.req('b', { kinds: [4], '#p': [(keys[0] ?? friend).pubkey] }, { kinds: [7] });
      return one;
    };
    const [alone, again, both, other, nobody] = await Promise.all([
      connect(author),
      connect(author),
      connect(author, friend),
      connect(friend),
      connect(),
    ]);
    await mod('ban', 'pubkey', author.pubkey);
    for (const one of [alone, again]) {
      expect(await one.ended()).toMatchObject({ code: 1008, reason: BLOCKED });
      const said = one.inbox.filter(([verb]) => verb !== 'EOSE');
      expect(said).toEqual([
        ['CLOSED', 'a', BLOCKED],
        ['CLOSED', 'b', BLOCKED],
        ['NOTICE', BLOCKED],
      ]);
    }
    // A connection with another key stays open, and reads only events for that key.
    expect(await both.next(([verb]) => verb === 'NOTICE')).toEqual(['NOTICE', BLOCKED]);
    const secret = new Author().event({ kind: 4, tags: [['p', author.pubkey]] });
    expect(await client.publish(secret)).toEqual(accepted(secret));
    const note = friend.event();
    await client.publish(note);
    expect(await both.live('a')).toEqual(note);
    expect(both.inbox.filter(([, id]) => id === 'b')).toEqual([]);
    for (const one of [other, nobody]) expect(await one.live('a')).toEqual(note);

    const back = await Client.connect(relay.url);
    const answer = author.auth(await back.challenge(), relay.url);
    expect(await back.authenticate(answer)).toEqual(refused(answer, 'blocked'));
    await mod('unban', 'pubkey', author.pubkey);
    await back.auth(author);
    for (const one of [both, other, nobody, back]) await one.close();
  });

  it('is disconnected while a query worker answers many of its queries', async () => {
    const { relay, client, mod } = await start();
    const author = new Author();
    for (let i = 0; i < 50; i++)
      await client.publish(author.event({ content: 'x'.repeat(50_000) }));
    const reader = await Client.connect(relay.url);
    await reader.auth(author);
    for (let i = 0; i < 40; i++) reader.send(['REQ', `s${i}`, { authors: [author.pubkey] }]);
    await mod('ban', 'pubkey', author.pubkey);
    expect(await reader.ended()).toMatchObject({ code: 1008 });
    await client.sync();
  });
});

describe('wok mod', () => {
  it('lists, takes back, and keeps account of everything', async () => {
    const { mod, control } = await start();
    const { pubkey } = new Author();
    expect((await mod('list', 'pubkey')).out).toBe('The list is empty.\n');
    await mod('ban', 'pubkey', pubkey, '--reason', 'spam', '--for', '7d');
    const [row] = JSON.parse((await mod('list', 'pubkey', '--json')).out) as ListedRow[];
    expect(row).toMatchObject({ subject: pubkey, stance: 'ban', reason: 'spam', by: 'shell' });
    const seconds = row!.expires_at! - row!.at;
    // The two times are read one after the other.
    expect([604_799, 604_800, 604_801]).toContain(seconds);
    expect((await mod('list', 'pubkey')).out).toContain(`ban  ${pubkey}`);
    // An allowance replaces the ban.
    await mod('allow', 'pubkey', pubkey);
    expect((await mod('unban', 'pubkey', pubkey)).out).toContain('was not banned');
    expect((await mod('unallow', 'pubkey', pubkey)).out).toContain('no longer allowed');
    const rows = await control.ask<AuditRow[]>('mod.audit', { subject: pubkey });
    expect(rows.map(({ action, reason }) => [action, reason])).toEqual([
      ['unallow pubkey', ''],
      ['allow pubkey', ''],
      ['ban pubkey', 'spam'],
    ]);
    expect((await mod('audit')).out.split('\n')[0]).toMatch(/shell {2}ban pubkey .* spam$/);
  });

  const WRONG = [
    [['ban', 'pubkey', 'npub1nonsense'], exitCodes.usage, 'is not a public key'],
    [['ban', 'event', 'abc'], exitCodes.usage, 'is not an event id'],
    [['ban', 'kind', '65536'], exitCodes.usage, 'is not a kind'],
    [['ban', 'kind', '-1'], exitCodes.usage, 'If it is an argument, write -- in front of it.'],
    [['ban', 'ip', '192.0.2.0/33'], exitCodes.usage, 'is not an IP address'],
    [['ban', 'ip', 'example.com'], exitCodes.usage, 'is not an IP address'],
    [['ban', 'planet', 'mars'], exitCodes.usage, 'does not know "planet"'],
    [['ban', 'kind'], exitCodes.usage, 'Write wok mod ban'],
    [['ban', 'kind', '1', '--for', 'ever'], exitCodes.usage, '--for'],
    [['bann', 'kind', '1'], exitCodes.usage, 'Did you mean wok mod ban?'],
    [['remove', 'kind', '1'], exitCodes.usage, 'Write wok mod remove'],
  ] as const;

  it('explains what it does not understand', async () => {
    const { mod } = await start();
    const wrong = await Promise.all(WRONG.map(async ([args]) => mod(...args)));
    WRONG.forEach(([args, code, text], at) => {
      expect([args, wrong[at]]).toMatchObject([args, { code, out: '' }]);
      expect(wrong[at]!.err).toContain(text);
    });
  });

  it('bans no admin, and no more than the lists take', async () => {
    const { pubkey } = new Author();
    const { control } = await start({
      'admin.pubkeys': [pubkey],
      'moderation.list_entries_max': 100,
    });
    const put = (list: string, subject: string) =>
      control.answer('mod.put', { list, subject, stance: 'ban' });
    expect((await put('pubkey', pubkey)).error).toMatchObject({ code: 'refused' });
    for (let kind = 0; kind < 100; kind++)
      expect((await put('kind', `${kind}`)).error).toBeUndefined();
    expect((await put('kind', '100')).error).toMatchObject({ code: 'refused' });
    expect((await put('kind', '99')).error).toBeUndefined();
  });
});

describe('a set of networks', () => {
  it('finds addresses in it, by any prefix and both families, while they last', () => {
    const set = new NetworkSet();
    set.put('10.1.0.0/16', 0);
    set.put('192.0.2.1', 100);
    set.put('2001:db8::/33', 0);
    set.put('::ffff:203.0.113.5', 0);
    const asked: [string, number, boolean][] = [
      ['10.1.255.255', 1, true],
      ['10.2.0.0', 1, false],
      ['192.0.2.1', 99, true],
      ['192.0.2.1', 100, false],
      ['2001:db8:7fff::1', 1, true],
      ['2001:db8:8000::1', 1, false],
      ['203.0.113.5', 1, true],
      ['nonsense', 1, false],
      ['', 1, false],
    ];
    for (const [address, time, inside] of asked)
      expect([address, set.has(address, time)]).toEqual([address, inside]);
    set.put('0.0.0.0/0', 0);
    expect(set.has('8.8.8.8', 1)).toBe(true);
    expect(set.has('::1', 1)).toBe(false);
    set.clear();
    expect(set.isEmpty).toBe(true);
    expect(set.has('8.8.8.8', 1)).toBe(false);
    expect(normalNetwork('10.1.2.3/16')).toBe('10.1.0.0/16');
    expect(normalNetwork('2001:DB8::0')).toBe('2001:db8::');
    expect(normalNetwork('::ffff:10.1.2.3/112')).toBe('10.1.0.0/16');
    expect(normalNetwork('10.1.2.3/')).toBeNull();
  });
});
