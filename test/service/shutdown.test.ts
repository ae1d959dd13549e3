// Stops by a signal, starts that are refused, and the death of the writer: answers, stored events
// and exit codes. Relays in their own processes, over real sockets.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { SCHEMA_VERSION } from '../../src/store/database/migrations.ts';
import { databaseFile } from '../../src/store/database/open.ts';
import { Author } from '../support/author.ts';
import { SLOW_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { type Exit, ownAddress, until, WokProcess } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import { freshDirectory, type Settings } from '../support/relay.ts';

const author = new Author();

/** Returns notes of different seconds. */
function notes(count: number, contentLength = 10): NostrEvent[] {
  const now = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, i) =>
    author.event({ created_at: now - i, content: String(i).padStart(contentLength, '.') }),
  );
}

/**
 * Resolves once io has read everything that the client sent before: io itself answers binary
 * frames.
 */
function taken(publisher: Publisher): Promise<void> {
  return new Promise((resolve) => {
    publisher.socket.on('message', (data) => {
      if (String(data).startsWith('["NOTICE"')) resolve();
    });
    publisher.socket.send(Buffer.from([0]), { binary: true });
  });
}

async function timed(exited: Promise<Exit>): Promise<{ exit: Exit; milliseconds: number }> {
  const start = performance.now();
  const exit = await exited;
  return { exit, milliseconds: performance.now() - start };
}

/**
 * Starts a relay that cannot stop before its deadline: a client does not read the answer to its
 * query.
 */
async function stalled(settings: Settings = {}): Promise<WokProcess> {
  const wok = await WokProcess.start({ 'io.outbound_bytes_max': 1_000_000, ...settings });
  const publisher = await Publisher.connect(wok.url);
  const events = notes(250, 60_000);
  await publisher.publish(() => events.shift() ?? null, 50);
  const client = await Client.connect(wok.url);
  client.socket.pause();
  for (let i = 0; i < 20; i++) client.send(['REQ', `all ${i}`, { limit: 1000 }]);
  const other = await Client.connect(wok.url);
  await until(async () => (await other.query({ limit: 1 })).events.length === 1, 'the event');
  return wok;
}

/** Name of the file that is written by a process that did not end by itself and was cut off. */
const CUT_OFF = 'cut-off';

/**
 * Returns a module for a process that writes `file` if the process does not end by itself in the
 * minute after the call of `process.exit`. wok.ts cuts off what keeps a finished process alive
 * after two seconds, which a busy machine may need.
 */
function watchExit(file: string): string {
  return `data:text/javascript,
import { writeFileSync } from 'node:fs';
const exit = process.exit;
process.exit = (...status) => {
  setTimeout(() => {
    writeFileSync(${JSON.stringify(file)}, '');
    exit(...status);
  }, 60000).unref();
};`.replaceAll('\n', ' ');
}

