// Tests of the options of [io] for sockets, and of the bounds of the queues after them, against a
// real relay over sockets.

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepted, closed, eose, idsOf, refused } from '../../support/answers.ts';
import { Author, now } from '../../support/author.ts';
import { SLOW_MILLISECONDS } from '../../support/ceiling.ts';
import { Client, type Message } from '../../support/client.ts';
import { framesOf, http, RawSocket } from '../../support/http.ts';
import { loopClock } from '../../support/pace.ts';
import { delay, until } from '../../support/process.ts';
import { ALL_HINTS, startRelay, type TestRelay, testConfig } from '../../support/relay.ts';
import { useRelay } from '../../support/use-relay.ts';

/** Time of the whole file, in seconds, so that events a second apart stay so. */
const NOW = now();
const NO_EVENTS = { authors: ['0'.repeat(64)] };
const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits';

describe('connections_max', () => {
  const use = useRelay({ ...ALL_HINTS, 'io.connections_max': 3, 'io.connections_per_ip_max': 0 });

  it('refuses one more by 503, until one is closed', async () => {
    const second = await use.connect();
    await use.connect();
    await expect(use.connect()).rejects.toThrow('HTTP 503');
    expect((await http(use.relay.httpUrl)).status).toBe(200);
    await use.client.sync();
    await second.close();
    // The relay notices the close after the client.
    await expect.poll(() => use.relay.relay.counters.connections).toBe(2);
    const fourth = await use.connect();
    await fourth.sync();
    await expect(use.connect()).rejects.toThrow('HTTP 503');
  });
});

describe('queue_bytes_max', () => {
  const use = useRelay({
    ...ALL_HINTS,
    // One address may have half of these bytes in flight.
    'io.queue_bytes_max': 131_072,
    'limits.message_bytes_max': 32_768,
    'limits.event_bytes_max': 32_000,
    'limits.content_length_max': 30_000,
  });

  it('refuses before it is parsed what does not fit, by its id, and answers everything', async () => {
    const author = new Author();
    // Repeated, because the messages do not always reach the relay together.
    for (let round = 0, full = 0; full < 3; round++) {
      const events = Array.from({ length: 10 }, (_, i) =>
        author.event({ content: `${i}${'x'.repeat(20_000)}`, created_at: NOW - round }),
      );
      for (const event of events) use.client.send(['EVENT', event]);
      const answers: Message[] = [];
      for (const { id } of events) answers.push(await use.client.ok(id));
      const taken = events.filter((_, i) => answers[i]![2] === true);
      expect(taken.length).toBeGreaterThanOrEqual(3);
      if (taken.length < 10) full++;
      for (const [i, event] of events.entries()) {
        const answer = answers[i]!;
        expect(answer).toEqual(answer[2] ? accepted(event) : refused(event, 'rate-limited'));
      }
    }
    await use.client.sync();
  });
});

