// Floods by clients (unread answers, garbage, connections, busy clients, control frames): memory
// and file descriptors stay bounded, and another client is served. Relays in their own processes,
// over real sockets.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Author, now } from '../support/author.ts';
import { SLOW_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { delay, until, WokProcess } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import type { Settings } from '../support/relay.ts';

const MIB = 1024 * 1024;
/** Number of times that another client publishes and queries during a flood, before it may end. */
const ROUNDS_MEANWHILE = 5;
/** Settings with small page caches: memory that grows is memory that something holds. */
const SMALL: Settings = { 'storage.cache_mib': 4, 'io.outbound_bytes_max': 2 * MIB };

const author = new Author();

/** Client that publishes a note and queries it, again and again, and measures the time. */
class Bystander {
  worst = 0;
  rounds = 0;
  readonly #client: Client;
  #over = false;
  #failed = false;
  #running: Promise<void>;

  private constructor(client: Client) {
    this.#client = client;
    this.#running = this.#run();
    this.#running.catch(() => {
      this.#failed = true;
    });
  }

  static async come(url: string): Promise<Bystander> {
    return new Bystander(await Client.connect(url));
  }

  /** Resolves when it was served some more times from now on; @throws if it was not. */
  async served(): Promise<void> {
    const enough = this.rounds + 1 + ROUNDS_MEANWHILE;
    await until(() => this.rounds >= enough || this.#failed, 'a bystander to be served');
    if (this.#failed) await this.#running;
  }

  /** Ends the client; @throws if it was not served. */
  async leave(): Promise<void> {
    this.#over = true;
    await this.#running;
    await this.#client.close();
  }

  async #run(): Promise<void> {
    const own = new Author();
    do {
      const start = performance.now();
      const event = own.event();
      const [, , accepted, message] = await this.#client.publish(event);
      if (accepted !== true) throw new Error(`a bystander was refused: ${message}`);
      const { events, end } = await this.#client.query({ ids: [event.id] });
      if (events.length !== 1) throw new Error(`a bystander was not served: ${end}`);
      this.worst = Math.max(this.worst, performance.now() - start);
      this.rounds++;
      await delay(10);
    } while (!this.#over);
  }
}

/**
 * Runs an attack while a bystander is served, and checks the relay afterwards: memory within
 * `growth` bytes, the file descriptors that were open before, and good health. The function that
 * the attack is given resolves when the bystander was served some times more; the attack ends no
 * sooner.
 */
async function flood(
  wok: WokProcess,
  growth: number,
  attack: (served: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const warm = await Bystander.come(wok.url);
  await until(() => warm.rounds >= 20, 'a warm relay');
  await warm.leave();
  await until(async () => (await http(`${wok.httpUrl}/health`)).status === 200, 'health');
  const descriptors = wok.fileDescriptors();
  const before = wok.rssBytes();
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, wok.rssBytes());
  }, 20);
  const bystander = await Bystander.come(wok.url);
  const start = performance.now();
  await attack(() => bystander.served()).finally(() => clearInterval(sampling));
  const seconds = (performance.now() - start) / 1000;
  await bystander.leave();
  await until(() => wok.fileDescriptors() <= descriptors, 'the file descriptors');
  expect((await http(`${wok.httpUrl}/health`)).body).toBe('ok\n');
  process.stdout.write(
    `stress/floods: ${expect.getState().currentTestName?.split(' > ').at(-1)}: ${seconds.toFixed(1)} s, ` +
      `+${Math.round((peak - before) / MIB)} MiB of ${Math.round(before / MIB)}, ` +
      `a bystander waited ${Math.round(bystander.worst)} ms at most (${bystander.rounds} rounds)\n`,
  );
  expect(peak - before).toBeLessThan(growth);
  expect(bystander.worst).toBeLessThan(SLOW_MILLISECONDS);
  expect(wok.err).toBe('');
}

