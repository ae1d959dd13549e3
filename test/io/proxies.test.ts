// Reverse proxies that do not pass on the addresses of clients: how they are recognised, what the
// operator is told, and that local clients are not taken for them. In-process relay over real
// sockets, with nginx, Caddy and a browser where installed; the advice and foreignHost as units.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Proxies } from '../../src/admin/proxies.ts';
import type { Status } from '../../src/admin/rpc/status.ts';
import { type ProxyFault, proxyAdvice, type SeenProxy } from '../../src/config/proxy-advice.ts';
import { foreignHost } from '../../src/io/proxy-watch.ts';
import type { Finding } from '../../src/maintenance/doctor/finding.ts';
import { examineProxies } from '../../src/maintenance/doctor/proxies.ts';
import { logIn } from '../support/admin-browser.ts';
import { AdminPage, ask, nip98 } from '../support/admin-page.ts';
import { Author } from '../support/author.ts';
import { accessibilityFaults } from '../support/axe.ts';
import { inBrowser, noBrowser, useBrowser } from '../support/browser.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { ownAddress, until } from '../support/process.ts';
import { parseExposition, sampleOf } from '../support/prometheus.ts';
import { freshDirectory, startRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { wok } from '../support/wok.ts';

const adminKey = generateSecretKey();
const SETTINGS = {
  'admin.pubkeys': [getPublicKey(adminKey)],
  'identity.urls': ['wss://relay.example'],
};
const FORWARDED = { 'X-Forwarded-For': '203.0.113.7' };
const RPC = 'application/nostr+json+rpc';

type Headers = Readonly<Record<string, string>>;

/** Connects, waits for an answer and disconnects. */
async function visit(relay: TestRelay, headers: Headers = {}): Promise<void> {
  const client = await Client.connect(relay.url, { headers });
  await client.sync();
  client.socket.terminate();
}

/** Number of clients counted without an address, by fault. */
function counted({ relay }: TestRelay): Record<ProxyFault, number> {
  const families = parseExposition(relay.metricsText());
  const of = (fault: ProxyFault) =>
    sampleOf(families, 'wok_clients_without_address_total', { fault });
  return { missing: of('missing'), malformed: of('malformed'), untrusted: of('untrusted') };
}

const NONE = { missing: 0, malformed: 0, untrusted: 0 };

/** Returns Host headers of clients that connect directly to a relay on this port. */
function directHosts(port: number): string[] {
  const own = hostname();
  return [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    'localhost',
    'LOCALHOST:8080',
    `127.8.9.10:${port}`,
    `[::1]:${port}`,
    `relay.localhost:${port}`,
    own,
    `${own}:${port}`,
    // A name of /etc/hosts: a direct client names the port.
    `relay.example:${port}`,
  ];
}

describe('a client behind a proxy that tells no address', () => {
  let relay: TestRelay;
  let port: number;
  beforeAll(async () => {
    relay = await startRelay(SETTINGS);
    ({ port } = relay.relay);
  });
  afterAll(() => relay.stop());

  it('is not one that connects directly, whatever loopback name it uses', async () => {
    const before = counted(relay);
    for (const Host of directHosts(port)) await visit(relay, { Host });
    expect(counted(relay)).toEqual(before);
  });

  it('is not one whose address the proxy tells, its own machine included', async () => {
    const before = counted(relay);
    for (const address of ['203.0.113.7', '6.6.6.6, 203.0.113.7', '127.0.0.1', '2001:db8::1']) {
      const headers = { Host: 'relay.example', Via: '1.1 proxy', 'X-Forwarded-For': address };
      await visit(relay, headers);
    }
    expect(counted(relay)).toEqual(before);
  });

  it('is not a request that has no client, like the health check of a proxy', async () => {
    const before = counted(relay);
    const get = (path: string, Accept = '*/*') =>
      ask(
        `${relay.httpUrl}/${path}`,
        '',
        { Host: 'relay.example', Via: '1.1 proxy', Accept },
        'GET',
      );
    expect((await get('health')).status).toBe(200);
    expect((await get('', 'application/nostr+json')).status).toBe(200);
    expect((await get('', 'text/html')).status).toBe(200);
    expect(counted(relay)).toEqual(before);
  });

  it.each<[Headers, ProxyFault]>([
    [{ Host: 'relay.example' }, 'missing'],
    [{ Host: 'relay.example:443' }, 'missing'],
    [{ Host: '192.0.2.7' }, 'missing'],
    [{ 'X-Forwarded-Proto': 'https' }, 'missing'],
    [{ 'X-Forwarded-Host': 'relay.example' }, 'missing'],
    [{ 'X-Real-IP': '203.0.113.7' }, 'missing'],
    [{ Forwarded: 'for=203.0.113.7' }, 'missing'],
    [{ Via: '1.1 proxy' }, 'missing'],
    [{ 'X-Forwarded-For': 'unknown' }, 'malformed'],
    [{ 'X-Forwarded-For': '203.0.113.7, unix:' }, 'malformed'],
    [{ Host: 'relay.example', 'X-Forwarded-For': ', ,' }, 'malformed'],
  ])('is one with %j (%s)', async (headers, fault) => {
    const before = counted(relay);
    await visit(relay, headers);
    expect(counted(relay)).toEqual({ ...before, [fault]: before[fault] + 1 });
  });

  it('is one that asks to manage the relay, or logs in', async () => {
    const before = counted(relay);
    const body = JSON.stringify({ method: 'supportedmethods', params: [] });
    const Authorization = nip98(adminKey, 'https://relay.example/', body);
    const headers = { 'Content-Type': RPC, Host: 'relay.example', Authorization };
    expect((await ask(relay.httpUrl, body, headers)).status).toBe(200);
    const page = new AdminPage(relay.httpUrl);
    page.headers = { Host: 'relay.example' };
    await page.login(adminKey, { u: 'https://relay.example/admin/login' });
    expect(counted(relay).missing).toBe(before.missing + 2);
  });
});

describe('a proxy on loopback that is not in io.trusted_proxies', () => {
  it('is told of, with the line for relay.conf; its header is not the reason', async () => {
    const relay = await startRelay({ ...SETTINGS, 'io.trusted_proxies': ['10.0.0.0/8'] });
    try {
      await visit(relay);
      await visit(relay, { Host: 'relay.example', ...FORWARDED });
      expect(counted(relay)).toEqual({ ...NONE, untrusted: 1 });
      const line = '[io] trusted_proxies = ["10.0.0.0/8", "127.0.0.1"]';
      await until(() => relay.logged.some((text) => text.includes('reverse proxy')), 'the log');
      const told = relay.logged.filter((text) => text.includes('reverse proxy'));
      expect(told).toHaveLength(1);
      expect(told[0]).toContain(`${line} into relay.conf`);
      expect(told[0]).not.toContain('nginx');
    } finally {
      await relay.stop();
    }
  });
});

/** Returns the finding of wok doctor about proxies. */
async function proxyFinding({ directory }: TestRelay): Promise<Finding> {
  const { out } = await wok(['doctor', '--quick', '--json', '--data', directory]);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return findings.find(({ name }) => name === 'proxy')!;
}

describe('the operator is told of such a proxy', () => {
  it('by the log once, by wok status, by wok doctor and on /admin, until it is put right', async () => {
    const relay = await startRelay(SETTINGS);
    const control = await Control.connect(relay.directory);
    const status = () => control.ask<Status>('status');
    const warnings = () => relay.logged.filter((line) => line.includes('reverse proxy'));
    try {
      await visit(relay);
      await visit(relay, { Host: 'relay.example', ...FORWARDED });
      expect(await status()).toMatchObject({ proxies: [], proxyAdvice: null });
      expect((await proxyFinding(relay)).severity).toBe('ok');
      expect((await wok(['status', '--data', relay.directory])).out).not.toContain('proxy ');

      await visit(relay, { Host: 'relay.example' });
      await until(async () => (await status()).proxies.length === 1, 'the proxy');
      await visit(relay, { Host: 'Relay.Example:443' });
      await until(async () => (await status()).proxies[0]!.count === 2, 'the second client');
      const { proxies, proxyAdvice: advice } = await status();
      expect(proxies[0]).toMatchObject({
        proxy: '127.0.0.1',
        fault: 'missing',
        sign: 'Host relay.example',
      });
      expect(advice).toContain('127.0.0.1 sends no X-Forwarded-For');
      const line = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; in nginx';
      expect(advice).toContain(line);
      expect(warnings()).toHaveLength(1);
      expect(warnings()[0]).toContain(line);

      const told = await wok(['status', '--data', relay.directory]);
      expect(told.out).toContain(`proxy          ${advice}`);
      const finding = await proxyFinding(relay);
      expect(finding).toMatchObject({ area: 'configuration', severity: 'warn' });
      expect(finding.text).toContain('recognised by Host relay.example, 2 times');
      for (const server of ['nginx', 'HAProxy', 'Apache', 'Caddy']) {
        expect(finding.advice).toContain(server);
      }
      const page = await AdminPage.open(relay.httpUrl, adminKey);
      expect((await page.ask('dashboard')).proxyAdvice).toBe(advice);

      // From now on another header is read, by a reload.
      const settings = { ...SETTINGS, 'io.client_address_header': 'x-real-ip' };
      await relay.relay.reload(testConfig(relay.directory, settings));
      expect(await status()).toMatchObject({ proxies: [], proxyAdvice: null });
      const before = counted(relay);
      await visit(relay, { Host: 'relay.example', 'X-Real-IP': '203.0.113.7' });
      expect(counted(relay)).toEqual(before);
    } finally {
      control.socket.destroy();
      await relay.stop();
    }
  });

  it('again after an hour, when it goes on; after an hour without, no more', () => {
    let seconds = 1_000_000;
    const lines: string[] = [];
    const config = testConfig(freshDirectory());
    const log = { debug() {}, info() {}, warn: (text: string) => lines.push(text), error() {} };
    const clock = { seconds: () => seconds, milliseconds: () => 0 };
    const room = new Proxies({ config, log: log as never, clock });
    const seen: SeenProxy = { proxy: '127.0.0.1', fault: 'missing', sign: 'Via', count: 1 };
    for (let minute = 0; minute < 60; minute++) {
      room.take({ proxies: [seen] });
      seconds += 60;
    }
    expect(lines).toHaveLength(1);
    room.take({ proxies: [seen] });
    expect(lines).toHaveLength(2);
    expect(room.seen).toMatchObject([{ count: 61 }]);
    seconds += 3601;
    expect(room.seen).toEqual([]);
    expect(room.advice).toBe(null);
    for (let n = 0; n < 40; n++) room.take({ proxies: [{ ...seen, proxy: `10.0.0.${n}` }] });
    expect(room.seen).toHaveLength(16);
  });
});

describe.skipIf(noBrowser)(`the overview of /admin ${inBrowser}`, () => {
  const browser = useBrowser();
  const admin = new Author();

  it('shows what to write into the proxy', async () => {
    const relay = await startRelay({ 'admin.pubkeys': [admin.pubkey] });
    try {
      await visit(relay, { 'X-Forwarded-Proto': 'https' });
      const page = await browser.open();
      await logIn(page, relay.httpUrl, admin, '#/overview');
      const notice = page.locator('.notice').filter({ hasText: 'Proxy configuration' });
      await notice.getByText('recognised by X-Forwarded-Proto').waitFor();
      await notice.getByText('proxy_set_header X-Forwarded-For').waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
    } finally {
      await relay.stop();
    }
  });
});

describe('what is advised', () => {
  const config = (header: string) =>
    testConfig(freshDirectory(), { 'io.client_address_header': header });
  const seen: SeenProxy[] = [{ proxy: '::1', fault: 'malformed', sign: 'Via', count: 1 }];

  it('names the header that is read', () => {
    const advice = proxyAdvice(config('x-real-ip'), seen);
    expect(advice).toContain('::1 sends a X-Real-Ip that does not end with an address');
    expect(advice).toContain('proxy_set_header X-Real-Ip $remote_addr; in nginx');
    expect(advice).toContain('client_address_header = "x-forwarded-for"');
    expect(proxyAdvice(config('x-forwarded-for'), seen)).toContain('option forwardfor');
    expect(proxyAdvice(config('x-forwarded-for'), [])).toBe(null);
  });

  it('is a finding of the doctor', () => {
    expect(examineProxies(config('x-forwarded-for'), [])[0]!.severity).toBe('ok');
    const [finding] = examineProxies(config('x-forwarded-for'), seen);
    expect(finding).toMatchObject({ severity: 'warn', name: 'proxy' });
    expect(finding!.advice).toMatch(/^Write proxy_set_header X-Forwarded-For .*\.$/);
  });
});

describe('a Host header that no direct client sends', () => {
  it.each<[string, number, boolean, string | null]>([
    ['relay.example', 7777, false, 'relay.example'],
    ['Relay.Example.:443', 7777, false, 'relay.example'],
    ['relay.example:80', 7777, false, 'relay.example'],
    ['relay.example:7777', 7777, false, null],
    ['relay.example', 80, false, null],
    ['relay.example', 443, true, null],
    ['relay.example', 8443, true, 'relay.example'],
    ['relay.example:8443', 8443, true, null],
    ['wok', 7777, false, 'wok'],
    ['192.0.2.7', 7777, false, '192.0.2.7'],
    ['[2001:db8::1]', 7777, false, '[2001:db8::1]'],
    ['[::1]:80', 7777, false, null],
    ['localhost', 7777, false, null],
    ['a.b.localhost:80', 7777, false, null],
    ['', 7777, false, null],
    ['no host', 7777, false, null],
    ['a@relay.example', 7777, false, null],
    [`${'a'.repeat(300)}.example`, 7777, false, null],
  ])('%s at port %i (TLS: %s): %s', (header, port, encrypted, expected) => {
    expect(foreignHost(header, { port, encrypted })).toBe(expected);
  });
});

/** Port of the real proxies, each on an address of its own. */
const PROXY_PORT = 18_080;

/** Returns true if a program is there. */
const has = (name: string, flag: string) =>
  spawnSync(name, [flag], { stdio: 'ignore' }).status === 0;

describe('a real proxy', () => {
  it.skipIf(!has('nginx', '-v'))('nginx is told of until it sends the header', async () => {
    const relay = await startRelay(SETTINGS);
    const host = ownAddress();
    const directory = freshDirectory();
    const conf = join(directory, 'nginx.conf');
    const through = async (lines: string) => {
      for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) {
        mkdirSync(join(directory, name), { recursive: true });
      }
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${directory}/${name.replace('client_', '')};`)
        .join(' ');
      const location = `location / { proxy_pass ${relay.httpUrl}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; ${lines} }`;
      writeFileSync(
        conf,
        `daemon on; pid ${directory}/pid; error_log ${directory}/error.log; events {}\nhttp { access_log off; ${paths} server { listen ${host}:${PROXY_PORT}; ${location} } }\n`,
      );
      execFileSync('nginx', ['-c', conf, '-p', directory], { stdio: 'ignore' });
      const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
      try {
        const url = `ws://${host}:${PROXY_PORT}`;
        const client = await Client.connect(url, { headers: { Host: 'relay.example' } });
        expect((await client.publish(new Author().event()))[2]).toBe(true);
        await client.close();
      } finally {
        process.kill(pid);
        await until(() => !existsSync(join(directory, 'pid')), 'the end of nginx');
      }
    };
    try {
      const set = (name: string, value: string) => `proxy_set_header ${name} ${value};`;
      await through(set('Host', '$host'));
      expect(counted(relay)).toEqual({ ...NONE, missing: 1 });
      await through(set('X-Forwarded-Proto', '$scheme'));
      expect(counted(relay)).toEqual({ ...NONE, missing: 2 });
      const [advised] = /proxy_set_header X-Forwarded-For [^;]*;/.exec(
        proxyAdvice(testConfig(directory), [
          { proxy: '127.0.0.1', fault: 'missing', sign: 'Via', count: 1 },
        ])!,
      )!;
      await through(`${set('Host', '$host')} ${advised}`);
      expect(counted(relay)).toEqual({ ...NONE, missing: 2 });
    } finally {
      await relay.stop();
    }
  });
});