describe('queue_events_max of the writer and queries_max of a query worker', () => {
  const use = useRelay({
    ...ALL_HINTS,
    'writer.queue_events_max': 16,
    'writer.batch_events_max': 16,
    'query.queries_max': 3,
    'query.workers': 1,
    'limits.subscriptions_max': 12,
  });

  it('every event is answered, and what was accepted is there', async () => {
    const author = new Author();
    const events = Array.from({ length: 300 }, () => author.event());
    for (const event of events) use.client.send(['EVENT', event]);
    let taken = 0;
    for (const event of events) {
      const answer = await use.client.ok(event.id);
      expect(answer).toEqual(answer[2] ? accepted(event) : refused(event, 'rate-limited'));
      if (answer[2]) taken++;
    }
    expect(taken).toBeGreaterThanOrEqual(16);
    expect(await use.client.count({ authors: [author.pubkey] })).toMatchObject({
      2: { count: taken },
    });
  });

  it('a REQ that is replaced or closed before its turn leaves its place to the next', async () => {
    const refusals: string[] = [];
    use.client.socket.on('message', (data) => {
      if (data.toString().startsWith('["CLOSED"')) refusals.push(data.toString());
    });
    // A burst, most of which the ingester passes on before the query worker has a turn.
    for (let i = 0; i < 300; i++) {
      use.client.send(['REQ', 'x', NO_EVENTS]);
      if (i % 3 === 0) use.client.send(['CLOSE', 'x']);
    }
    await use.client.sync();
    expect(refusals).toEqual([]);
  });

  it('a REQ or COUNT too many is refused by CLOSED, and takes no place', async () => {
    const other = await use.connect();
    // Repeated, because the query worker is not full if it is faster than the stages before it.
    for (let round = 0, full = 0; full < 3; round++) {
      const ids = Array.from({ length: 12 }, (_, i) => `${round}.${i}`);
      for (const id of ids) use.client.send(['REQ', id, NO_EVENTS]);
      const ends = await Promise.all(ids.map((id) => use.client.stored(id)));
      const refusals = ends.filter(({ end }) => end[0] === 'CLOSED');
      expect(refusals.length).toBeLessThanOrEqual(10);
      if (refusals.length > 0) full++;
      for (const { end } of refusals) expect(end).toEqual(closed(end[1] as string, 'rate-limited'));
      for (const { end } of ends) use.client.send(['CLOSE', end[1]]);
      for (const id of ids) use.client.send(['COUNT', id, NO_EVENTS]);
      for (const id of ids) {
        const answer = await use.client.next(([, of]) => of === id);
        if (answer[0] !== 'COUNT') expect(answer).toEqual(closed(id, 'rate-limited'));
      }
      await other.sync();
    }
    // All 12 places for subscriptions are free again.
    for (let i = 0; i < 12; i++) {
      expect((await use.client.req(`s${i}`, NO_EVENTS)).end).toEqual(eose(`s${i}`, 'finish'));
    }
  });
});

describe('outbound_bytes_max', () => {
  const use = useRelay({ ...ALL_HINTS, 'io.outbound_bytes_max': 524_288 });
  const content = 'x'.repeat(60_000);

  it('cuts off a client that does not read, and serves the others', async () => {
    const author = new Author();
    const filter = { authors: [author.pubkey] };
    const { counters } = use.relay.relay;
    const cutBefore = counters.slowClientsClosed;
    const [slow, fast] = [await use.connect(), await use.connect()];
    for (let i = 0; i < 90; i++) slow.send(['REQ', `s${i}`, filter]);
    for (let i = 0; i < 90; i++) await slow.stored(`s${i}`);
    await fast.req('live', filter);
    slow.socket.pause();
    const events = [];
    // Each event is 5 MB for the slow client; the kernel buffers hold no more than a few of them.
    while (counters.slowClientsClosed === cutBefore && events.length < 20) {
      const event = author.event({ content });
      expect(await use.client.publish(event)).toEqual(accepted(event));
      expect(await fast.live('live')).toEqual(event);
      events.push(event);
    }
    expect(counters.slowClientsClosed).toBe(cutBefore + 1);
    expect(use.relay.logged).toEqual([]);
    slow.socket.resume();
    expect((await slow.ended()).code).toBe(1006);
    await fast.sync();
  });

  it('makes a query wait for a client that does not read, and go on when it does', async () => {
    const author = new Author();
    const filter = { authors: [author.pubkey] };
    const events = Array.from({ length: 40 }, (_, i) =>
      author.event({ content, created_at: NOW - i }),
    );
    for (const event of events) await use.client.publish(event);
    const { counters } = use.relay.relay;
    const cutBefore = counters.slowClientsClosed;
    const slow = await use.connect();
    slow.socket.pause();
    for (let i = 0; i < 8; i++) slow.send(['REQ', `s${i}`, filter]);
    // Other clients do not wait for the slow one.
    for (let i = 0; i < 5; i++) expect((await use.client.query(filter)).events).toHaveLength(40);
    slow.socket.resume();
    for (let i = 0; i < 8; i++) {
      const { events: found, end } = await slow.stored(`s${i}`);
      expect(idsOf(found)).toEqual(idsOf(events));
      expect(end).toEqual(eose(`s${i}`, 'finish'));
    }
    expect(counters.slowClientsClosed).toBe(cutBefore);
  });

  it('forgets the queries of a client that goes without having read', async () => {
    const author = new Author();
    const event = author.event({ content });
    await use.client.publish(event);
    for (let round = 0; round < 5; round++) {
      const slow = await use.connect();
      slow.socket.pause();
      for (let i = 0; i < 20; i++) slow.send(['REQ', `s${i}`, {}]);
      slow.socket.terminate();
    }
    expect((await use.client.query({ authors: [author.pubkey] })).events).toEqual([event]);
    await expect.poll(() => use.relay.relay.counters.connections).toBe(1);
  });
});