/** Stores notes of 60 kB, in one second or each in its own. */
async function fill(wok: WokProcess, count: number, oneSecond: boolean): Promise<void> {
  const publisher = await Publisher.connect(wok.url);
  const start = now() - count;
  const content = 'x'.repeat(60_000);
  let n = 0;
  const next = () =>
    n === count
      ? null
      : author.event({ created_at: oneSecond ? start : start + n, content: `${n++} ${content}` });
  await publisher.publish(next, 20);
  publisher.socket.terminate();
  const refused = [...publisher.verdicts.values()].filter(({ accepted }) => !accepted);
  expect(refused).toEqual([]);
}

describe('a client that asks and does not read', () => {
  it.each<[string, boolean, Settings]>([
    // Queries that wait for their client leave room for those of others.
    ['for answers of many seconds', false, { 'query.queries_max': 200 }],
    ['for answers of one second', true, {}],
  ])('%s', async (_, oneSecond, settings) => {
    const wok = await WokProcess.start({ ...SMALL, ...settings });
    await fill(wok, 250, oneSecond);
    await flood(wok, 150 * MIB, async (served) => {
      const clients = await Promise.all([1, 2, 3].map(() => Client.connect(wok.url)));
      for (const client of clients) {
        client.socket.pause();
        for (let i = 0; i < 100; i++) client.send(['REQ', `${i}`, { limit: 1000 }]);
        await served();
      }
      for (const client of clients) client.socket.terminate();
    });
  });

  it('and takes its questions back', async () => {
    const wok = await WokProcess.start({ ...SMALL, 'query.queries_max': 200 });
    await fill(wok, 200, false);
    await flood(wok, 150 * MIB, async (served) => {
      const client = await Client.connect(wok.url);
      client.socket.pause();
      for (let round = 0; round < 300; round++) {
        for (let i = 0; i < 5; i++) client.send(['REQ', `${i}`, { limit: 1000 }]);
        await delay(2);
      }
      await served();
      client.socket.terminate();
    });
  });
});

describe('garbage', () => {
  it('of every kind', async () => {
    const wok = await WokProcess.start(SMALL);
    await flood(wok, 150 * MIB, async (served) => {
      const port = Number(new URL(wok.httpUrl).port);
      const sockets = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const socket = connect(port, '127.0.0.1');
          await new Promise((resolve) => socket.once('connect', resolve));
          socket.on('error', () => {});
          if (i % 3 === 0) socket.write(randomBytes(10_000));
          else if (i % 3 === 1) socket.write('GET / HTTP/1.1\r\nUpgrade: webso');
          return socket;
        }),
      );
      const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(wok.url)));
      const huge = 'x'.repeat(300_000);
      for (const [i, client] of clients.entries()) {
        for (let n = 0; n < 300; n++) {
          client.socket.send(GARBAGE[(i + n) % GARBAGE.length]!(), { binary: n % 5 === 0 });
        }
        if (i % 2 === 0) client.socket.send(huge);
        if (i % 4 === 1) rawOf(client).write(randomBytes(5_000));
      }
      await served();
      for (const [i, client] of clients.entries()) {
        if (i % 2 === 0) expect((await client.ended()).code).toBe(1009);
        else if (i % 4 === 1) await client.ended();
        else await client.close();
      }
      for (const socket of sockets) socket.destroy();
    });
  });
});

const GARBAGE: readonly (() => string)[] = [
  () => '',
  () => '[',
  () => '{}',
  () => '[]',
  () => '[[[[[[[[[[[[[[[[[[[[[[[[',
  () => 'null',
  () => '["EVENT"]',
  () => '["EVENT",{"id":"x"}]',
  () => '["REQ"]',
  () => '["REQ","x",{"ids":["y"]}]',
  () => '["CLOSE",{}]',
  () => '["\ud800"]',
  () => `["REQ","${'x'.repeat(1_000)}",{}]`,
  () => `["REQ","x"${',{"limit":1}'.repeat(200)}]`,
  () => '"'.repeat(10_000),
  () => '['.repeat(100_000),
  () => `["EVENT",${JSON.stringify({ ...author.event(), sig: '0'.repeat(128) })}]`,
  () => randomBytes(200).toString('latin1'),
];

