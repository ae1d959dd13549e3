// Logins and sessions of the page /admin, and the answers to pages of other origins, by a real HTTP
// client against in-process relays.

import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/options.ts';
import { AdminPage, type Answered, ask, type Draft, nip98 } from '../support/admin-page.ts';
import { now } from '../support/author.ts';
import { inTime } from '../support/pace.ts';
import { delay, until } from '../support/process.ts';
import {
  freshDirectory,
  type Settings,
  startRelay,
  type TestRelay,
  testConfig,
} from '../support/relay.ts';

const [adminKey, moderatorKey, strangerKey] = [1, 2, 3].map(() => generateSecretKey()) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const SETTINGS: Settings = {
  'admin.pubkeys': [getPublicKey(adminKey)],
  'admin.moderators': [getPublicKey(moderatorKey)],
};
let relay: TestRelay;

beforeAll(async () => {
  relay = await startRelay(SETTINGS);
});
afterAll(() => relay.stop());

/** Reloads a relay with these settings on top of its own. */
function reconfigure(settings: Settings, on = relay): Promise<unknown> {
  const config: Config = testConfig(on.directory, { ...SETTINGS, ...settings });
  return on.relay.reload(config);
}

function cookieOf({ headers }: Answered): string {
  return headers['set-cookie']![0]!;
}

/** Expects no header by which a browser would show an answer to another origin. */
function expectNoCors({ headers }: Answered): void {
  const named = Object.keys(headers).filter((name) => name.startsWith('access-control-'));
  expect(named).toEqual([]);
}

describe('a login', () => {
  it('gives a session, with a cookie for this site only and out of reach of scripts', async () => {
    const page = new AdminPage(relay.httpUrl);
    const answer = await page.login(adminKey);
    expect(answer.status).toBe(200);
    expect(cookieOf(answer)).toMatch(
      /^wok-admin-\d+=[\w-]{43}; Path=\/admin; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.headers['cache-control']).toBe('no-store');
    expectNoCors(answer);
    const session = await page.session();
    expect(session).toMatchObject({
      pubkey: getPublicKey(adminKey),
      role: 'admin',
      encrypted: false,
      idleSeconds: 3600,
      relay: { name: 'wok relay' },
    });
    expect(session.endsAt).toBeGreaterThan(now() + 43_000);
    expect(session.methods).toContain('reload');
    expect(answer.body.result).toEqual(session);
    expect(answer.text).not.toContain(page.cookie.split('=')[1]);
  });

  it('tells a moderator the role and its RPC methods', async () => {
    const page = await AdminPage.open(relay.httpUrl, moderatorKey);
    const { role, methods } = await page.session();
    expect(role).toBe('moderator');
    expect(methods).toContain('mod.queue');
    expect(methods).not.toContain('reload');
  });

  it('is valid once', async () => {
    const page = new AdminPage(relay.httpUrl);
    const header = nip98(adminKey, `${relay.httpUrl}/admin/login`, '{}');
    expect((await page.loginBy(header)).status).toBe(200);
    const again = await new AdminPage(relay.httpUrl).loginBy(header);
    expect(again).toMatchObject({ status: 401 });
    expect(again.body.error!.message).toContain('used before');
  });

  it('ends the session that the browser had before', async () => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    const former = new AdminPage(relay.httpUrl);
    former.cookie = page.cookie;
    await page.login(adminKey);
    expect(page.cookie).not.toBe(former.cookie);
    expect((await former.answer('session')).status).toBe(401);
    expect((await page.answer('session')).status).toBe(200);
  });

  it('is in the audit log with its key', async () => {
    const page = await AdminPage.open(relay.httpUrl, moderatorKey);
    const rows = await page.ask('mod.audit', { by: getPublicKey(moderatorKey), limit: 1 });
    expect(rows).toMatchObject([{ action: 'log in', by: getPublicKey(moderatorKey) }]);
  });
});