describe('outbound_total_bytes_max', () => {
  const use = useRelay();

  it('cuts off the largest backlogs, and serves those who read', async () => {
    const author = new Author();
    const filter = { authors: [author.pubkey] };
    const { relay, directory } = use.relay;
    const { counters } = relay;
    const fast = await use.connect();
    await fast.req('live', filter);
    await relay.reload(testConfig(directory, { 'io.outbound_total_bytes_max': 8 * 1024 * 1024 }));
    const slow = await Promise.all(Array.from({ length: 12 }, () => use.connect()));
    for (const client of slow) {
      await client.req('live', filter);
      client.socket.pause();
    }
    const content = 'x'.repeat(60_000);
    // Each may have 16 MiB unsent; all together reach their bound long before that.
    for (let n = 0; n < 400 && counters.slowClientsClosed < 6; n++) {
      const event = author.event({ content: `${n} ${content}` });
      expect(await use.client.publish(event)).toEqual(accepted(event));
      expect(await fast.live('live')).toEqual(event);
    }
    expect(counters.slowClientsClosed).toBeGreaterThanOrEqual(6);
    expect(fast.closed).toBeNull();
  });
});

describe('drain_seconds', () => {
  const use = useRelay();

  it('ends the connection of a client that takes nothing', async () => {
    const author = new Author();
    const slow = await use.connect();
    await slow.req('live', { authors: [author.pubkey] });
    slow.socket.pause();
    const content = 'x'.repeat(60_000);
    for (let n = 0; n < 120; n++) {
      const event = author.event({ content: `${n} ${content}` });
      expect(await use.client.publish(event)).toEqual(accepted(event));
    }
    const { relay, directory } = use.relay;
    await relay.reload(testConfig(directory, { 'io.drain_seconds': 1 }));
    const { counters } = relay;
    await expect.poll(() => counters.slowClientsClosed, { timeout: SLOW_MILLISECONDS }).toBe(1);
    await use.client.sync();
  });
});

/** Upgrades with these extensions; returns the extensions agreed on, and the frames received. */
async function listen(relay: TestRelay, extensions: string[]) {
  const raw = await RawSocket.connect(relay.relay.port);
  const head = await raw.upgrade(extensions);
  return {
    extension: /\r\nsec-websocket-extensions: (.*)/i.exec(head)?.[1]?.trim() ?? '',
    raw,
    frames: async (count: number) => {
      await raw.until(() => framesOf(raw.received).length >= count);
      return framesOf(raw.received);
    },
  };
}

