// Tests of a `wok relay` process with a low limit of open files, or that runs out of them, and unit
// tests of DescriptorRoom.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DescriptorLimit, tooFewDescriptors } from '../../src/io/descriptor-limit.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { delay, until, WokProcess } from '../support/process.ts';
import { freshDirectory, type Settings, testConfig } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

/** Settings for many connections of one address, and JSON log lines. */
const OPEN: Settings = { 'io.connections_per_ip_max': 0, 'log.format': 'json' };

/** Flood of TCP connections that send nothing; holds those that stay open. */
class Flood {
  readonly sockets = new Set<Socket>();
  opened = 0;
  readonly #port: number;

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
    onTestFinished(() => this.end());
  }

  async open(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const socket = connect(this.#port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('connect', () => this.opened++);
      this.sockets.add(socket);
      if (n % 50 === 49) await delay(5);
    }
  }

  end(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

async function status(relay: WokProcess, directory: string): Promise<number> {
  const { out, code, err } = await wok(['status', '--json', '--data', directory]);
  expect(code, err).toBe(exitCodes.ok);
  expect((JSON.parse(out) as { pid: number }).pid).toBe(relay.pid);
  return relay.pid;
}

/** Measures the CPU time of the process while no client sends, as a share of one processor. */
async function idleShare(relay: WokProcess): Promise<number> {
  const before = relay.cpuSeconds();
  const start = performance.now();
  await delay(2_000);
  return (relay.cpuSeconds() - before) / ((performance.now() - start) / 1000);
}

describe('few file descriptors', () => {
  it('are too few for a start: a sentence says how many it takes', async () => {
    for (const limit of [30, 60, 100, 130]) {
      const relay = WokProcess.spawn(OPEN, freshDirectory(), [], [], {}, limit);
      const { code } = await relay.exited;
      expect(relay.err).toMatch(
        new RegExp(
          `^wok: this process may open ${limit} files, and wok needs \\d+ .*LimitNOFILE.*\n$`,
        ),
      );
      expect(code).toBe(exitCodes.config);
    }
  });

  it('bound the connections; a flood of them changes nothing for who is there', async () => {
    const directory = freshDirectory();
    const settings = { ...OPEN, 'io.handshake_seconds': 8 };
    const relay = WokProcess.spawn(settings, directory, [], [], {}, 300);
    await relay.listening();
    expect(relay.out).toMatch(
      /may open 300 files, which is enough for \d+ connections and not for io.connections_max/,
    );
    const first = await Client.connect(relay.url);
    const clients: Client[] = [];
    let refused = '';
    while (clients.length < 300 && refused === '') {
      try {
        clients.push(await Client.connect(relay.url));
      } catch (error) {
        refused = (error as Error).message;
      }
    }
    expect(refused).toBe('HTTP 503');
    expect(clients.length).toBeGreaterThan(80);
    const flood = new Flood(relay.url);
    await flood.open(1_000);
    await until(() => flood.opened + (1_000 - flood.sockets.size) >= 1_000, 'the flood');
    expect(relay.fileDescriptors()).toBeLessThan(300);
    expect(await idleShare(relay)).toBeLessThan(0.6);
    const event = new Author().event();
    expect((await first.publish(event))[2]).toBe(true);
    expect((await first.query({ ids: [event.id] })).events).toEqual([event]);
    await status(relay, directory);
    flood.end();
    for (const client of clients) await client.close();
    await until(async () => {
      const client = await Client.connect(relay.url).catch(() => null);
      await client?.close();
      return client !== null;
    }, 'a place for somebody else');
    expect(relay.out).not.toMatch(/a worker exited|out of file descriptors/);
    await first.close();
  });
});

describe('few file descriptors in a running relay', () => {
  it('run out while it runs: it stops accepting instead of spinning, and goes on by itself', async () => {
    const directory = freshDirectory();
    const relay = WokProcess.spawn(OPEN, directory, [], [], {}, 4_000);
    await relay.listening();
    const client = await Client.connect(relay.url);
    const flood = new Flood(relay.url);
    const limit = (soft: number) => {
      const args = ['--pid', String(relay.pid), `--nofile=${soft}:4000`];
      expect(spawnSync('prlimit', args).status).toBe(0);
    };
    limit(relay.fileDescriptors() + 3);
    await flood.open(200);
    await until(() => relay.out.includes('out of file descriptors'), 'the log to say so');
    expect(await idleShare(relay)).toBeLessThan(0.6);
    const event = new Author().event();
    expect((await client.publish(event))[2]).toBe(true);
    expect((await client.query({ ids: [event.id] })).events).toEqual([event]);
    // A new client is refused at once instead of waiting for an answer.
    await expect(Client.connect(relay.url)).rejects.toThrow(/ECONNREFUSED/);
    limit(4_000);
    flood.end();
    await until(
      () => relay.out.includes('file descriptors are available again'),
      'it to listen again',
    );
    const other = await Client.connect(relay.url);
    expect((await other.query({ ids: [event.id] })).events).toEqual([event]);
    await status(relay, directory);
    expect(relay.out).not.toMatch(/a worker exited/);
    for (const one of [client, other]) await one.close();
    relay.signal('SIGTERM');
    expect((await relay.exited).code).toBe(exitCodes.ok);
  });
});

describe('no file descriptor that is free', () => {
  it('ends no relay while a client has sent no request yet', async () => {
    const settings = { ...OPEN, 'io.handshake_seconds': 1 };
    const relay = WokProcess.spawn(settings, freshDirectory(), [], [], {}, 4_000);
    await relay.listening();
    const client = await Client.connect(relay.url);
    const limit = (soft: number) => {
      const args = ['--pid', String(relay.pid), `--nofile=${soft}:4000`];
      expect(spawnSync('prlimit', args).status).toBe(0);
    };
    const before = relay.fileDescriptors();
    const silent = new Flood(relay.url);
    await silent.open(1);
    await until(() => relay.fileDescriptors() > before, 'the relay to accept');
    // Until the limit is raised, the sweeper of silent connections cannot list descriptors.
    const open = new Set(readdirSync(`/proc/${relay.pid}/fd`).map(Number));
    let lowestFree = 0;
    while (open.has(lowestFree)) lowestFree++;
    limit(lowestFree);
    expect(await idleShare(relay)).toBeLessThan(0.6);
    expect((await client.publish(new Author().event()))[2]).toBe(true);
    limit(4_000);
    await until(() => silent.sockets.size === 0, 'the silent connection to be closed');
    await client.close();
    relay.signal('SIGTERM');
    expect((await relay.exited).code).toBe(exitCodes.ok);
  });
});

describe('DescriptorRoom', () => {
  it('leaves a share of the sockets to who asks, and descriptors to the relay itself', () => {
    const config = testConfig(freshDirectory(), { 'io.connections_max': 10_000 });
    for (const limit of [200, 400, 1024, 4096, 65_536]) {
      const room = new DescriptorLimit(config, limit, 50);
      expect(room.sockets + 50).toBeLessThan(limit - 32);
      expect(room.connections).toBeLessThan(room.sockets);
      expect(room.bound(config).io.connections_max).toBe(Math.min(10_000, room.connections));
      expect(room.advice(config) === null).toBe(limit === 65_536);
    }
    const advice = new DescriptorLimit(config, 1024, 50).advice(config)!;
    const wanted = Number(/LimitNOFILE=(\d+)/.exec(advice)![1]);
    expect(new DescriptorLimit(config, wanted, 50).advice(config)).toBe(null);
  });

  it('asks for no limit where there is none', () => {
    const config = testConfig(freshDirectory());
    expect(tooFewDescriptors(config, 10, Number.POSITIVE_INFINITY)).toBe(null);
    const room = new DescriptorLimit(config, Number.POSITIVE_INFINITY, 50);
    expect(room.bound(config)).toBe(config);
  });
});