describe('a wrong login', () => {
  it.each<[string, Draft]>([
    ['another kind', { kind: 22_242 }],
    ['a time long ago', { created_at: now() - 300 }],
    ['a time far ahead', { created_at: now() + 300 }],
    ['the address of another relay', { u: 'https://other.example/admin/login' }],
    ['the address of the relay alone', { u: 'http://127.0.0.1/' }],
    ['another port of the same machine', { u: 'http://127.0.0.1:1/admin/login' }],
    ['no address', { u: 'admin/login' }],
    ['another method', { method: 'GET' }],
    ['another body', { payload: '0'.repeat(64) }],
    ['no body', { payload: null }],
    ['another scheme', { tamper: (header) => header.replace('Nostr', 'Basic') }],
    ['no event', { tamper: () => `Nostr ${Buffer.from('{}').toString('base64')}` }],
  ])('is refused with %s', async (_, draft) => {
    // From an address at random, so that failures of other cases do not count for it.
    const page = new AdminPage(relay.httpUrl);
    page.headers = { 'X-Forwarded-For': `198.51.100.${1 + Math.floor(Math.random() * 250)}` };
    const answer = await page.login(adminKey, draft);
    expect(answer).toMatchObject({ status: 401, body: { error: { kind: 'unauthenticated' } } });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expectNoCors(answer);
  });

  it('is refused for the NIP-86 address, with a forged signature, and of an unknown key', async () => {
    const page = new AdminPage(relay.httpUrl);
    page.headers = { 'X-Forwarded-For': '198.51.100.253' };
    expect((await page.login(adminKey, { u: `${relay.httpUrl}/` })).status).toBe(401);
    const forged = nip98(strangerKey, `${relay.httpUrl}/admin/login`, '{}').slice('Nostr '.length);
    const event = JSON.parse(Buffer.from(forged, 'base64').toString());
    const claimed = { ...event, pubkey: getPublicKey(adminKey) };
    const header = `Nostr ${Buffer.from(JSON.stringify(claimed)).toString('base64')}`;
    expect((await page.loginBy(header)).status).toBe(401);
    expect((await page.login(strangerKey)).body.error!.message).toContain('may not manage');
    expect((await page.loginBy('')).status).toBe(401);
  });

  it('is answered with 429 after too many from one address, where a valid one is still accepted', async () => {
    const page = new AdminPage(relay.httpUrl);
    page.headers = { 'X-Forwarded-For': '203.0.113.9' };
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await page.login(strangerKey)).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    const late = await page.login(strangerKey);
    expect(late.body.error).toMatchObject({ kind: 'too_many' });
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(late.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect((await page.login(adminKey)).status).toBe(200);
    // Other addresses do not have to wait for it.
    const other = new AdminPage(relay.httpUrl);
    other.headers = { 'X-Forwarded-For': '203.0.113.10' };
    expect((await other.login(strangerKey)).status).toBe(401);
  });

  it('is logged without key and address', async () => {
    const page = new AdminPage(relay.httpUrl);
    page.headers = { 'X-Forwarded-For': '203.0.113.77' };
    const before = relay.said.length;
    await page.login(strangerKey);
    const failed = () => relay.said.slice(before).find((line) => line.includes('login to /admin'));
    await until(() => failed() !== undefined, 'the line');
    expect(failed()).toContain('may not manage the relay');
    expect(failed()).not.toContain(getPublicKey(strangerKey));
    expect(failed()).not.toContain('203.0.113.77');
  });
});

describe('a session', () => {
  it('ends with a logout, for all holders of its cookie', async () => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    const answer = await page.logout();
    expect(answer).toMatchObject({ status: 200, body: { result: true } });
    expect(cookieOf(answer)).toMatch(/^wok-admin-\d+=; .*Max-Age=0/);
    expect((await page.answer('session')).body.error!.kind).toBe('unauthenticated');
  });

  it('needs its own cookie, whole', async () => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    const [name, token] = page.cookie.split('=') as [string, string];
    for (const cookie of [
      '',
      `${name}=`,
      `${name}=${token.slice(1)}`,
      `${name}=${token}x`,
      `other=${token}`,
      `__Secure-${name}=${token}`,
    ]) {
      page.cookie = cookie;
      expect((await page.answer('session')).status, cookie).toBe(401);
    }
    page.cookie = `a=b; ${name}=${token}; c=d`;
    expect((await page.answer('session')).status).toBe(200);
  });
});