/** Returns the TCP socket under a client's WebSocket. */
function rawOf(client: Client): Socket {
  return (client.socket as unknown as { _socket: Socket })._socket;
}

describe('connections', () => {
  const open: Settings = { ...SMALL, 'io.connections_per_ip_max': 0 };

  it('a thousand one after the other', async () => {
    const wok = await WokProcess.start(open);
    await flood(wok, 100 * MIB, async (served) => {
      const meanwhile = served();
      for (let round = 0; round < 20; round++) {
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            const client = await Client.connect(wok.url);
            client.send(['REQ', 'live', {}]);
            if (i % 2 === 0) await client.close();
            else client.socket.terminate();
          }),
        );
      }
      await meanwhile;
    });
  });

  it('a thousand at once', async () => {
    const wok = await WokProcess.start(open);
    await flood(wok, 100 * MIB, async (served) => {
      const clients: Client[] = [];
      for (let round = 0; round < 20; round++) {
        const some = Array.from({ length: 50 }, () => Client.connect(wok.url));
        clients.push(...(await Promise.all(some)));
      }
      for (const client of clients) client.send(['REQ', 'live', { kinds: [40] }]);
      await Promise.all(clients.map((client) => client.stored('live')));
      await served();
      const event = author.event({ kind: 40 });
      expect((await clients[0]!.publish(event))[2]).toBe(true);
      const events = await Promise.all(clients.map((client) => client.live('live')));
      expect(new Set(events.map(({ id }) => id))).toEqual(new Set([event.id]));
      for (const client of clients) client.socket.terminate();
    });
  });
});

describe('one busy client', () => {
  it('opens all its subscriptions again and again', async () => {
    const wok = await WokProcess.start({ ...SMALL, 'limits.subscriptions_max': 100 });
    await flood(wok, 150 * MIB, async (served) => {
      const meanwhile = served();
      const client = await Client.connect(wok.url);
      for (let round = 0; round < 100; round++) {
        for (let i = 0; i < 100; i++) {
          client.send(['REQ', `${i}`, { kinds: [1, i], '#t': [`${round}`], limit: 10 }]);
        }
        // A COUNT needs no subscription slot.
        expect((await client.count({ ids: ['0'.repeat(64)] }))[0]).toBe('COUNT');
        client.inbox.length = 0;
      }
      const { end } = await client.query({ ids: ['0'.repeat(64)] });
      // All subscription slots are taken.
      expect(end[0]).toBe('CLOSED');
      client.inbox.length = 0;
      const event = author.event({ kind: 50, tags: [['t', '99']] });
      await client.publish(event);
      expect((await client.live('50')).id).toBe(event.id);
      await meanwhile;
      await client.close();
    });
  });

  it('publishes 10,000 events without waiting', async () => {
    const wok = await WokProcess.start(SMALL);
    const events = Array.from({ length: 10_000 }, () => author.event({ tags: [['t', 'x']] }));
    await flood(wok, 200 * MIB, async (served) => {
      const meanwhile = served();
      const publisher = await Publisher.connect(wok.url);
      for (const event of events) publisher.send(event);
      await publisher.drained();
      await meanwhile;
      expect(publisher.closed).toBeNull();
      const verdicts = events.map(({ id }) => publisher.verdicts.get(id));
      const stored = verdicts.filter((verdict) => verdict?.accepted === true).length;
      const limited = verdicts.filter((one) => one?.message.startsWith('rate-limited: ')).length;
      process.stdout.write(`stress/floods: ${stored} of 10,000 stored, ${limited} rate-limited\n`);
      expect(stored + limited).toBe(10_000);
      expect(stored).toBeGreaterThanOrEqual(1_024);
      publisher.socket.terminate();
    });
  });
});