describe('a signal to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: received events are answered and stored',
    async (signal) => {
      const directory = freshDirectory();
      const watch = watchExit(join(directory, CUT_OFF));
      const wok = WokProcess.spawn({}, directory, ['--import', watch]);
      await wok.listening();
      const events = notes(3000);
      const publishers = await Promise.all([1, 2, 3].map(() => Publisher.connect(wok.url)));
      const silent = await Client.connect(wok.url);
      const listening = await Client.connect(wok.url);
      for (const subId of ['1', '2', '3', '4', '5']) await listening.req(subId, { kinds: [1] });
      for (const [i, event] of events.entries()) publishers[i % 3]!.send(event);
      await Promise.all(publishers.map(taken));
      const unanswered = publishers.reduce((sum, one) => sum + one.unanswered, 0);
      const stopping = timed(wok.exited);
      wok.signal(signal);
      await until(
        () => wok.out.includes('all accepted events are stored'),
        'the last line of the log',
      );
      const { exit, milliseconds } = await stopping;
      process.stdout.write(
        `service/shutdown: ${signal} with ${unanswered} unanswered took ${Math.round(milliseconds)} ms\n`,
      );
      expect(exit).toEqual({ code: exitCodes.ok, signal: null });
      expect(wok.err).toBe('');
      // The process ended by itself before wok.ts would have cut it off.
      expect(existsSync(join(directory, CUT_OFF))).toBe(false);
      for (const { verdicts, sent, closed } of publishers) {
        expect(sent.filter(({ id }) => verdicts.get(id)?.accepted !== true)).toEqual([]);
        expect(closed?.code).toBe(1001);
      }
      expect((await silent.ended()).code).toBe(1001);
      expect((await listening.ended()).code).toBe(1001);
      expect(listening.inbox.filter(([verb]) => verb === 'EVENT').length).toBe(5 * 3000);

      const again = await WokProcess.start({}, directory);
      const client = await Client.connect(again.url);
      const [, , { count }] = (await client.count({ authors: [author.pubkey] })) as [
        string,
        string,
        { count: number },
      ];
      expect(count).toBe(3000);
    },
  );

  it('clients that go on sending get close code 1001 as well', async () => {
    const directory = freshDirectory();
    const wok = await WokProcess.start({}, directory);
    const publishers = await Promise.all([1, 2, 3, 4].map(() => Publisher.connect(wok.url)));
    const running = publishers.map((one) => one.publish(() => author.event(), 200));
    await until(() => publishers.every(({ answers }) => answers > 200), 'some answers');
    wok.signal('SIGTERM');
    expect(await wok.exited).toEqual({ code: exitCodes.ok, signal: null });
    await Promise.all(running);
    expect(publishers.map(({ closed }) => closed?.code)).toEqual([1001, 1001, 1001, 1001]);
    const again = await WokProcess.start({}, directory);
    const client = await Client.connect(again.url);
    const promised = publishers.flatMap(({ verdicts }) => [...verdicts.keys()]);
    let found = 0;
    for (let at = 0; at < promised.length; at += 500) {
      const ids = promised.slice(at, at + 500);
      found += (await client.query({ ids, limit: 500 })).events.length;
    }
    expect(found).toBe(promised.length);
  });
});

describe('the end of a stop', () => {
  it('waits for a client that does not read up to the deadline, without new connections', async () => {
    const wok = await stalled({ 'shutdown.deadline_seconds': 2 });
    const stopping = timed(wok.exited);
    wok.signal('SIGTERM');
    await until(() => wok.out.includes('shutting down'), 'the stop to begin');
    // The line is written a moment before the socket is closed.
    const isRefused = () =>
      Client.connect(wok.url).then(
        ({ socket }) => {
          socket.terminate();
          return false;
        },
        (error: Error) => error.message.includes('ECONNREFUSED'),
      );
    await until(isRefused, 'the refusal of a new connection');
    const { exit, milliseconds } = await stopping;
    process.stdout.write(
      `service/shutdown: a stalled relay took ${Math.round(milliseconds)} of 2000 ms\n`,
    );
    expect(exit).toEqual({ code: exitCodes.ok, signal: null });
    // Without a deadline it would never have ended.
    expect(milliseconds).toBeGreaterThan(1_900);
    expect(milliseconds).toBeLessThan(SLOW_MILLISECONDS);
  });

  it('comes at once with a second signal', async () => {
    const wok = await stalled({ 'shutdown.deadline_seconds': 600 });
    wok.signal('SIGTERM');
    await until(() => wok.out.includes('shutting down'), 'the stop to begin');
    wok.signal('SIGINT');
    let exit: Exit | null = null;
    void wok.exited.then((found) => {
      exit = found;
    });
    await until(() => exit !== null, 'the end, long before the deadline');
    expect(exit).toEqual({ code: exitCodes.crash, signal: null });
  });

  it('leaves a port that the next process can take at once', async () => {
    const host = ownAddress();
    const first = await WokProcess.start({ 'io.host': host });
    const clients = await Promise.all([1, 2, 3].map(() => Client.connect(first.url)));
    first.signal('SIGTERM');
    await Promise.all(clients.map((client) => client.ended()));
    await first.exited;
    const second = await WokProcess.start({ 'io.host': host, 'io.port': first.port });
    expect((await fetch(`${second.httpUrl}/health`)).status).toBe(200);
  });
});