describe('a real proxy: Caddy', () => {
  it.skipIf(!has('caddy', 'version'))(
    'Caddy is told of only where it hides addresses',
    async () => {
      const relay = await startRelay(SETTINGS);
      const host = ownAddress();
      const through = async (lines: string) => {
        const directory = freshDirectory();
        const file = join(directory, 'Caddyfile');
        writeFileSync(
          file,
          `{\nadmin off\n}\nhttp://relay.example:${PROXY_PORT} {\nbind ${host}\nreverse_proxy 127.0.0.1:${relay.relay.port} {\n${lines}\n}\n}\n`,
        );
        const caddy = spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
          stdio: 'ignore',
          env: { ...process.env, HOME: directory },
        });
        const ended = new Promise((resolve) => caddy.once('exit', resolve));
        try {
          const url = `ws://${host}:${PROXY_PORT}`;
          const headers = { Host: `relay.example:${PROXY_PORT}` };
          let client: Client | null = null;
          await until(async () => {
            client = await Client.connect(url, { headers }).catch(() => null);
            return client !== null;
          }, 'Caddy');
          await client!.sync();
          await client!.close();
        } finally {
          caddy.kill();
          await ended;
        }
      };
      try {
        await through('');
        expect(counted(relay)).toEqual(NONE);
        await through('header_up -X-Forwarded-For');
        expect(counted(relay)).toEqual({ ...NONE, missing: 1 });
      } finally {
        await relay.stop();
      }
    },
  );
});