describe('one busy client that asks or deletes as much as it may', () => {
  it('asks as much as it may', async () => {
    const wok = await WokProcess.start(SMALL);
    const hex = () => randomBytes(32).toString('hex');
    const filters = [
      { authors: Array.from({ length: 3_500 }, hex) },
      {
        authors: Array.from({ length: 1_700 }, hex),
        kinds: Array.from({ length: 3_000 }, (_, i) => i),
      },
      { ids: Array.from({ length: 3_500 }, hex) },
      { '#t': Array.from({ length: 5_000 }, (_, i) => `tag ${i}`) },
      { kinds: Array.from({ length: 5_000 }, (_, i) => i) },
    ];
    await flood(wok, 200 * MIB, async (served) => {
      const meanwhile = served();
      const client = await Client.connect(wok.url);
      // In batches, because more would not fit into io.queue_bytes_max.
      for (let i = 0; i < 40; i++) {
        client.send(['REQ', `${i}`, filters[i % filters.length]]);
        client.send(['COUNT', `count ${i}`, filters[i % filters.length]]);
        if (i % 10 < 9) continue;
        for (let n = i - 9; n <= i; n++) {
          expect((await client.stored(`${n}`)).end[0]).toBe('EOSE');
          expect((await client.next(([, id]) => id === `count ${n}`))[0]).toBe('COUNT');
        }
      }
      client.send(['REQ', 'many', ...Array.from({ length: 100 }, () => ({ authors: [hex()] }))]);
      expect((await client.stored('many')).end[0]).toBe('EOSE');
      await meanwhile;
      await client.close();
    });
  });

  it('deletes as much as it may', async () => {
    const wok = await WokProcess.start(SMALL);
    const victims = Array.from({ length: 500 }, (): NostrEvent => author.event());
    const seeding = await Publisher.connect(wok.url);
    for (const event of victims) seeding.send(event);
    await seeding.drained();
    seeding.socket.terminate();
    await flood(wok, 150 * MIB, async (served) => {
      const meanwhile = served();
      const client = await Client.connect(wok.url);
      for (let round = 0; round < 20; round++) {
        const ids = Array.from({ length: 1_450 }, (_, i) =>
          i % 3 === 0 ? (victims[i]?.id ?? '') : randomBytes(32).toString('hex'),
        );
        const addresses = Array.from({ length: 100 }, (_, i) => `30023:${author.pubkey}:${i}`);
        const tags = [...ids.map((id) => ['e', id]), ...addresses.map((text) => ['a', text])];
        const request = author.event({ kind: 5, tags });
        expect((await client.publish(request)).slice(2)).toEqual([true, '']);
      }
      await meanwhile;
      const { events } = await client.query({ ids: victims.map(({ id }) => id), limit: 500 });
      expect(events.map(({ id }) => id).toSorted()).toEqual(
        victims.flatMap(({ id }, i) => (i % 3 === 0 ? [] : [id])).toSorted(),
      );
      await client.close();
    });
  });
});

describe('control frames', () => {
  it('whose pongs are not read end the connection', async () => {
    const wok = await WokProcess.start(SMALL);
    await flood(wok, 150 * MIB, async (served) => {
      const client = await Client.connect(wok.url);
      const raw = rawOf(client);
      raw.pause();
      const ended = client.ended();
      // A thousand masked pings of 125 bytes.
      const pings = Buffer.concat(
        Array.from({ length: 1_000 }, () =>
          Buffer.concat([Buffer.from([0x89, 0xfd]), randomBytes(4 + 125)]),
        ),
      );
      let isOver = false;
      raw.on('error', () => {});
      raw.once('close', () => {
        isOver = true;
      });
      // Both kernels take some megabytes; a relay that answers for ever would take all of it.
      for (let sent = 0; sent < 400 && !isOver; sent++) {
        await new Promise<void>((resolve) => {
          raw.write(pings, () => resolve());
          raw.once('close', () => resolve());
        });
      }
      raw.resume();
      expect((await ended).code).toBe(1006);
      await served();
    });
  });
});