/** Registers tests of connections with a client that offers compression. */
function agreedCompressionTests(): void {
  describe.each(['shared', 'sliding'])('%s', (compression) => {
    const use = useRelay({
      ...ALL_HINTS,
      'io.compression': compression,
      'io.compression_min_bytes': 600,
      'auth.challenge': 'demand',
    });

    it('is agreed on with a client that offers it, and with no other', async () => {
      expect(use.client.socket.extensions).toContain('permessage-deflate');
      const offering = await listen(use.relay, [DEFLATE]);
      expect(offering.extension).toMatch(/^permessage-deflate/);
      const silent = await listen(use.relay, []);
      expect(silent.extension).toBe('');
      for (const { raw } of [offering, silent]) raw.socket.destroy();
    });

    it('compresses messages of the smallest size and above, and no others', async () => {
      const author = new Author();
      const filter = { authors: [author.pubkey] };
      const ids = ['s', 'plain'] as const;
      const [packed, plain] = [await listen(use.relay, [DEFLATE]), await listen(use.relay, [])];
      for (const [i, { raw }] of [packed, plain].entries()) {
        raw.sendText(JSON.stringify(['REQ', ids[i], filter]));
      }
      await packed.frames(1);
      await plain.frames(1);
      const frameOf = (event: object) => JSON.stringify(['EVENT', 's', event]);
      const bare = frameOf(author.event({ content: '' })).length;
      const contents = [599, 600, 20_000].map((bytes) => 'x'.repeat(bytes - bare));
      const events = contents.map((content) => author.event({ content, created_at: NOW - 1 }));
      for (const event of events) await use.client.publish(event);
      const [, ...live] = await packed.frames(4);
      expect(live.map(({ compressed }) => compressed)).toEqual([false, true, true]);
      expect(live[2]!.payload.length).toBeLessThan(2000);
      expect(live[0]!.payload.toString()).toBe(frameOf(events[0]!));
      const first = Buffer.concat([live[1]!.payload, Buffer.from([0, 0, 0xff, 0xff])]);
      expect(inflateRawSync(first, { finishFlush: 2 }).toString()).toBe(frameOf(events[1]!));
      const [, ...unpacked] = await plain.frames(4);
      expect(unpacked.map(({ compressed }) => compressed)).toEqual([false, false, false]);
      for (const { raw } of [packed, plain]) raw.socket.destroy();
    });

    it('loses nothing, in either direction', async () => {
      const author = new Author();
      const client = await Client.connect(use.relay.url, {
        perMessageDeflate: { threshold: 0, serverNoContextTakeover: compression === 'shared' },
      });
      await client.req('live', { authors: [author.pubkey] });
      const events = Array.from({ length: 60 }, (_, i) =>
        author.event({ content: `é\u{1f600}${'abc '.repeat(i * 17)}`, created_at: NOW - i }),
      );
      for (const event of events) expect(await client.publish(event)).toEqual(accepted(event));
      for (const event of events) expect(await client.live('live')).toEqual(event);
      const { events: stored } = await client.query({ authors: [author.pubkey] });
      expect(stored).toEqual(events);
      await client.close();
    });

    it('does not let a small message become a large one', async () => {
      const raw = await RawSocket.connect(use.relay.relay.port);
      await raw.upgrade([DEFLATE]);
      const bomb = deflateRawSync(Buffer.alloc(50_000_000, ' '), { finishFlush: 2 });
      const payload = bomb.subarray(0, bomb.length - 4);
      const head = Buffer.alloc(8);
      head[0] = 0xc1;
      head[1] = 0x80 | 126;
      head.writeUInt16BE(payload.length, 2);
      expect(payload.length).toBeLessThan(65_536);
      raw.socket.write(Buffer.concat([head, payload]));
      await raw.ended();
      await use.client.sync();
    });
  });
}

describe('compression', () => {
  describe('off', () => {
    const use = useRelay({ ...ALL_HINTS, 'io.compression': 'off', 'io.compression_min_bytes': 0 });

    it('is not agreed on, though the client offers it', async () => {
      expect(use.client.socket.extensions).toBe('');
      const { extension, raw, frames } = await listen(use.relay, [DEFLATE]);
      expect(extension).toBe('');
      raw.sendText('["COUNT","c",{"ids":[]}]');
      expect((await frames(1))[0]).toMatchObject({ opcode: 1, compressed: false });
      raw.socket.destroy();
    });
  });

  agreedCompressionTests();
});