describe('the end of a session', () => {
  it('comes after its time, and after its idle time', () =>
    inTime(async (scale, within) => {
      const own = await startRelay(SETTINGS);
      try {
        const used = await AdminPage.open(own.httpUrl, adminKey);
        const left = await AdminPage.open(own.httpUrl, adminKey);
        await delay(5_000 * scale);
        // The idle time is counted in whole seconds.
        const done = within(2_000 * scale);
        expect((await used.answer('session')).status).toBe(200);
        await reconfigure({ 'admin.session_idle_seconds': 3 * scale }, own);
        expect((await left.answer('session')).status).toBe(401);
        expect((await used.answer('session')).status).toBe(200);
        done();
        // The present setting counts, not the end that was promised at the login.
        await reconfigure({ 'admin.session_seconds': 5 * scale }, own);
        expect((await used.answer('session')).status).toBe(401);
        const late = await AdminPage.open(own.httpUrl, adminKey);
        const isNew = within(4_000 * scale);
        expect(await late.session()).toMatchObject({ idleSeconds: 3600 });
        isNew();
      } finally {
        await own.stop();
      }
    }));

  it('comes at once when the key is no admin any more; a changed role applies at once', async () => {
    const own = await startRelay(SETTINGS);
    try {
      const page = await AdminPage.open(own.httpUrl, adminKey);
      await reconfigure({ 'admin.pubkeys': [], 'admin.moderators': [getPublicKey(adminKey)] }, own);
      expect(await page.session()).toMatchObject({ role: 'moderator' });
      expect((await page.answer('slow')).status).toBe(403);
      await reconfigure({ 'admin.pubkeys': [], 'admin.moderators': [] }, own);
      expect((await page.answer('session')).status).toBe(401);
      // The session does not come back with the role.
      await reconfigure({}, own);
      expect((await page.answer('session')).status).toBe(401);
    } finally {
      await own.stop();
    }
  });

  it('comes for the least recently used session above the bound', async () => {
    const own = await startRelay({ ...SETTINGS, 'admin.sessions_max': 10 });
    try {
      const first = await AdminPage.open(own.httpUrl, adminKey);
      const second = await AdminPage.open(own.httpUrl, adminKey);
      await first.session();
      // Two sessions for a key, of ten in all.
      const third = await AdminPage.open(own.httpUrl, adminKey);
      const other = await AdminPage.open(own.httpUrl, moderatorKey);
      expect((await second.answer('session')).status).toBe(401);
      for (const page of [first, third, other]) {
        expect((await page.answer('session')).status).toBe(200);
      }
    } finally {
      await own.stop();
    }
  });

  it('comes when the admin worker dies', async () => {
    const own = await startRelay(SETTINGS);
    try {
      const page = await AdminPage.open(own.httpUrl, adminKey);
      await own.relay.kill('admin', 0);
      await until(async () => (await page.answer('session')).status === 401, 'the end');
    } finally {
      await own.stop();
    }
  });
});

