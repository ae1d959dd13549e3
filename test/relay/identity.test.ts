// The relay's own address while `identity.urls` is empty: addresses accepted in AUTH, NIP-98 and
// NIP-62, and the advice to the operator. In-process relay over real sockets; OwnAddresses and the
// advice as units.

import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../../src/admin/rpc/status.ts';
import { identityAdvice } from '../../src/config/identity-advice.ts';
import type { Finding } from '../../src/maintenance/doctor/finding.ts';
import { examineIdentity } from '../../src/maintenance/doctor/identity.ts';
import { OwnAddresses } from '../../src/protocol/own-addresses.ts';
import { AdminPage, ask, nip98 } from '../support/admin-page.ts';
import { accepted, closed, refused } from '../support/answers.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { until } from '../support/process.ts';
import { freshDirectory, startRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

const RPC = 'application/nostr+json+rpc';
const adminKey = generateSecretKey();
const SETTINGS = { 'admin.pubkeys': [getPublicKey(adminKey)] };
let relay: TestRelay;

beforeAll(async () => {
  relay = await startRelay(SETTINGS);
});
afterAll(() => relay.stop());

function connect(host: string): Promise<Client> {
  return Client.connect(relay.url, { headers: { Host: host } });
}

describe('without identity.urls', () => {
  it('a relay elsewhere cannot pass on what was signed for it, whatever Host it says', async () => {
    const [author, sender] = [new Author(), new Author()];
    const wrap = sender.event({ kind: 1059, tags: [['p', author.pubkey]] });
    const elsewhere = await connect('evil.example');
    expect(await elsewhere.publish(wrap)).toEqual(accepted(wrap));
    const passedOn = author.auth(await elsewhere.challenge(), 'wss://evil.example');
    const answer = await elsewhere.authenticate(passedOn);
    expect(answer).toEqual(refused(passedOn, 'error'));
    expect(answer[3]).toContain('identity.urls');
    const { end } = await elsewhere.req('s', { kinds: [1059], '#p': [author.pubkey] });
    expect(end).toEqual(closed('s', 'auth-required'));
    const own = author.auth(await elsewhere.challenge(), relay.url);
    expect(await elsewhere.authenticate(own)).toEqual(accepted(own));
    elsewhere.socket.terminate();
  });

  it.each([
    'ws://localhost',
    'ws://LOCALHOST:1234/x',
    'ws://127.0.0.1',
    'wss://127.8.9.10:443',
    'ws://[::1]:7777',
    'localhost:7777',
  ])('an authentication may name %s', async (address) => {
    const client = await connect('relay.example');
    const auth = new Author().auth(await client.challenge(), address);
    expect(await client.authenticate(auth)).toEqual(accepted(auth));
    client.socket.terminate();
  });

  it.each([
    'wss://relay.example',
    'ws://localhost.evil.example',
    'ws://127.0.0.1.evil.example',
    'ws://localhost@evil.example',
    'ws://evil.example/localhost',
    'ws://0.0.0.0',
    'ws://[::]',
    'ws://10.0.0.1',
    'ws://128.0.0.1',
    'ws://[::2]',
    '',
  ])('an authentication may not name "%s"', async (address) => {
    const client = await connect('relay.example');
    const auth = new Author().auth(await client.challenge(), address);
    expect(await client.authenticate(auth)).toEqual(refused(auth, 'error'));
    client.socket.terminate();
  });
});

describe('without identity.urls, beside authentication', () => {
  it('an authorization for another server is refused by the management API, and says why', async () => {
    const body = JSON.stringify({ method: 'supportedmethods', params: [] });
    const call = async (host: string, u: string) => {
      const Authorization = nip98(adminKey, u, body);
      const headers = { 'Content-Type': RPC, Host: host, Authorization };
      return ask(relay.httpUrl, body, headers);
    };
    const replayed = await call('evil.example', 'https://evil.example/');
    expect(replayed).toMatchObject({ status: 401, body: { error: /identity\.urls/ } });
    expect((await call('localhost:7777', 'http://localhost:7777/')).status).toBe(200);
    expect((await call('[::1]:7777', 'http://[::1]:7777/')).status).toBe(200);
    expect((await call('localhost:7777', 'http://localhost:8888/')).status).toBe(401);
    expect((await call('evil.example', 'http://localhost:7777/')).status).toBe(401);
  });

  it('a login for another server is refused, and says why', async () => {
    const page = new AdminPage(relay.httpUrl);
    page.headers = { Host: 'evil.example' };
    const answer = await page.login(adminKey, { u: 'https://evil.example/admin/login' });
    expect(answer.status).toBe(401);
    expect(answer.body.error!.message).toContain('identity.urls');
    page.headers = { Host: 'localhost:7777' };
    const local = await page.login(adminKey, { u: 'http://localhost:7777/admin/login' });
    expect(local.status).toBe(200);
  });

  it('a request to vanish counts for all relays only, because anybody can send it again', async () => {
    const author = new Author();
    const client = await connect('relay.example');
    const note = author.event();
    await client.publish(note);
    for (const url of ['wss://relay.example', 'ws://localhost', relay.url]) {
      const request = author.event({ kind: 62, tags: [['relay', url]] });
      expect(await client.publish(request)).toEqual(accepted(request));
    }
    expect((await client.query({ ids: [note.id] })).events).toEqual([note]);
    client.socket.terminate();
  });
});

describe('the operator is told what to set', () => {
  it('by the log once, by wok status, by wok doctor and on /admin', async () => {
    const own = await startRelay(SETTINGS);
    try {
      const reach = async (host: string) => {
        const client = await Client.connect(own.url, { headers: { Host: host } });
        await client.sync();
        client.socket.terminate();
      };
      const control = await Control.connect(own.directory);
      const status = () => control.ask<Status>('status');
      expect((await status()).reachedBy).toEqual([]);
      for (let n = 0; n < 3; n++) await reach('Relay.Example:443');
      await reach('127.0.0.1:7777');
      // A proxy may send another Host; then the authentications show the right one.
      const client = await Client.connect(own.url);
      const auth = new Author().auth(await client.challenge(), 'wss://nostr.example/');
      expect(await client.authenticate(auth)).toEqual(refused(auth, 'error'));
      client.socket.terminate();
      await until(async () => (await status()).reachedBy.length === 2, 'both hosts');
      const { reachedBy, identityAdvice: advice } = await status();
      expect(reachedBy).toEqual([
        { host: 'relay.example', count: 3 },
        { host: 'nostr.example', count: 1 },
      ]);
      expect(advice).toContain('[identity] urls = ["wss://relay.example"]');
      const warnings = () => own.logged.filter((line) => line.includes('identity.urls'));
      await until(() => warnings().length === 1, 'the warning');

      const told = await wok(['status', '--data', own.directory]);
      expect(told.out).toContain('clients reach it as relay.example, nostr.example');
      const examined = await wok(['doctor', '--quick', '--json', '--data', own.directory]);
      const { findings } = JSON.parse(examined.out) as { findings: Finding[] };
      const finding = findings.find(({ name }) => name === 'identity')!;
      expect(finding).toMatchObject({ area: 'configuration', severity: 'warn' });
      expect(finding.advice).toContain('urls = ["wss://nostr.example"]');
      const page = await AdminPage.open(own.httpUrl, adminKey);
      expect((await page.ask('dashboard')).identityAdvice).toBe(advice);

      // The operator follows the advice by a live reload.
      const urls = ['wss://relay.example'];
      const config = testConfig(own.directory, { ...SETTINGS, 'identity.urls': urls });
      await own.relay.reload(config);
      const known = await Client.connect(own.url);
      const answer = new Author().auth(await known.challenge(), urls[0]!);
      expect(await known.authenticate(answer)).toEqual(accepted(answer));
      known.socket.terminate();
      expect(await status()).toMatchObject({ reachedBy: [], identityAdvice: null });
      const onPage = async () => (await page.ask('dashboard')).identityAdvice;
      // The dashboard is up to a second old.
      await until(async () => (await onPage()) === null, 'the page without it');
      expect(warnings()).toHaveLength(1);
      control.socket.destroy();
    } finally {
      await own.stop();
    }
  });

  it('of so many names, the most frequent among them, however many clients make up', async () => {
    const control = await Control.connect(relay.directory);
    for (let n = 0; n < 60; n++) {
      const clients = [await connect('often.example'), await connect(`n${n}.example`)];
      for (const client of clients) {
        await client.sync();
        client.socket.terminate();
      }
    }
    const seen = async () => (await control.ask<Status>('status')).reachedBy;
    await until(async () => {
      const [first] = await seen();
      return first?.host === 'often.example' && first.count >= 2;
    }, 'the host');
    expect((await seen()).length).toBeLessThanOrEqual(16);
    control.socket.destroy();
  });
});

describe('own addresses', () => {
  const own = (host: string, ...urls: string[]) =>
    new OwnAddresses({ identity: { urls }, io: { host } });

  it.each<[string, string[], string, boolean]>([
    ['127.0.0.1', [], 'wss://relay.example', false],
    ['127.0.0.1', [], 'ws://127.0.0.1:1', true],
    ['192.0.2.7', [], 'ws://192.0.2.7:7777', true],
    ['192.0.2.7', [], 'ws://192.0.2.8:7777', false],
    ['2001:db8::7', [], 'ws://[2001:DB8:0::7]/x', true],
    ['relay.lan', [], 'ws://Relay.Lan.', true],
    ['0.0.0.0', [], 'ws://0.0.0.0', false],
    ['::', [], 'ws://[::]', false],
    ['0.0.0.0', [], 'ws://localhost', true],
    ['0.0.0.0', ['wss://relay.example'], 'wss://relay.example', true],
    ['192.0.2.7', ['wss://relay.example'], 'ws://192.0.2.7', false],
    ['127.0.0.1', ['wss://relay.example'], 'ws://localhost', false],
    ['127.0.0.1', ['ws://localhost'], 'ws://localhost:1', true],
  ])('listening on %s with %j, %s: %s', (host, urls, address, isOwn) => {
    expect(own(host, ...urls).has(address)).toBe(isOwn);
  });
});

describe('the advice', () => {
  it('comes at every start of a relay that listens beyond loopback', () => {
    const config = testConfig(freshDirectory(), { 'io.host': '0.0.0.0' });
    expect(identityAdvice(config)).toMatch(/NIP-42.*\(auth\.private_kinds\)/);
    expect(identityAdvice(testConfig(freshDirectory()))).toBe(null);
    expect(identityAdvice(testConfig(freshDirectory()), ['relay.example'])).toContain(
      'urls = ["wss://relay.example"]',
    );
    const served = { 'io.host': '0.0.0.0', 'identity.urls': ['wss://relay.example'] };
    expect(identityAdvice(testConfig(freshDirectory(), served))).toBe(null);
    expect(identityAdvice(config, ['192.0.2.7'])).toContain('urls = ["ws://192.0.2.7"]');
  });

  it('is a finding of the doctor, with the line to write', () => {
    const finding = (settings: Parameters<typeof testConfig>[1], hosts: string[] = []) => {
      const reachedBy = hosts.map((host) => ({ host, count: 2 }));
      return examineIdentity(testConfig(freshDirectory(), settings), reachedBy)[0]!;
    };
    expect(finding({ 'identity.urls': ['wss://relay.example'] }).severity).toBe('ok');
    expect(finding({}).severity).toBe('note');
    const warned = finding({ 'auth.required': 'all' }, ['a.example', 'b.example']);
    expect(warned.severity).toBe('warn');
    expect(warned.text).toContain('a.example (2 times)');
    expect(warned.advice).toContain(
      '[identity] urls = ["wss://a.example"] or [identity] urls = ["wss://b.example"]',
    );
  });
});
