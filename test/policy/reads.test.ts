// Read budgets (work, bytes sent, memory of subscriptions): answers are cut short before any client
// is refused. In-process relay over real sockets.

import { afterEach, expect, it } from 'vitest';
import type { RefusedRead } from '../../src/metrics/refused-reads.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { closed, idsOf } from '../support/answers.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { ALL_HINTS, type Settings, startRelay, type TestRelay } from '../support/relay.ts';

const EVENTS = 400;

let relay: TestRelay;
let clients: Client[] = [];
let stored: NostrEvent[] = [];

async function from(ip: string): Promise<Client> {
  const client = await Client.connect(relay.url, { headers: { 'X-Forwarded-For': ip } });
  clients.push(client);
  return client;
}

/**
 * Starts a relay with all read rates off but the given ones, and publishes events of different
 * seconds; `stored` has them newest first.
 */
async function start(settings: Settings): Promise<void> {
  relay = await startRelay({
    'rates.ip_work': '',
    'rates.ip_sent': '',
    'rates.subnet_factor': 0,
    ...ALL_HINTS,
    'rates.query_work_min': 500,
    'limits.limit_max': 1000,
    ...settings,
  });
  const author = new Author();
  const publisher = await from('127.0.0.1');
  const base = now() - 10 * EVENTS;
  stored = Array.from({ length: EVENTS }, (_, i) => author.event({ created_at: base + 10 * i }));
  stored.reverse();
  for (const event of stored) publisher.send(['EVENT', event]);
  await Promise.all(stored.map(({ id }) => publisher.ok(id)));
}

afterEach(async () => {
  for (const { socket } of clients) socket.terminate();
  clients = [];
  await relay.stop();
});

const ALL = { kinds: [1], limit: 1000 };

it('full answers, then short ones with "more", then a refusal; and other addresses do not notice', async () => {
  await start({ 'rates.ip_work': '1/s burst 8000' });
  const [client, other] = [await from('192.0.2.1'), await from('192.0.2.2')];
  const lengths: number[] = [];
  for (;;) {
    const { events, end } = await client.query(ALL);
    if (end[0] === 'CLOSED') {
      expect(end).toEqual(closed(String(end[1]), 'rate-limited'));
      expect(end[2]).toMatch(
        /queries exceeded the read budget of this relay; try again in \d+ seconds?$/,
      );
      break;
    }
    expect(idsOf(events)).toEqual(idsOf(stored.slice(0, events.length)));
    if (events.length < EVENTS) expect(end[2]).toEqual(['more']);
    lengths.push(events.length);
  }
  const full = lengths.filter((length) => length === EVENTS).length;
  expect(full).toBeGreaterThanOrEqual(2);
  expect(lengths.length).toBeGreaterThan(full + 2);
  expect(lengths.slice(full).every((length) => length > 0 && length < EVENTS)).toBe(true);
  const [, , why] = await client.count({ kinds: [1] });
  expect(why).toMatch(/^rate-limited/);
  const control = await Control.connect(relay.directory);
  const reads = await control.ask<RefusedRead[]>('why.reads', {});
  control.socket.destroy();
  const told = (verb: string, outcome: string) =>
    reads.find((one) => one.type === verb && one.outcome === outcome);
  expect(told('REQ', 'short')).toMatchObject({ text: '', filters: 'kinds 1 limit 1000' });
  expect(told('REQ', 'refused')!.text).toMatch(/^rate-limited/);
  expect(told('COUNT', 'refused')).toMatchObject({ text: why, filters: 'kinds 1' });
  expect((await other.query(ALL)).events).toHaveLength(EVENTS);
  expect((await other.count({ kinds: [1] }))[2]).toMatchObject({ count: EVENTS });
});

it('a client with short answers gets everything by paging', async () => {
  await start({ 'rates.ip_work': '1/s burst 1500' });
  const client = await from('192.0.2.1');
  const seen = new Set<string>();
  let until = now();
  let pages = 0;
  for (;;) {
    const { events, end } = await client.query({ ...ALL, until });
    expect(end[0]).toBe('EOSE');
    for (const { id } of events) seen.add(id);
    pages++;
    if ((end[2] as string[] | undefined)?.[0] === 'finish') break;
    until = events.at(-1)!.created_at - 1;
  }
  expect(pages).toBeGreaterThan(1);
  expect(seen.size).toBe(EVENTS);
});

it('one address never takes the last memory of subscriptions', async () => {
  await start({ 'limits.subscription_bytes_max': 1024 * 1024 });
  const [greedy, again, honest] = [
    await from('192.0.2.1'),
    await from('192.0.2.1'),
    await from('192.0.2.2'),
  ];
  const authors = Array.from({ length: 900 }, (_, n) => n.toString(16).padStart(64, '0'));
  const refused = (subId: string) => closed(subId, 'rate-limited');
  const open = async (client: Client, subId: string) =>
    (await client.req(subId, { authors, limit: 1 })).end;
  let held = 0;
  for (;;) {
    const end = await open(greedy, `s${held}`);
    if (end[0] === 'CLOSED') {
      expect(end).toEqual(refused(`s${held}`));
      break;
    }
    held++;
  }
  // 94,700 bytes each: one address holds at most half of the total.
  expect(held).toBe(6);
  expect(await open(again, 'more')).toEqual(refused('more'));
  // A subscription that replaces another one takes no more memory.
  expect((await open(greedy, 's0'))[0]).toBe('EOSE');
  for (let n = 0; n < 2; n++) expect((await open(honest, `h${n}`))[0]).toBe('EOSE');
  greedy.send(['CLOSE', 's0']);
  await greedy.sync();
  greedy.socket.terminate();
  await expect.poll(async () => (await open(again, 'more'))[0]).toBe('EOSE');
});

it('a short answer still hands over to live events', async () => {
  await start({ 'rates.ip_sent': '1/s burst 20000' });
  const client = await from('192.0.2.1');
  const { events, end } = await client.req('s', ALL);
  expect(events.length).toBeLessThan(EVENTS);
  expect(end).toEqual(['EOSE', 's', ['more']]);
  const event = new Author().event();
  await client.publish(event);
  expect(await client.live('s')).toEqual(event);
});

it('work is counted for the network as well, and not for loopback', async () => {
  await start({ 'rates.ip_work': '1/s burst 3000', 'rates.subnet_factor': 1 });
  for (let i = 1; ; i++) {
    const { end } = await (await from(`192.0.2.${i}`)).query(ALL);
    if (end[0] === 'CLOSED') break;
  }
  expect((await (await from('192.0.3.1')).query(ALL)).events.length).toBeGreaterThan(0);
  const local = await from('127.0.0.1');
  for (let i = 0; i < 10; i++) expect((await local.query(ALL)).events).toHaveLength(EVENTS);
});

it('a query that finds little and reads much is cut, or refused when it found nothing', async () => {
  await start({ 'rates.ip_work': '1/s burst 2000' });
  const client = await from('192.0.2.1');
  await client.query(ALL);
  // No event has such a tag, and the index knows that: this costs next to nothing.
  expect((await client.query({ '#t': ['nothing'] })).end[0]).toBe('EOSE');
  for (;;) {
    const { events, end } = await client.query({ kinds: [1], limit: 1000, since: 1 });
    if (end[0] === 'CLOSED') break;
    expect(events.length).toBeGreaterThan(0);
  }
});