describe('a page of another origin', () => {
  const evil = 'https://evil.example';

  it.each<[string, Record<string, string>, number]>([
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
    ['a form as text', { 'Content-Type': 'text/plain' }, 415],
    ['an upload', { 'Content-Type': 'multipart/form-data; boundary=x' }, 415],
    ['no type at all', {}, 415],
    ['JSON with its origin', { 'Content-Type': 'application/json', Origin: evil }, 403],
    ['JSON from nowhere', { 'Content-Type': 'application/json', Origin: 'null' }, 403],
    [
      'what a browser says of it',
      { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'cross-site' },
      403,
    ],
    [
      'the same site and another port',
      { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-site' },
      403,
    ],
    [
      'the same host and another port',
      { 'Content-Type': 'application/json', Origin: 'http://127.0.0.1:1' },
      403,
    ],
  ])('gets nothing with %s, cookie or not', async (_, headers, status) => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    for (const path of ['api', 'login', 'logout']) {
      const body = path === 'api' ? JSON.stringify({ method: 'session' }) : '{}';
      const authorization = nip98(adminKey, `${relay.httpUrl}/admin/${path}`, body);
      const all = { ...headers, Cookie: page.cookie, Authorization: authorization };
      const answer = await ask(`${relay.httpUrl}/admin/${path}`, body, all);
      expect(answer.status).toBe(status);
      expect(answer.body.result).toBeUndefined();
      expect(answer.headers['set-cookie']).toBeUndefined();
      expectNoCors(answer);
    }
    // None of these requests has ended the session.
    expect((await page.answer('session')).status).toBe(200);
  });

  it('gets no permission by a preflight, and nothing by GET', async () => {
    for (const path of ['api', 'login', 'logout']) {
      for (const method of ['OPTIONS', 'GET', 'HEAD', 'PUT', 'DELETE']) {
        const headers = {
          Origin: evil,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'content-type',
        };
        const answer = await ask(`${relay.httpUrl}/admin/${path}`, '', headers, method);
        expect(answer.status, `${method} ${path}`).toBe(405);
        expectNoCors(answer);
      }
    }
  });

  it('is not the page itself, which browsers mark as such', async () => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    for (const headers of [
      { Origin: relay.httpUrl, 'Sec-Fetch-Site': 'same-origin' },
      { Origin: relay.httpUrl },
      { 'Sec-Fetch-Site': 'same-origin' },
    ]) {
      page.headers = headers as Record<string, string>;
      expect((await page.answer('session')).status).toBe(200);
    }
  });
});

describe('behind a proxy', () => {
  it('the cookie is for https alone, as soon as the browser speaks it', async () => {
    const directory = freshDirectory();
    const own = await startRelay(
      { ...SETTINGS, 'identity.urls': ['wss://relay.example'] },
      directory,
    );
    try {
      const u = 'https://relay.example/admin/login';
      for (const headers of [
        { Host: 'relay.example', 'X-Forwarded-Proto': 'https' },
        { Host: 'relay.example', Origin: 'https://relay.example' },
        // From a proxy that passes no header on.
        { Origin: 'https://relay.example', 'Sec-Fetch-Site': 'same-origin' },
      ]) {
        const page = new AdminPage(own.httpUrl);
        page.headers = { 'X-Forwarded-For': '203.0.113.4', ...headers } as Record<string, string>;
        const answer = await page.login(adminKey, { u });
        expect(answer.status, answer.text).toBe(200);
        expect(cookieOf(answer)).toMatch(/^__Secure-wok-admin(-\d+)?=.*; Secure$/);
        expect(await page.session()).toMatchObject({ encrypted: true });
      }
    } finally {
      await own.stop();
    }
  });

  it('a page that came unencrypted is not the one that came by https', async () => {
    const own = await startRelay({ ...SETTINGS, 'identity.urls': ['wss://relay.example'] });
    try {
      const body = '{"method":"session"}';
      const statusOf = async (headers: Record<string, string>) => {
        const all = { 'Content-Type': 'application/json', Host: 'relay.example', ...headers };
        return (await ask(`${own.httpUrl}/admin/api`, body, all)).status;
      };
      // 401: the page is the relay's own, but there is no session.
      expect(await statusOf({ Origin: 'https://relay.example' })).toBe(401);
      expect(await statusOf({ Origin: 'http://relay.example' })).toBe(403);
      const proto = { 'X-Forwarded-Proto': 'https' };
      expect(await statusOf({ ...proto, Origin: 'https://relay.example' })).toBe(401);
      const local = { ...proto, Host: '127.0.0.1:7777' };
      expect(await statusOf({ ...local, Origin: 'http://127.0.0.1:7777' })).toBe(403);
      expect(await statusOf({ Host: '127.0.0.1:7777', Origin: 'http://127.0.0.1:7777' })).toBe(401);
    } finally {
      await own.stop();
    }
  });

  it('identity.urls count, except for connections from this machine', async () => {
    const own = await startRelay({ ...SETTINGS, 'identity.urls': ['wss://relay.example'] });
    try {
      const page = new AdminPage(own.httpUrl);
      expect((await page.login(adminKey)).status).toBe(200);
      page.headers = { 'X-Forwarded-For': '203.0.113.4' };
      expect((await page.login(adminKey)).status).toBe(401);
      page.headers = { Host: 'other.example' };
      expect((await page.login(adminKey, { u: 'http://other.example/admin/login' })).status).toBe(
        401,
      );
    } finally {
      await own.stop();
    }
  });
});

