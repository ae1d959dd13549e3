// Rates, budgets and bans of addresses, networks and authors. In-process relay with two ingester
// workers, over real sockets; X-Forwarded-For sets the address of a client.

import { afterEach, describe, expect, it } from 'vitest';
import { accepted, closed, refused } from '../support/answers.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { inTime } from '../support/pace.ts';
import { delay } from '../support/process.ts';
import { type Settings, startRelay, type TestRelay, testConfig } from '../support/relay.ts';

let relay: TestRelay;
let clients: Client[] = [];

/** Settings with all rates and bans off but the given ones: each test checks one rate. */
function only(settings: Settings): Settings {
  const things = ['connections', 'messages', 'bytes', 'events', 'subscriptions'];
  const off = things.map((thing) => [`rates.ip_${thing}`, '']);
  return {
    ...Object.fromEntries(off),
    'rates.subnet_factor': 0,
    'rates.pubkey_events': '',
    'bans.violations_max': 0,
    'ingester.workers': 2,
    ...settings,
  };
}

async function start(settings: Settings): Promise<void> {
  relay = await startRelay(only(settings));
}

async function from(ip: string): Promise<Client> {
  const client = await Client.connect(relay.url, { headers: { 'X-Forwarded-For': ip } });
  clients.push(client);
  return client;
}

/** Sends an upgrade that the relay answers by HTTP. */
function upgrade(ip: string) {
  return http(relay.httpUrl, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'X-Forwarded-For': ip,
  });
}

afterEach(async () => {
  for (const { socket } of clients) socket.terminate();
  clients = [];
  await relay.stop();
});

/** Returns the number of seconds that a refusal tells to wait. */
function secondsIn(why: unknown): number {
  const found = /^rate-limited: .* in (\d+) seconds?$/.exec(String(why));
  expect(found).not.toBeNull();
  return Number(found![1]);
}

/** Returns the seconds since `start`, and one more for rounding. */
function secondsSince(start: number): number {
  return (performance.now() - start) / 1000 + 1;
}

/**
 * Publishes events, each of another author, until one is refused or `max` are accepted. Returns the
 * number of accepted events, and the refusal.
 */
async function burst(client: Client, max: number): Promise<{ taken: number; why: unknown }> {
  for (let taken = 0; taken < max; taken++) {
    const [, , ok, why] = await client.publish(new Author().event());
    if (!ok) return { taken, why };
  }
  return { taken: max, why: '' };
}

describe('events of an address', () => {
  it('are taken up to the burst, on all of its connections together, in all ingester workers', async () => {
    await start({ 'rates.ip_events': '1/h burst 6' });
    const [one, two, other] = [
      await from('192.0.2.1'),
      await from('192.0.2.1'),
      await from('192.0.2.2'),
    ];
    const begin = performance.now();
    expect((await burst(one, 4)).taken).toBe(4);
    const { taken, why } = await burst(two, 4);
    expect(taken).toBe(2);
    // The time to wait gets shorter from the first event on.
    expect(secondsIn(why)).toBeGreaterThanOrEqual(3600 - secondsSince(begin));
    expect(secondsIn(why)).toBeLessThanOrEqual(3600);
    expect((await burst(other, 4)).taken).toBe(4);
  });

  it('are accepted again after the time in the refusal', async () => {
    await start({ 'rates.ip_events': '30/min burst 2' });
    const client = await from('192.0.2.1');
    // Many at once: one after the other, none might exceed this rate.
    const events = Array.from({ length: 60 }, () => new Author().event());
    for (const event of events) client.send(['EVENT', event]);
    const answers = await Promise.all(events.map(({ id }) => client.ok(id)));
    const why = answers.findLast(([, , ok]) => ok === false)![3];
    await delay(secondsIn(why) * 1000);
    const event = new Author().event();
    expect(await client.publish(event)).toEqual(accepted(event));
  });

  it('count for IPv6 by the /64', async () => {
    await start({ 'rates.ip_events': '1/h burst 3' });
    expect((await burst(await from('2001:db8::1'), 3)).taken).toBe(3);
    expect((await burst(await from('2001:db8::ffff:1'), 3)).taken).toBe(0);
    expect((await burst(await from('2001:db8:0:1::1'), 3)).taken).toBe(3);
  });

  it('are not limited for exempt networks, loopback and proxies', async () => {
    await start({
      'rates.ip_events': '1/h burst 1',
      'rates.exempt': ['127.0.0.0/8', '198.51.100.0/24'],
      'io.trusted_proxies': ['127.0.0.1', '::1', '203.0.113.9'],
    });
    expect((await burst(await from('127.0.0.1'), 5)).taken).toBe(5);
    expect((await burst(await from('198.51.100.7'), 5)).taken).toBe(5);
    expect((await burst(await from('203.0.113.9'), 5)).taken).toBe(5);
    expect((await burst(await from('198.51.101.7'), 5)).taken).toBe(1);
  });
});