/** Seconds after which a silent connection with a timeout of 8 s is closed at the latest. */
const IDLE_SECONDS_MAX = 13;

/** Returns true if a promise resolves within this many seconds in which the event loop ran. */
async function endsWithin(seconds: number, ended: Promise<unknown>): Promise<boolean> {
  const loop = loopClock();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  await until(() => isOver || loop.seconds() > seconds, 'the end');
  loop.stop();
  return isOver;
}

/** Registers tests of silent connections: without pings, with pings, and without a timeout. */
function silentConnectionTests(relays: readonly TestRelay[]): void {
  // Not more tests than vitest runs at the same time.
  describe.concurrent('of silent connections', () => {
    it('idle_timeout_seconds closes one, and one that does not answer pings', async () => {
      const start = performance.now();
      const client = await Client.connect(relays[0]!.url);
      await client.req('s', NO_EVENTS);
      const raw = await RawSocket.connect(relays[1]!.relay.port);
      await raw.upgrade();
      const both = [client.ended(), raw.ended()].map(async (ended) => {
        expect(await endsWithin(IDLE_SECONDS_MAX, ended)).toBe(true);
        // uWebSockets.js counts timeouts in steps of 4 s.
        expect(performance.now() - start).toBeGreaterThan(3_900);
      });
      await Promise.all(both);
      expect(framesOf(raw.received).map(({ opcode }) => opcode)).toContain(9);
    });

    it('idle_timeout_seconds counts from the last message', async () => {
      const client = await Client.connect(relays[0]!.url);
      const start = performance.now();
      while (performance.now() - start < 12_000) {
        await client.sync();
        await delay(2_000);
      }
      await client.sync();
    });

    it('idle_timeout_seconds of 0 keeps one', async () => {
      const raw = await RawSocket.connect(relays[2]!.relay.port);
      await raw.upgrade();
      expect(await endsWithin(IDLE_SECONDS_MAX, raw.ended())).toBe(false);
      raw.sendText('["COUNT","c",{"ids":[]}]');
      await raw.until(() => framesOf(raw.received).length > 0);
      expect(framesOf(raw.received)[0]!.payload.toString()).toBe('["COUNT","c",{"count":0}]');
    });

    it('ping keeps one that answers, and its subscription', async () => {
      const author = new Author();
      const client = await Client.connect(relays[1]!.url);
      let pings = 0;
      client.socket.on('ping', () => pings++);
      await client.req('s', { authors: [author.pubkey] });
      expect(await endsWithin(IDLE_SECONDS_MAX, client.ended())).toBe(false);
      expect(pings).toBeGreaterThan(0);
      const publisher = await Client.connect(relays[1]!.url);
      const event = author.event();
      await publisher.publish(event);
      expect(await client.live('s')).toEqual(event);
    });

    it('none stays that is silent, sends half a request or drips it before the upgrade', async () => {
      const beginnings = ['', 'GET / HTTP/1.1\r\nHost: relay.example\r\n', 'GET / HTTP/1.1\r\nA: '];
      const raws = await Promise.all(
        beginnings.map(() => RawSocket.connect(relays[2]!.relay.port)),
      );
      for (const [i, { socket }] of raws.entries()) socket.write(beginnings[i]!);
      const drip = setInterval(() => raws[2]!.socket.write('a'), 500);
      const all = await Promise.all(raws.map((raw) => endsWithin(18, raw.ended())));
      clearInterval(drip);
      expect(all).toEqual([true, true, true]);
    });
  });
}

describe('timeouts', () => {
  const relays: TestRelay[] = [];
  beforeAll(async () => {
    relays.push(
      await startRelay({ 'io.idle_timeout_seconds': 8, 'io.ping': false }),
      await startRelay({ 'io.idle_timeout_seconds': 8, 'io.ping': true }),
      await startRelay({ 'io.idle_timeout_seconds': 0, 'auth.challenge': 'demand' }),
    );
  });
  afterAll(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
  });

  silentConnectionTests(relays);
});