describe('requests', () => {
  it.each<[string, string, number, string]>([
    ['no JSON', '{', 400, 'usage'],
    ['an array', '[]', 400, 'usage'],
    ['null', 'null', 400, 'usage'],
    ['no method', '{"params":{}}', 400, 'usage'],
    ['a number for a method', '{"method":7}', 400, 'usage'],
    ['an unknown method', '{"method":"dashbord"}', 404, 'unknown'],
    ['a method of the control socket', '{"method":"restart"}', 404, 'unknown'],
    ['a name of every object', '{"method":"__proto__"}', 404, 'unknown'],
    ['parameters that are none', '{"method":"slow","params":[]}', 400, 'usage'],
    ['too much', `{"method":"${'x'.repeat(70_000)}"}`, 413, 'too_large'],
  ])('with %s are answered with a sentence', async (_, body, status, kind) => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    const headers = { 'Content-Type': 'application/json', Cookie: page.cookie };
    const answer = await ask(`${relay.httpUrl}/admin/api`, body, headers);
    expect(answer).toMatchObject({ status, body: { error: { kind } } });
    expect(answer.body.error!.message).toMatch(/^[A-Z"a-z].*\.|✖/s);
    expectNoCors(answer);
  });

  it('that are too many at once are refused, and the others answered', async () => {
    const own = await startRelay({ ...SETTINGS, 'admin.requests_max': 4 });
    try {
      const page = await AdminPage.open(own.httpUrl, adminKey);
      const answers = await Promise.all(Array.from({ length: 40 }, () => page.answer('session')));
      const counts = new Map<number, number>();
      for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
      expect([...counts.keys()].every((status) => status === 200 || status === 503)).toBe(true);
      expect(counts.get(200)).toBeGreaterThan(0);
      expect((await page.answer('session')).status).toBe(200);
    } finally {
      await own.stop();
    }
  });

  it('that take longer than io waits continue, and the answer says so', async () => {
    const own = await startRelay({ ...SETTINGS, 'io.handshake_seconds': 2 });
    try {
      let fail: (error: Error) => void = () => {};
      own.relay.onOrder = () =>
        new Promise((_, reject) => {
          fail = reject;
        });
      const page = await AdminPage.open(own.httpUrl, adminKey);
      const start = performance.now();
      const answer = await page.answer('reload');
      expect(answer).toMatchObject({ status: 202, body: { error: { kind: 'under_way' } } });
      expect(performance.now() - start).toBeGreaterThan(1_300);
      fail(new Error('the file has gone'));
      const told = () => own.logged.some((line) => line.includes('the file has gone'));
      await until(told, 'the records of the event');
      expect((await page.answer('session')).status).toBe(200);
    } finally {
      await own.stop();
    }
  });

  it('find nothing where the page is switched off', async () => {
    const own = await startRelay({ ...SETTINGS, 'pages.admin': false });
    try {
      expect((await new AdminPage(own.httpUrl).login(adminKey)).status).toBe(404);
    } finally {
      await own.stop();
    }
  });
});