it('events of a subnet: subnet_factor times those of an address', async () => {
  await start({ 'rates.ip_events': '1/h burst 3', 'rates.subnet_factor': 2 });
  expect((await burst(await from('192.0.2.1'), 3)).taken).toBe(3);
  expect((await burst(await from('192.0.2.200'), 3)).taken).toBe(3);
  const subnet = await burst(await from('192.0.2.201'), 3);
  expect(subnet.taken).toBe(0);
  expect(subnet.why).toContain('your network');
  expect((await burst(await from('198.51.100.1'), 3)).taken).toBe(3);
  const unlimited = only({ 'rates.ip_events': '1/h burst 3', 'rates.subnet_factor': 0 });
  await relay.relay.reload(testConfig(relay.directory, unlimited));
  expect((await burst(await from('192.0.2.202'), 3)).taken).toBe(3);
});

describe('events of an author', () => {
  const publish = async (client: Client, author: Author, kind = 1) => {
    const [, , ok, why] = await client.publish(author.event({ kind }));
    return ok === true ? 'ok' : why;
  };

  it('count wherever they come from', async () => {
    await start({ 'rates.pubkey_events': '1/h burst 2' });
    const author = new Author();
    const [one, two] = [await from('192.0.2.1'), await from('198.51.100.1')];
    expect(await publish(one, author)).toBe('ok');
    expect(await publish(two, author)).toBe('ok');
    expect(await publish(one, author)).toMatch(/^rate-limited: too many events of this author/);
    expect(await publish(one, new Author())).toBe('ok');
  });

  it('cannot be used up by clients that forge signatures or send old events again', async () => {
    await start({ 'rates.pubkey_events': '1/h burst 3' });
    const author = new Author();
    const foe = await from('198.51.100.1');
    const known = author.event();
    expect(await foe.publish(known)).toEqual(accepted(known));
    for (let i = 0; i < 5; i++) {
      const forged = { ...author.event(), sig: '0'.repeat(128) };
      expect(await foe.publish(forged)).toEqual(refused(forged, 'invalid'));
      expect(await foe.publish(known)).toEqual(accepted(known, 'duplicate'));
    }
    expect(await publish(await from('192.0.2.1'), author)).toBe('ok');
    expect(await publish(await from('192.0.2.1'), author)).toBe('ok');
  });

  it('cannot be used up by copies of their ephemeral events', async () => {
    await start({ 'rates.pubkey_events': '1/h burst 3' });
    const [author, foe] = [new Author(), await from('198.51.100.1')];
    const signal = author.event({ kind: 20_000 });
    for (let i = 0; i < 3; i++) expect((await foe.publish(signal))[2]).toBe(true);
    expect(await foe.publish(signal)).toEqual(refused(signal, 'rate-limited'));
    expect(await publish(await from('192.0.2.1'), author, 20_000)).toBe('ok');
    expect(await publish(await from('192.0.2.1'), author)).toBe('ok');
  });

  it('have other rates for some kinds', async () => {
    await start({
      'rates.pubkey_events': '1/h burst 1',
      'rates.pubkey_events_by_kind': ['20000-29999=1/h burst 3', '20001=none'],
    });
    const [author, client] = [new Author(), await from('192.0.2.1')];
    expect(await publish(client, author)).toBe('ok');
    for (let i = 0; i < 3; i++) expect(await publish(client, author, 20_000)).toBe('ok');
    expect(await publish(client, author, 20_002)).toMatch(/^rate-limited/);
    for (let i = 0; i < 5; i++) expect(await publish(client, author, 20_001)).toBe('ok');
    expect(await publish(client, author)).toMatch(/^rate-limited/);
  });
});