describe('a relay that cannot start says why in one sentence', () => {
  async function refused(settings: Settings, directory = freshDirectory()) {
    const wok = WokProcess.spawn(settings, directory);
    const { code } = await wok.exited;
    expect(wok.out).toBe('');
    expect(wok.err).toMatch(/^wok: [^\n]+\n$/);
    return { code, sentence: wok.err };
  }

  it('the port is in use, by another program or by another relay', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await until(() => server.listening, 'the server');
    const { port } = server.address() as { port: number };
    const { code, sentence } = await refused({ 'io.port': port });
    expect(sentence).toContain(`cannot listen on 127.0.0.1 port ${port}`);
    expect(code).toBe(exitCodes.unavailable);
    server.close();

    const relay = await WokProcess.start();
    const other = await refused({ 'io.port': Number(new URL(relay.httpUrl).port) });
    expect(other.code).toBe(exitCodes.unavailable);
  });

  it('another relay runs on the directory', async () => {
    const directory = freshDirectory();
    const wok = await WokProcess.start({}, directory);
    const { code, sentence } = await refused({}, directory);
    expect(sentence).toContain('in use by another process');
    expect(code).toBe(exitCodes.busy);
    // The running relay is not affected.
    const client = await Client.connect(wok.url);
    expect((await client.publish(notes(1)[0]))[2]).toBe(true);
    await wok.kill();
    // After its death, the directory is free.
    await WokProcess.start({}, directory);
  });

  it('the data directory is a file, lies in a file, or holds something else', async () => {
    const directory = freshDirectory();
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect((await refused({}, file)).sentence).toContain('a file');
    expect((await refused({}, join(file, 'data'))).code).toBe(exitCodes.cannotCreate);
    writeFileSync(databaseFile(directory), 'no database '.repeat(1000));
    const { code, sentence } = await refused({}, directory);
    expect(sentence).toContain('is not an SQLite database');
    expect(code).toBe(exitCodes.damaged);
  });

  // The superuser may write anywhere.
  it.skipIf(process.getuid?.() === 0)('the data directory may not be written', async () => {
    const directory = freshDirectory();
    mkdirSync(join(directory, 'data'), { mode: 0o500 });
    expect((await refused({}, join(directory, 'data'))).code).toBe(exitCodes.cannotCreate);
  });

  it('the database is of a newer wok, or of another program', async () => {
    const newer = freshDirectory();
    let db = new Database(databaseFile(newer));
    db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    const { code, sentence } = await refused({}, newer);
    expect(sentence).toContain(`schema version ${SCHEMA_VERSION + 1}`);
    expect(code).toBe(exitCodes.version);

    const other = freshDirectory();
    db = new Database(databaseFile(other));
    db.exec('CREATE TABLE t (a)');
    db.close();
    expect((await refused({}, other)).sentence).toContain('not one of wok');
  });

  it('the configuration is wrong', async () => {
    const { code, sentence } = await refused({ 'limits.limit_max': -1 });
    expect(sentence).toContain('limits.limit_max');
    expect(code).toBe(exitCodes.config);
  });
});

/** Module that ends the writer's thread of the relay in its process on SIGXCPU. */
const KILL_WRITER = `data:text/javascript,
import { Relay } from ${JSON.stringify(new URL('../../dist/src/relay.js', import.meta.url).href)};
const start = Relay.start;
Relay.start = async (...args) => {
  const relay = await start(...args);
  process.on('SIGXCPU', () => relay.kill('writer', 0));
  return relay;
};`.replaceAll('\n', ' ');

describe('the writer dies', () => {
  it('and the process ends with a status that asks for a restart', async () => {
    const directory = freshDirectory();
    const settings = { 'shutdown.deadline_seconds': 600 };
    const wok = WokProcess.spawn(settings, directory, ['--import', KILL_WRITER]);
    await wok.listening();
    const client = await Client.connect(wok.url);
    await client.req('live', {});
    const publisher = await Publisher.connect(wok.url);
    const running = publisher.publish(() => author.event(), 200);
    await until(() => publisher.answers > 500, 'some answers');
    const ending = timed(wok.exited);
    wok.signal('SIGXCPU');
    let isOver = false;
    void ending.then(() => {
      isOver = true;
    });
    await until(() => isOver, 'the end, long before the deadline');
    const { exit, milliseconds } = await ending;
    process.stdout.write(
      `service/shutdown: without a writer it took ${Math.round(milliseconds)} ms\n`,
    );
    expect(exit).toEqual({ code: exitCodes.inputOutput, signal: null });
    expect(wok.out).toContain('the writer worker exited');
    await running;
    await client.ended();

    const again = await WokProcess.start({}, directory);
    const survivor = await Client.connect(again.url);
    const promised = [...publisher.verdicts.keys()];
    const { events: stored } = await survivor.query({ ids: promised.slice(-500), limit: 500 });
    expect(stored.length).toBe(Math.min(500, promised.length));
  });
});
