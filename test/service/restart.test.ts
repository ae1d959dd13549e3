// Graceful restart: a new process takes over on the same port and database, while clients connect,
// publish and follow. Relays in their own processes, over real sockets.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import { SCHEMA_VERSION } from '../../src/store/database/migrations.ts';
import { databaseFile } from '../../src/store/database/open.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { delay, isRunning, until, WokProcess } from '../support/process.ts';
import { freshDirectory, type Settings } from '../support/relay.ts';
import { idsByNeg } from '../support/syncing.ts';

const author = new Author();
const wokFile = join(packageRoot, 'dist/src/wok.js');

async function cli(...args: string[]) {
  return promisify(execFile)(process.execPath, [wokFile, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

/** Starts a relay with a directory of its own; its successors end with the test as well. */
async function started(settings: Settings = {}, nodeFlags: string[] = [], flags: string[] = []) {
  const directory = freshDirectory();
  const wok = WokProcess.spawn(settings, directory, nodeFlags, flags);
  // Registered before the wait for the end of the output, which relay and successors share.
  onTestFinished(() => {
    for (const [, pid] of wok.out.matchAll(/starting a successor {2}pid=(\d+)/g)) {
      if (isRunning(Number(pid))) process.kill(Number(pid), 'SIGKILL');
    }
  });
  await wok.listening();
  /**
   * Returns the process that answers on the control socket, once one does: a successor takes it
   * over a moment late.
   */
  const pid = async (): Promise<number> => {
    let told = '';
    await until(async () => {
      told = (await cli('status', '--json', '--data', directory)).stdout;
      return told !== '';
    }, 'the control socket');
    return JSON.parse(told).pid;
  };
  return { wok, directory, pid };
}

/** Clients that use a relay while it is restarted, and their observations. */
class Crowd {
  readonly url: string;
  readonly stored = new Map<string, number>();
  /** Errors of connections that were refused. */
  readonly refusedConnections: string[] = [];
  readonly refusals: string[] = [];
  unanswered = 0;
  newcomers = 0;
  readonly goodbyes: number[] = [];
  going = true;
  /** True once the other clients have ended. */
  over = false;

  constructor(url: string) {
    this.url = url;
  }

  async connect(): Promise<Client | null> {
    try {
      return await Client.connect(this.url);
    } catch (error) {
      this.refusedConnections.push(String(error));
      return null;
    }
  }

  async publish(client: Client): Promise<void> {
    const event = author.event({ content: String(Math.random()) });
    try {
      const [, id, accepted, message] = await client.publish(event);
      if (accepted) this.stored.set(String(id), performance.now());
      else this.refusals.push(String(message));
    } catch {
      // The connection was closed with the event in flight: the client does not know its fate.
      this.unanswered++;
    }
  }

  /** Connects, publishes and disconnects, again and again. */
  async newcomer(): Promise<void> {
    while (this.going) {
      const client = await this.connect();
      if (client === null) continue;
      this.newcomers++;
      await this.publish(client);
      client.socket.terminate();
    }
  }

  /** Stays until the relay closes the connection, and connects again. */
  async regular(): Promise<void> {
    while (this.going) {
      const client = await this.connect();
      if (client === null) continue;
      while (this.going && client.closed === null) {
        await this.publish(client);
        await delay(2);
      }
      if (client.closed) this.goodbyes.push(client.closed.code);
      client.socket.terminate();
    }
  }

  /** Follows the author over several connections, and adds the ids that it gets to `seen`. */
  async follower(seen: Set<string>): Promise<void> {
    while (!this.over) {
      const client = await this.connect();
      if (client === null) continue;
      client.tap = (message) => {
        if (message[0] === 'EVENT') seen.add((message[2] as { id: string }).id);
        return message[0] === 'EVENT';
      };
      client.send(['REQ', 'follow', { authors: [author.pubkey], limit: 1_000_000 }]);
      while (!this.over && client.closed === null) await delay(20);
      if (client.closed) this.goodbyes.push(client.closed.code);
      else await until(() => [...this.stored.keys()].every((id) => seen.has(id)), 'all events');
      client.socket.terminate();
    }
  }

  /** Longest time between two accepted events, in milliseconds. */
  get gap(): number {
    const times = [...this.stored.values()].sort((a, b) => a - b);
    return Math.max(...times.slice(1).map((time, i) => time - times[i]!));
  }
}

describe('a graceful restart', () => {
  it('refuses no connection, loses no event, and asks the old clients to reconnect', async () => {
    const { wok, directory, pid } = await started({
      'shutdown.handover_seconds': 3,
      'limits.limit_max': 1_000_000,
      'io.connections_per_ip_max': 0,
    });
    const crowd = new Crowd(wok.url);
    const seen = new Set<string>();
    const all = [
      ...Array.from({ length: 4 }, () => crowd.newcomer()),
      ...Array.from({ length: 3 }, () => crowd.regular()),
    ];
    const following = crowd.follower(seen);
    await until(() => crowd.stored.size > 50, 'some events');
    const before = crowd.newcomers;
    const restarted = await cli('service', 'restart', '--graceful', '--data', directory);
    expect(restarted.stdout).toMatch(/process \d+, has taken over from process \d+/);
    expect(restarted.code).toBe(0);
    await until(() => !isRunning(wok.pid), 'the old process to end');
    const after = crowd.stored.size;
    const isEnough = () => crowd.stored.size > after + 50 && crowd.newcomers > before + 20;
    await until(isEnough, 'more events');
    crowd.going = false;
    await Promise.all(all);
    crowd.over = true;
    await following;

    process.stdout.write(
      `service/restart: ${crowd.newcomers - before} connections while it was restarted, longest gap between two events ${Math.round(crowd.gap)} ms, ${crowd.refusals.length} events refused, ${crowd.unanswered} unanswered\n`,
    );
    expect(crowd.refusedConnections).toEqual([]);
    expect(
      crowd.refusals.filter((why) => !why.startsWith('error: this relay is being res')),
    ).toEqual([]);
    expect(crowd.goodbyes.length).toBeGreaterThanOrEqual(4);
    expect(new Set(crowd.goodbyes)).toEqual(new Set([1012]));
    const client = await Client.connect(wok.url);
    const { events } = await client.query({ authors: [author.pubkey], limit: 1_000_000 });
    const kept = new Set(events.map(({ id }) => id));
    expect([...crowd.stored.keys()].filter((id) => !kept.has(id))).toEqual([]);
    expect([...crowd.stored.keys()].filter((id) => !seen.has(id))).toEqual([]);
    // The event tree of the successor has what both processes stored.
    expect(await idsByNeg(client, {})).toEqual([...kept].sort());
    expect(wok.out).toContain('exiting');

    const successor = await pid();
    process.kill(successor, 'SIGTERM');
    await until(
      () => wok.out.includes('all accepted events are stored; exiting'),
      'the successor to stop',
    );
  });

  it('can be repeated', async () => {
    const { wok, pid } = await started({ 'shutdown.handover_seconds': 1 });
    const pids = new Set([await pid()]);
    for (let round = 1; round <= 2; round++) {
      const current = await pid();
      process.kill(current, 'SIGUSR2');
      await until(() => !isRunning(current), 'the old process to end');
      const client = await Client.connect(wok.url);
      expect((await client.publish(author.event({ content: `round ${round}` })))[2]).toBe(true);
      client.socket.terminate();
      pids.add(await pid());
    }
    expect(pids.size).toBe(3);
  });
});

describe('a graceful restart that fails', () => {
  it('for a wrong configuration leaves the old process at work, and says why', async () => {
    const file = join(freshDirectory(), 'relay.conf');
    writeFileSync(file, '');
    const { wok, directory, pid } = await started({}, [], ['--config', file]);
    const client = await Client.connect(wok.url);
    writeFileSync(file, '[info]\nname = 5\n');
    const refused = await cli('service', 'restart', '--graceful', '--data', directory);
    expect(refused.code).toBe(exitCodes.refused);
    expect(refused.stderr).toMatch(/line 2: info\.name is 5/);
    expect(refused.stderr).toContain('this process continues');
    expect(await pid()).toBe(wok.pid);
    expect((await client.publish(author.event()))[2]).toBe(true);
  });

  it('for a successor that exits leaves the old process at work, and tells its status', async () => {
    const die = `data:text/javascript,if (process.env.WOK_SUCCEEDS_PORT) process.exit(3)`;
    const { wok, directory, pid } = await started({}, ['--import', die]);
    const refused = await cli('service', 'restart', '--graceful', '--data', directory);
    expect(refused.code).toBe(exitCodes.refused);
    expect(refused.stderr).toContain('it exited with status 3; this process continues');
    expect(await pid()).toBe(wok.pid);
  });

  it.each([
    [SCHEMA_VERSION - 1, /migrate it to \d+ while a relay still reads it; use a plain restart/],
    [SCHEMA_VERSION + 1, /newer than this wok's/],
  ])('is refused when the database has schema %i', async (version, sentence) => {
    const { wok, directory, pid } = await started();
    const client = await Client.connect(wok.url);
    // As if the running relay were of the version that made this database.
    const other = new Database(databaseFile(directory));
    onTestFinished(() => void other.close());
    other.pragma(`user_version = ${version}`);

    const refused = await cli('service', 'restart', '--graceful', '--data', directory);
    expect(refused.code).toBe(exitCodes.refused);
    expect(refused.stderr).toMatch(sentence);
    // The command finds that out by itself and does not bother the relay.
    expect(wok.out).not.toContain('starting a successor');

    wok.signal('SIGUSR2');
    await until(() => wok.out.includes('this process continues'), 'the refusal');
    expect(wok.out).toMatch(sentence);
    expect(other.pragma('user_version', { simple: true })).toBe(version);
    expect(await pid()).toBe(wok.pid);
    expect((await client.publish(author.event()))[2]).toBe(true);
  });

  it('for a successor that dies before it has taken over leaves the old process at work', async () => {
    const die = `data:text/javascript,if (process.env.WOK_SUCCEEDS_PORT) process.on('message', () => process.exit(3))`;
    const { wok, pid } = await started({}, ['--import', die]);
    const client = await Client.connect(wok.url);
    await client.req('live', { authors: [author.pubkey] });
    wok.signal('SIGUSR2');
    await until(() => wok.out.includes('did not take over'), 'the failure');
    const publisher = await Client.connect(wok.url);
    const event = author.event();
    await until(async () => (await publisher.publish(event))[2] === true, 'an OK');
    expect(await client.live('live')).toEqual(event);
    await until(async () => (await pid()) === wok.pid, 'the control socket of the old process');
  });
});