it('messages of an address are refused by their id, CLOSE never', async () => {
  await start({ 'rates.ip_messages': '1/h burst 2' });
  const client = await from('192.0.2.1');
  const event = new Author().event();
  expect((await client.req('a', { kinds: [1] })).end[0]).toBe('EOSE');
  expect(await client.publish(event)).toEqual(accepted(event));
  const late = new Author().event();
  expect(await client.publish(late)).toEqual(refused(late, 'rate-limited'));
  client.send(['REQ', 'b', { kinds: [1] }]);
  expect(await client.next(([, id]) => id === 'b')).toEqual(closed('b', 'rate-limited'));
  client.send(['COUNT', 'c', { kinds: [1] }]);
  expect(await client.next(([, id]) => id === 'c')).toEqual(closed('c', 'rate-limited'));
  expect(await client.live('a')).toEqual(event);
  client.send(['CLOSE', 'a']);
  // The refusal of a message after the CLOSE shows that the CLOSE was read.
  client.send(['COUNT', 'd', { kinds: [1] }]);
  await client.next(([, id]) => id === 'd');
  await relay.relay.reload(testConfig(relay.directory, only({})));
  await client.sync();
  const unseen = new Author().event();
  expect(await client.publish(unseen)).toEqual(accepted(unseen));
  await client.req('e', { ids: [unseen.id] });
  expect(client.inbox.filter(([, id]) => id === 'a')).toEqual([]);
});

it('a REQ beyond the rate ends the subscription whose id it has', async () => {
  await start({ 'rates.ip_messages': '1/h burst 2' });
  const client = await from('192.0.2.1');
  const author = new Author();
  const filter = { authors: [author.pubkey] };
  await client.req('a', filter);
  await client.req('b', filter);
  client.send(['REQ', 'a', { kinds: [7] }]);
  expect(await client.next(([type]) => type === 'CLOSED')).toEqual(closed('a', 'rate-limited'));
  const other = await from('127.0.0.1');
  // A first event for subscription `a` would come before the second one for `b`.
  for (const event of [author.event(), author.event()]) {
    expect(await other.publish(event)).toEqual(accepted(event));
    expect(await client.live('b')).toEqual(event);
  }
  expect(client.inbox.filter(([type, id]) => type === 'EVENT' && id === 'a')).toEqual([]);
});

it('bytes of an address: one message may overdraw, the next waits', async () => {
  await start({ 'rates.ip_bytes': '1KiB/h burst 4KiB' });
  const client = await from('192.0.2.1');
  const large = new Author().event({ content: 'x'.repeat(9000) });
  expect(await client.publish(large)).toEqual(accepted(large));
  const small = new Author().event();
  const answer = await client.publish(small);
  expect(answer).toEqual(refused(small, 'rate-limited'));
  // About 5.1 hours, less the time that the machine has taken.
  expect(secondsIn(answer[3])).toBeGreaterThanOrEqual(4.9 * 3600);
  expect(secondsIn(answer[3])).toBeLessThan(6 * 3600);
});

it('subscriptions and counts share a rate', async () => {
  await start({ 'rates.ip_subscriptions': '1/h burst 3' });
  const client = await from('192.0.2.1');
  expect((await client.req('a', { kinds: [1] })).end[0]).toBe('EOSE');
  expect((await client.count({ kinds: [1] }))[0]).toBe('COUNT');
  expect((await client.req('b', { kinds: [1] })).end[0]).toBe('EOSE');
  expect((await client.req('c', { kinds: [1] })).end).toEqual(closed('c', 'rate-limited'));
  expect((await client.count({ kinds: [1] }))[2]).toMatch(/^rate-limited/);
  const event = new Author().event();
  expect(await client.publish(event)).toEqual(accepted(event));
});

it('new connections over the rate are refused with the time to wait', async () => {
  await start({ 'rates.ip_connections': '1/h burst 2', 'bans.violations_max': 1 });
  const begin = performance.now();
  await from('192.0.2.1');
  await from('192.0.2.1');
  for (let i = 0; i < 5; i++) {
    const { status, headers, body } = await upgrade('192.0.2.1');
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(3600 - secondsSince(begin));
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(3600);
    expect(body).toMatch(/too many new connections .* in \d+ seconds/);
  }
  await from('192.0.2.2');
  await from('127.0.0.1');
});

