// The admin worker and its control socket, and `wok status` as a command. Relays in this process
// and in their own.

import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../../src/admin/rpc/status.ts';
import { exitCodes } from '../../src/lib/exit-codes.ts';
import { controlSocketFile } from '../../src/paths.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { http } from '../support/http.ts';
import { until, WokProcess } from '../support/process.ts';
import { freshDirectory, startRelay, type TestRelay } from '../support/relay.ts';
import { wokHere } from '../support/wok.ts';

const author = new Author();

describe('the control socket', () => {
  let relay: TestRelay;
  let control: Control;
  beforeAll(async () => {
    relay = await startRelay();
    control = await Control.connect(relay.directory);
  });
  afterAll(() => relay.stop());

  it('is for its owner alone', () => {
    const { mode } = statSync(controlSocketFile(relay.directory));
    expect((mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(relay.directory).filter((name) => name.startsWith('.s'))).toEqual([]);
  });

  it('answers status', async () => {
    const client = await Client.connect(relay.url);
    const before = await control.ask<Status>('status');
    await client.publish(author.event());
    expect(await control.ask<Status>('status')).toMatchObject({
      pid: process.pid,
      seq: before.seq + 1,
      database: expect.stringContaining(relay.directory),
    });
    await client.close();
  });

  it.each([
    ['no JSON', 'usage', null],
    ['null', 'usage', null],
    ['[1]', 'usage', null],
    ['"status"', 'usage', null],
    ['{"id":"a","method":7}', 'usage', 'a'],
    ['{"id":{"x":1},"method":"stauts"}', 'usage', { x: 1 }],
    ['{"id":7,"method":"status","params":{"more":true}}', 'usage', 7],
    ['{"id":7,"method":"status","params":[]}', 'usage', 7],
    ['{"id":8,"method":"__proto__"}', 'usage', 8],
  ])('%s is answered with %s', async (line, code, id) => {
    const { error, id: answered } = await control.line(line);
    expect(error).toMatchObject({ code, message: expect.stringMatching(/\S/) });
    expect(answered).toEqual(id);
  });

  it('suggests the RPC method that was meant', async () => {
    const { error } = await control.answer('statsu');
    expect(error!.message).toContain('"status"');
  });

  it('answers many at once, each by its id', async () => {
    const asked = Array.from({ length: 200 }, () => control.ask<Status>('status'));
    expect((await Promise.all(asked)).every(({ pid }) => pid === process.pid)).toBe(true);
  });

  it('cuts off a line that never ends', async () => {
    const flood = await Control.connect(relay.directory);
    const answer = flood.line(`"${'x'.repeat(1_200_000)}`);
    expect((await answer).error!.message).toMatch(/too long/);
    await until(() => flood.closed, 'the end of the connection');
    expect(await control.ask<Status>('status')).toHaveProperty('version');
  });

  it('takes no more than its number of clients', async () => {
    const crowd = await Promise.all(
      Array.from({ length: 40 }, () => Control.connect(relay.directory)),
    );
    await until(() => crowd.filter(({ closed }) => closed).length >= 9, 'some to be sent away');
    expect(await control.ask<Status>('status')).toHaveProperty('version');
    for (const { socket } of crowd) socket.destroy();
  });
});

describe('wok status', () => {
  it('prints text or JSON, and ends with 69 when no relay runs there', async () => {
    const relay = await startRelay();
    const told = await wokHere(['status', '--data', relay.directory]);
    expect(told).toMatchObject({ code: exitCodes.ok, err: '' });
    expect(told.out).toContain(`process ${process.pid}`);
    const { out } = await wokHere(['status', '--json', '--data', relay.directory]);
    expect(JSON.parse(out)).toMatchObject({ pid: process.pid, configFile: null });
    expect(told.out).toMatch(/^configuration +no file; /m);
    await relay.stop();
    expect(existsSync(controlSocketFile(relay.directory))).toBe(false);
    const nobody = await wokHere(['status', '--data', relay.directory]);
    expect(nobody.code).toBe(exitCodes.unavailable);
    expect(nobody.err).toMatch(/^wok: no relay runs on .* start a relay with wok relay/);
  });
});

describe('what runs', () => {
  it('counts the write-ahead log, and names the configuration file in effect', async () => {
    const directory = freshDirectory();
    const file = join(directory, 'local.conf');
    writeFileSync(file, '[limits]\nlimit_max = 900\n');
    const data = join(directory, 'data');
    const relay = WokProcess.spawn({}, data, [], ['--config', file]);
    await relay.listening();
    expect(relay.out).toContain(` · configuration ${file} · database ${join(data, 'wok.db')} · `);
    const client = await Client.connect(relay.url);
    for (let n = 0; n < 30; n++)
      await client.publish(author.event({ content: `${n} ${'x'.repeat(3000)}` }));
    const { out } = await wokHere(['status', '--json', '--data', data]);
    const status = JSON.parse(out) as Status;
    expect(status).toMatchObject({ configFile: file, seq: 30 });
    expect(status.databaseBytes).toBe(statSync(join(data, 'wok.db')).size);
    // All of it is in the log until the first checkpoint.
    expect(status.writeAheadLogBytes).toBeGreaterThan(30 * 3000);
    const told = await wokHere(['status', '--data', data]);
    expect(told.out).toContain(`configuration  ${file}\n`);
    const [, bytes, inLog] = /wok\.db, ([\d.]+) kB, ([\d.]+) kB of it in the write-ahead log/.exec(
      told.out,
    )!;
    expect(Number(inLog)).toBeGreaterThan(90);
    expect(Number(bytes)).toBeGreaterThanOrEqual(Number(inLog));
    await client.close();
    await relay.kill();
  });
});

describe('the admin worker', () => {
  it('comes back when it dies; no event waits for it, no client is sent away', async () => {
    const relay = await startRelay();
    const client = await Client.connect(relay.url);
    await relay.relay.kill('admin', 0);
    expect((await client.publish(author.event()))[2]).toBe(true);
    const healthy = async () => (await http(`${relay.httpUrl}/health`)).status === 200;
    await until(healthy, 'being well again');
    const control = await Control.connect(relay.directory);
    expect(await control.ask<Status>('status')).toMatchObject({ pid: process.pid });
    expect(client.closed).toBeNull();
    control.socket.destroy();
    await relay.stop();
  });

  it('stays closed when it dies again and again, and the relay goes on', async () => {
    const relay = await startRelay({ 'admin.pubkeys': [author.pubkey] });
    const healthy = async () => (await http(`${relay.httpUrl}/health`)).status === 200;
    let ended = false;
    void relay.relay.fatal.then(() => {
      ended = true;
    });
    for (let kill = 1; kill <= 6; kill++) {
      await relay.relay.kill('admin', 0);
      if (kill < 6) await until(healthy, 'being well again');
    }
    await until(async () => !(await healthy()), 'being unwell');
    const client = await Client.connect(relay.url);
    expect((await client.publish(author.event()))[2]).toBe(true);
    expect(ended).toBe(false);
    // An admin's key: requests of other keys are refused without the admin worker.
    const signed = JSON.stringify(author.event({ kind: 27_235, tags: [['u', relay.httpUrl]] }));
    const headers = {
      'Content-Type': 'application/nostr+json+rpc',
      Authorization: `Nostr ${Buffer.from(signed).toString('base64')}`,
    };
    const managed = await fetch(relay.httpUrl, { method: 'POST', headers, body: '{}' });
    expect(managed.status).toBe(503);
    await client.close();
    await relay.stop();
  });

  it('is not missed where there can be no socket', async () => {
    const relay = await startRelay({}, `${freshDirectory()}/${'long/'.repeat(25)}`);
    expect(relay.logged.join()).toContain('the control socket cannot be opened');
    const client = await Client.connect(relay.url);
    expect((await client.publish(author.event()))[2]).toBe(true);
    await client.close();
    await relay.stop();
  });
});
