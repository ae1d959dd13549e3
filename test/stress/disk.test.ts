// A relay and an import on a full disk (a small tmpfs in a user namespace), and on a database
// damaged in places; Disk as a unit.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WriteState } from '../../src/channel/write-state.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { packageRoot } from '../../src/paths.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { Disk } from '../../src/writer/disk.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { http } from '../support/http.ts';
import { until } from '../support/process.ts';
import { freshDirectory, settingFlags, startRelay } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

const wokFile = join(packageRoot, 'dist/src/wok.js');
/** True if this machine has the user namespaces that a file system of one's own needs. */
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0;

/** Runs a command in a small file system of its own, mounted on `directory`. */
function onSmallDisk(directory: string, megabytes: number, command: string) {
  const script = `mount -t tmpfs -o size=${megabytes}m none ${directory} && ${command}`;
  const child = spawn('unshare', ['-rm', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seen = { out: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      seen.out += String(data);
    });
  }
  const exited = once(child, 'close') as Promise<[number | null]>;
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await exited;
  });
  // Path by which this process sees the file system of the child.
  return { child, seen, exited, inside: `/proc/${child.pid}/root${directory}` };
}

describe.skipIf(!canMount)('a full disk', () => {
  it('refuses writes with error:, serves what is stored, and recovers by itself', async () => {
    const directory = freshDirectory();
    const set = settingFlags({ 'storage.checkpoint_pages': 200, 'log.format': 'json' });
    const flags = set.map((one) => `--set ${one}`).join(' ');
    const { child, seen, exited, inside } = onSmallDisk(
      directory,
      12,
      `head -c 6m /dev/zero > ${directory}/ballast && ` +
        `exec ${process.execPath} ${wokFile} relay --data ${directory}/data ${flags}`,
    );
    await until(() => /listens on/.test(seen.out), 'the relay to listen');
    const client = await Client.connect(/ws:\/\/[^ "]+/.exec(seen.out)![0]);
    const author = new Author();
    let n = 0;
    const large = () => author.event({ content: `${++n} ${'x'.repeat(60_000)}` });
    const kept: NostrEvent[] = [];
    let refusal = '';
    while (kept.length < 300 && refusal === '') {
      const event = large();
      const [, , accepted, message] = await client.publish(event);
      if (accepted) kept.push(event);
      else refusal = String(message);
    }
    expect(refusal).toBe('error: the disk of this relay is full; the event was not stored');
    expect(kept.length).toBeGreaterThan(5);
    // Refused at once; stored events are still served, and ephemeral ones pass.
    expect((await client.publish(large()))[2]).toBe(false);
    const { events, end } = await client.query({ authors: [author.pubkey] });
    expect(end[0]).toBe('EOSE');
    expect(events.map(({ id }) => id).sort()).toEqual(kept.map(({ id }) => id).sort());
    expect((await client.publish(author.event({ kind: 20_001 })))[2]).toBe(true);
    const httpUrl = client.socket.url.replace(/^ws/, 'http');
    const health = async (path = '/health') => {
      const { status, body } = await http(`${httpUrl.replace(/\/$/, '')}${path}`);
      return [status, body];
    };
    const full = 'new events are refused: the disk is full\n';
    expect(await health()).toEqual([503, full]);
    // Still alive: a restart would not help.
    expect(await health('/health/live')).toEqual([200, full]);
    const said = () => seen.out.split('\n').filter((line) => line.includes('the disk is full'));
    expect(said().length).toBe(1);

    rmSync(join(inside, 'ballast'));
    // Recovery without traffic: a load balancer may send nothing to an unhealthy relay.
    await until(async () => (await health())[0] === 200, 'being well again');
    expect(await health()).toEqual([200, 'ok\n']);
    let last = large();
    await until(async () => {
      last = large();
      return (await client.publish(last))[2] === true;
    }, 'events to be taken again');
    await until(() => seen.out.includes('the database accepts events again'), 'the log to say so');
    expect(said().length).toBe(1);
    expect((await client.query({ ids: [last.id] })).events).toEqual([last]);

    // On a disk that is full again, the relay still ends in order and loses nothing acknowledged.
    kept.push(last);
    for (;;) {
      const event = large();
      if ((await client.publish(event))[2] !== true) break;
      kept.push(event);
    }
    child.kill('SIGTERM');
    await until(() => seen.out.includes('exiting'), 'an end in order');
    expect((await exited)[0]).toBe(exitCodes.ok);
  });
});

describe.skipIf(!canMount)('an import on a full disk', () => {
  it('ends with a sentence and a status', async () => {
    const directory = freshDirectory();
    const author = new Author();
    const events = Array.from({ length: 120 }, (_, n) =>
      author.event({ content: `${n} ${'x'.repeat(60_000)}` }),
    );
    const file = join(freshDirectory(), 'events.jsonl');
    writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const { seen, exited } = onSmallDisk(
      directory,
      4,
      `exec ${process.execPath} ${wokFile} import ${file} --data ${directory}`,
    );
    expect((await exited)[0], seen.out).toBe(exitCodes.inputOutput);
    expect(seen.out).toContain('cannot grow: the disk is full; free some space');
  });
});

describe('Disk', () => {
  const failure = (code: string) => Object.assign(new Error(code), { code });

  it('asks again after a pause, and says each trouble when it begins, every minute, and at its end', () => {
    const lines: string[] = [];
    const say = (text: string) => lines.push(text);
    const writes = new WriteState(new SharedArrayBuffer(8), 1);
    const disk = new Disk({ debug: say, info: say, warn: say, error: say }, writes);
    expect([writes.trouble, disk.isFailing]).toEqual(['', false]);
    expect(disk.refusal(0)).toBe(null);
    for (let now = 0; now < 120_000; now += 1_000) {
      expect(disk.refusal(now)).toBe(null);
      expect(disk.failed(failure('SQLITE_FULL'), now)).toContain('error: the disk');
      expect(disk.refusal(now + 999)).toContain('error: the disk');
    }
    expect(lines.length).toBe(2);
    expect(disk.failed(failure('SQLITE_IOERR_WRITE'), 120_000)).toContain('error: ');
    expect(lines.at(-1)).toContain('disk I/O error');
    expect([writes.trouble, disk.isFailing]).toEqual(['disk I/O error', true]);
    disk.worked(121_000);
    disk.worked(122_000);
    expect(lines.length).toBe(4);
    expect(lines.at(-1)).toBe('the database accepts events again');
    expect([writes.trouble, disk.isFailing]).toEqual(['', false]);
  });
});

describe('a database that cannot be used', () => {
  it('is damaged: wok says so with a status of its own', async () => {
    const directory = freshDirectory();
    const data = ['--data', directory];
    const author = new Author();
    const lines = Array.from({ length: 200 }, () => `${JSON.stringify(author.event())}\n`);
    await wok(['import', ...data], lines.join(''));
    const file = openSync(join(directory, 'wok.db'), 'r+');
    writeSync(file, Buffer.alloc(4096 - 100, 0x5a), 0, 4096 - 100, 100);
    closeSync(file);
    const { err, code } = await wok(['import', ...data], lines.join(''));
    expect(err).toMatch(/is damaged; run wok doctor, or restore a backup/);
    expect(code).toBe(exitCodes.damaged);
  });

  it('is damaged in places: who asks for those is told, the others are served', async () => {
    const directory = freshDirectory();
    const author = new Author();
    const events = Array.from({ length: 3000 }, (_, n) =>
      author.event({ created_at: 1_700_000_000 + n, content: `${n} `.repeat(40) }),
    );
    const lines = events.map((event) => `${JSON.stringify(event)}\n`);
    await wok(['import', '--data', directory], lines.join(''));
    // Bodies of the oldest events; a start reads other pages.
    const path = join(directory, 'wok.db');
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.from(events[5]!.id, 'hex'));
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at - (at % 4096));
    closeSync(file);
    const relay = await startRelay({ 'query.timeline_events': 16 }, directory);
    const client = await Client.connect(relay.url);
    for (let n = 0; n < 10; n++) {
      const { end } = await client.req(`bad ${n}`, { ids: [events[5]!.id] });
      expect(end).toEqual([
        'CLOSED',
        `bad ${n}`,
        expect.stringMatching(/^error: .*read its database/),
      ]);
      const good = await client.query({ ids: [events.at(-1)!.id] });
      expect(good.events.length).toBe(1);
    }
    expect((await client.count({ until: 1_700_000_100, '#t': ['x'] }))[0]).toBe('COUNT');
    expect(relay.logged.filter((line) => line.includes('could not be read')).length).toBe(1);
    client.socket.terminate();
    await relay.stop();
  });
});