describe('bans', () => {
  const strict: Settings = {
    'bans.violations_max': 3,
    'bans.window_seconds': 3600,
    'bans.ban_seconds': 3600,
  };

  /** Commits three violations, and the one that exceeds the limit. */
  async function misbehave(client: Client): Promise<void> {
    for (let i = 0; i < 4; i++) {
      client.send(`no JSON ${i}`);
      expect((await client.any())[1]).toMatch(/^invalid/);
    }
  }

  it('end by themselves: connections are closed and refused, coming back adds nothing', () =>
    inTime(async (scale, within) => {
      const seconds = 2 * scale;
      await relay?.stop();
      await start({ ...strict, 'bans.ban_seconds': seconds });
      const [client, idle, other] = [
        await from('192.0.2.1'),
        await from('192.0.2.1'),
        await from('192.0.2.2'),
      ];
      const over = within(seconds * 1000);
      await misbehave(client);
      const event = new Author().event();
      const answer = await client.publish(event);
      expect(answer).toEqual(refused(event, 'rate-limited'));
      const told = /banned because .*; try again in (\d+) seconds?$/.exec(String(answer[3]))!;
      expect(Number(told[1])).toBeLessThanOrEqual(seconds);
      // Reading on from a banned address would cost more than closing its connections.
      for (const banned of [client, idle]) expect((await banned.ended()).code).toBe(1008);
      await other.sync();
      const { status, headers, body } = await upgrade('192.0.2.1');
      expect([status, body]).toEqual([429, expect.stringMatching(/banned for \d+ more seconds?/)]);
      const wait = Number(headers['retry-after']);
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(seconds);
      for (let i = 0; i < 5; i++) expect((await upgrade('192.0.2.1')).status).toBe(429);
      over();
      await delay(wait * 1000);
      const back = await from('192.0.2.1');
      expect(await back.publish(event)).toEqual(accepted(event));
    }));

  it('are for one address, not for its network, and never for exempt ones', async () => {
    await start(strict);
    await misbehave(await from('192.0.2.1'));
    expect((await upgrade('192.0.2.1')).status).toBe(429);
    await from('192.0.2.2');
    const local = await from('127.0.0.1');
    for (let i = 0; i < 3; i++) await misbehave(local);
    await from('127.0.0.1');
  });

  it('come for false signatures and for what is over the rates', async () => {
    await start({ ...strict, 'rates.ip_events': '1/h burst 1' });
    const forger = await from('192.0.2.1');
    const event = { ...new Author().event(), sig: '0'.repeat(128) };
    expect(await forger.publish(event)).toEqual(refused(event, 'invalid'));
    await burst(forger, 1);
    await burst(forger, 1);
    await burst(forger, 1);
    const { why } = await burst(forger, 1);
    expect(why).toContain('banned');
  });
});

it('another header names the address, and X-Forwarded-For is ignored then', async () => {
  await start({
    'rates.ip_events': '1/h burst 1',
    'io.client_address_header': 'CF-Connecting-IP',
  });
  const connect = async (headers: Record<string, string>) => {
    const client = await Client.connect(relay.url, { headers });
    clients.push(client);
    return client;
  };
  const told = { 'CF-Connecting-IP': '192.0.2.1' };
  expect((await burst(await connect({ ...told, 'X-Forwarded-For': '192.0.2.8' }), 3)).taken).toBe(
    1,
  );
  expect((await burst(await connect({ ...told, 'X-Forwarded-For': '192.0.2.9' }), 3)).taken).toBe(
    0,
  );
  expect((await burst(await connect({ 'X-Forwarded-For': '192.0.2.1' }), 3)).taken).toBe(3);
});

it('a reload changes rates of open connections, and keeps the tokens in their buckets', async () => {
  await start({ 'rates.ip_events': '1/h burst 2' });
  const client = await from('192.0.2.1');
  expect((await burst(client, 3)).taken).toBe(2);
  const next = (settings: Settings) => testConfig(relay.directory, only(settings));
  await relay.relay.reload(next({ 'rates.ip_events': '1/h burst 5' }));
  expect((await burst(client, 5)).taken).toBe(3);
  await relay.relay.reload(next({ 'rates.exempt': ['192.0.2.0/24'] }));
  expect((await burst(client, 20)).taken).toBe(20);
});
