// The relay management API (NIP-86) with its authorization (NIP-98), by a real HTTP client against
// an in-process relay; HttpAuth as a unit.

import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { nip19 } from 'nostr-tools';
import { getToken } from 'nostr-tools/nip98';
import { finalizeEvent, generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpAuth } from '../../src/admin/http-auth.ts';
import { nip86Methods } from '../../src/admin/nip86-methods.ts';
import type { AuditRow } from '../../src/web/api/moderation.ts';
import { accepted, idsOf, refused } from '../support/answers.ts';
import { Author, now } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { Control } from '../support/control.ts';
import { http } from '../support/http.ts';
import { until } from '../support/process.ts';
import { startRelay, type TestRelay } from '../support/relay.ts';

const RPC = 'application/nostr+json+rpc';
const INFORMATION = { Accept: 'application/nostr+json' };

interface Answer {
  status: number;
  body: { result?: unknown; error?: string };
  headers: Headers;
}

/** Deliberate fault of an authorization. */
interface Wrong {
  kind?: number;
  created_at?: number;
  /** Null leaves the tag out. */
  u?: string | null;
  method?: string | null;
  payload?: string | null;
  tamper?: (header: string) => string;
}

const [adminKey, moderatorKey, strangerKey] = [1, 2, 3].map(() => generateSecretKey());
let relay: TestRelay;
let client: Client;
let control: Control;

/** Sends a body with this Authorization header. */
async function post(body: string, authorization: string | null): Promise<Answer> {
  const answer = await fetch(relay.httpUrl, {
    method: 'POST',
    headers: {
      'Content-Type': RPC,
      ...(authorization !== null && { Authorization: authorization }),
    },
    body,
  });
  const text = await answer.text();
  return {
    status: answer.status,
    body: JSON.parse(text) as Answer['body'],
    headers: answer.headers,
  };
}

let authorizations = 0;

function authorization(key: Uint8Array, body: string, wrong: Wrong = {}): string {
  const payload = wrong.payload ?? createHash('sha256').update(body).digest('hex');
  const event = finalizeEvent(
    {
      kind: wrong.kind ?? 27_235,
      created_at: wrong.created_at ?? now(),
      content: '',
      tags: [
        ...(wrong.u === null ? [] : [['u', wrong.u ?? relay.url]]),
        ...(wrong.method === null ? [] : [['method', wrong.method ?? 'POST']]),
        ...(wrong.payload === null ? [] : [['payload', payload]]),
        ['n', `${++authorizations}`],
      ],
    },
    key,
  );
  const header = `Nostr ${Buffer.from(JSON.stringify(event)).toString('base64')}`;
  return wrong.tamper?.(header) ?? header;
}

async function call(method: string, params: unknown[] = [], key = adminKey!): Promise<Answer> {
  const body = JSON.stringify({ method, params });
  return post(body, authorization(key, body));
}

/** Returns the result of a call that has to succeed. */
async function result(method: string, params: unknown[] = [], key = adminKey!): Promise<unknown> {
  const answer = await call(method, params, key);
  expect(answer).toMatchObject({ status: 200 });
  expect(answer.body.error).toBeUndefined();
  return answer.body.result;
}

beforeAll(async () => {
  relay = await startRelay({
    'admin.pubkeys': [getPublicKey(adminKey!)],
    'admin.moderators': [getPublicKey(moderatorKey!)],
    'info.name': 'as configured',
    'ingester.workers': 2,
  });
  control = await Control.connect(relay.directory);
});
beforeEach(async () => {
  client = await Client.connect(relay.url);
  return () => client.socket.terminate();
});
afterAll(async () => {
  control.socket.destroy();
  await relay.stop();
});

describe('authorization (NIP-98)', () => {
  it('is accepted as nostr-tools makes it', async () => {
    const body = { method: 'supportedmethods', params: [] };
    const url = `${relay.httpUrl}/`;
    const sign = (draft: Parameters<typeof finalizeEvent>[0]) => finalizeEvent(draft, adminKey!);
    const token = await getToken(url, 'POST', sign, true, body);
    expect(await post(JSON.stringify(body), token)).toMatchObject({ status: 200 });
  });

  it('is for the configured address, whatever the client calls it', async () => {
    const named = await startRelay({
      'admin.pubkeys': [getPublicKey(adminKey!)],
      'identity.urls': ['wss://relay.example'],
    });
    const body = JSON.stringify({ method: 'supportedmethods', params: [] });
    const asked = async (u: string) => {
      const headers = { 'Content-Type': RPC, Authorization: authorization(adminKey!, body, { u }) };
      return (await fetch(named.httpUrl, { method: 'POST', headers, body })).status;
    };
    expect(await asked('wss://relay.example')).toBe(200);
    expect(await asked('https://Relay.Example:443/')).toBe(200);
    expect(await asked(named.url)).toBe(401);
    await named.stop();
  });
});

describe('a wrong authorization', () => {
  it.each<[string, Wrong]>([
    ['another kind', { kind: 22_242 }],
    ['a time long ago', { created_at: now() - 300 }],
    ['a time far ahead', { created_at: now() + 300 }],
    ['another relay', { u: 'wss://other.example' }],
    ['another path', { u: 'ws://127.0.0.1/x' }],
    ['another method', { method: 'GET' }],
    ['another body', { payload: '0'.repeat(64) }],
    ['no body', { payload: null }],
    ['another scheme', { tamper: (header) => header.replace('Nostr', 'Basic') }],
    ['no base64', { tamper: () => 'Nostr {}' }],
    ['no event', { tamper: () => `Nostr ${Buffer.from('{}').toString('base64')}` }],
    ['a long header', { tamper: () => `Nostr ${'A'.repeat(20_000)}` }],
  ])('is refused with %s', async (_, wrong) => {
    const body = JSON.stringify({ method: 'supportedmethods', params: [] });
    const answer = await post(body, authorization(adminKey!, body, wrong)).catch((error) => error);
    // uWebSockets.js itself cuts off a header of that length.
    if (answer instanceof Error) expect(wrong.tamper?.('')).toHaveLength(20_006);
    else {
      expect(answer.status).toBeGreaterThanOrEqual(401);
      expect(answer.status).not.toBe(200);
    }
  });

  it('is refused if missing, with a forged signature, and of an unknown key', async () => {
    const body = JSON.stringify({ method: 'supportedmethods', params: [] });
    expect(await post(body, null)).toMatchObject({
      status: 401,
      body: { error: expect.any(String) },
    });
    const forged = authorization(strangerKey!, body, {
      tamper: (header) => {
        const event = JSON.parse(Buffer.from(header.slice(6), 'base64').toString()) as object;
        const text = JSON.stringify({ ...event, pubkey: getPublicKey(adminKey!) });
        return `Nostr ${Buffer.from(text).toString('base64')}`;
      },
    });
    expect(await post(body, forged)).toMatchObject({ status: 401 });
    const damaged = authorization(adminKey!, body, {
      tamper: (header) => {
        const event = JSON.parse(Buffer.from(header.slice(6), 'base64').toString()) as {
          sig: string;
        };
        const sig = event.sig.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
        return `Nostr ${Buffer.from(JSON.stringify({ ...event, sig })).toString('base64')}`;
      },
    });
    expect(await post(body, damaged)).toMatchObject({ status: 401 });
    expect(await call('supportedmethods', [], strangerKey)).toMatchObject({ status: 401 });
  });

  it.each<[string, Wrong, string]>([
    ['no payload', { payload: null }, 'the payload tag is missing'],
    ['another payload', { payload: '0'.repeat(64) }, 'the payload tag is not the SHA-256'],
    ['no u', { u: null }, 'the u tag is missing'],
    ['another u', { u: 'wss://other.example' }, 'the u tag names an address'],
    ['another path', { u: 'ws://127.0.0.1/x' }, 'the u tag is not the address of this request'],
    ['no method', { method: null }, 'the method tag is missing'],
    ['another method', { method: 'GET' }, 'the method tag must be POST'],
  ])('is answered with its fault: %s', async (_, wrong, why) => {
    const body = JSON.stringify({ method: 'supportedmethods', params: [] });
    const answer = await post(body, authorization(adminKey!, body, wrong));
    expect(answer).toMatchObject({ status: 401, body: { error: expect.stringContaining(why) } });
  });
});

describe('an authorization that is sent again', () => {
  const READING = [
    'supportedmethods listbannedpubkeys listallowedpubkeys listeventsneedingmoderation',
    'listbannedevents listallowedkinds listblockedips',
  ].flatMap((line) => line.split(' '));
  const CHANGING = Object.keys(nip86Methods).filter((name) => !READING.includes(name));

  it.each(READING)('is valid for %s any number of times, which changes nothing', async (method) => {
    const body = JSON.stringify({ method, params: [] });
    const header = authorization(adminKey!, body);
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(body, header)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200 });
    expect(await post(body, header)).toMatchObject({ status: 200 });
  });

  it.each(CHANGING)('is valid for one %s, which changes something', async (method) => {
    // Without parameters the method itself refuses the call, and the authorization is spent all the
    // same.
    const body = JSON.stringify({ method, params: [] });
    const header = authorization(adminKey!, body);
    expect(await post(body, header)).toMatchObject({ status: 400 });
    expect(await post(body, header)).toMatchObject({
      status: 401,
      body: { error: 'the authorization was used before; sign a new one' },
    });
    expect(await post(body, authorization(adminKey!, body))).toMatchObject({ status: 400 });
  });

  it('is valid for one of several changes at once', async () => {
    const { pubkey } = new Author();
    const body = JSON.stringify({ method: 'allowpubkey', params: [pubkey] });
    const header = authorization(adminKey!, body);
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(body, header)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
    expect(await control.ask<AuditRow[]>('mod.audit', { subject: pubkey })).toHaveLength(1);
    await result('unallowpubkey', [pubkey]);
  });

  it('is not used up by what is refused before it changes anything', async () => {
    const strange = JSON.stringify({ method: 'banpubkeys', params: [] });
    const header = authorization(adminKey!, strange);
    for (let n = 0; n < 2; n++) expect(await post(strange, header)).toMatchObject({ status: 400 });
    const above = JSON.stringify({ method: 'blockip', params: ['192.0.2.1'] });
    const own = authorization(moderatorKey!, above);
    for (let n = 0; n < 2; n++) expect(await post(above, own)).toMatchObject({ status: 403 });
  });
});

describe('spent authorizations', () => {
  const spent = (window = { seconds: 60 }) =>
    new HttpAuth({
      signature: null as never,
      windowSeconds: () => window.seconds,
      notBefore: 0,
    });
  const one = (n: number, createdAt: number) => ({ pubkey: '', id: `${n}`, createdAt });

  it('are remembered while their time is not over, and are so many at most', () => {
    const auth = spent();
    for (let n = 0; n < 10_000; n++) expect(auth.spend(one(n, 1_000 + (n % 2)), 1_000)).toBeNull();
    expect(auth.spend(one(1, 1_001), 1_000)).toMatchObject({ retrySeconds: 0 });
    expect(auth.spend(one(10_000, 1_000), 1_000)).toEqual({
      why: 'too many requests; try again in 61 seconds',
      retrySeconds: 61,
    });
    expect(auth.spend(one(10_000, 1_060), 1_060)).toMatchObject({ retrySeconds: 1 });
    // Half of them have expired.
    for (let n = 10_000; n < 15_000; n++) expect(auth.spend(one(n, 1_061), 1_061)).toBeNull();
    expect(auth.spend(one(15_000, 1_061), 1_061)).toMatchObject({ retrySeconds: 1 });
    expect(auth.spend(one(1, 1_001), 1_061)).toMatchObject({ why: expect.stringMatching(/used/) });
  });

  it('stay spent when the window grows', () => {
    const window = { seconds: 60 };
    const auth = spent(window);
    expect(auth.spend(one(1, 1_000), 1_000)).toBeNull();
    expect(auth.spend(one(2, 1_100), 1_100)).toBeNull();
    window.seconds = 600;
    expect(auth.spend(one(1, 1_000), 1_101)).toMatchObject({ why: expect.stringMatching(/old/) });
    expect(auth.spend(one(3, 1_001), 1_101)).toBeNull();
  });
});

describe('a request', () => {
  it.each([
    ['no JSON', '{', 400],
    ['no method', '{"params":[]}', 400],
    ['null', 'null', 400],
    ['params that are no array', '{"method":"banpubkey","params":{"0":1}}', 400],
    ['an unknown method', '{"method":"banpubkeys","params":[]}', 400],
    ['a missing parameter', '{"method":"banpubkey","params":[]}', 400],
    ['a wrong parameter', '{"method":"banpubkey","params":["abc"]}', 400],
    ['a parameter of another type', '{"method":"allowkind","params":["1"]}', 400],
    ['__proto__', '{"method":"__proto__","params":[]}', 400],
  ])('with %s is refused', async (_, body, status) => {
    const answer = await post(body, authorization(adminKey!, body));
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(/\S/) } });
  });

  it('that is too long is refused, and one that never ends does not stay', async () => {
    const body = JSON.stringify({ method: 'supportedmethods', params: ['x'.repeat(70_000)] });
    expect(await post(body, authorization(adminKey!, body))).toMatchObject({ status: 413 });
    const slow = request(relay.httpUrl, {
      method: 'POST',
      headers: { 'Content-Type': RPC, 'Content-Length': '100' },
    });
    slow.on('error', () => {});
    slow.write('{');
    await new Promise((resolve) => slow.once('socket', resolve));
    slow.destroy();
    expect(await result('supportedmethods')).toContain('banpubkey');
  });

  it('of another content type is none', async () => {
    const answer = await fetch(relay.httpUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(404);
  });

  it('may come from a page in a browser', async () => {
    const headers = { Origin: 'https://admin.example', 'Access-Control-Request-Method': 'POST' };
    const preflight = await http(relay.httpUrl, headers, 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toContain('POST');
    expect(preflight.headers['access-control-allow-headers']).toContain('Authorization');
    const answer = await call('supportedmethods');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    const failed = await post('{', null);
    expect(failed.headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('methods', () => {
  const ALL = [
    'banpubkey unbanpubkey listbannedpubkeys allowpubkey unallowpubkey listallowedpubkeys',
    'createrole editrole deleterole assignrole unassignrole listeventsneedingmoderation allowevent',
    'banevent listbannedevents changerelayname changerelaydescription changerelayicon allowkind',
    'disallowkind listallowedkinds blockip unblockip listblockedips',
  ].flatMap((line) => line.split(' '));

  it('are listed, for moderators those that they may call', async () => {
    expect(await result('supportedmethods')).toEqual(ALL);
    const own = (await result('supportedmethods', [], moderatorKey)) as string[];
    expect(own).toContain('banpubkey');
    for (const name of ALL.filter((name) => !own.includes(name))) {
      expect(await call(name, ['x'], moderatorKey)).toMatchObject({ status: 403 });
    }
    expect(own).not.toContain('changerelayname');
  });

  it('ban, list and unban a public key, and remove what it wrote', async () => {
    const author = new Author();
    const event = author.event();
    await client.publish(event);
    expect(await result('banpubkey', [author.pubkey, 'spam'], moderatorKey)).toBe(true);
    expect(await result('listbannedpubkeys')).toContainEqual({
      pubkey: author.pubkey,
      reason: 'spam',
    });
    expect((await client.query({ authors: [author.pubkey] })).events).toEqual([]);
    const later = author.event({ created_at: now() + 5 });
    expect(await client.publish(later)).toEqual(refused(later, 'blocked'));
    expect(await result('unbanpubkey', [author.pubkey])).toBe(true);
    expect(await client.publish(later)).toEqual(accepted(later));
    expect(await client.publish(event)).toEqual(refused(event, 'blocked'));
    const rows = await control.ask<AuditRow[]>('mod.audit', { subject: author.pubkey });
    expect(rows.map(({ by, action }) => [by, action])).toEqual([
      [getPublicKey(adminKey!), 'unban pubkey'],
      [getPublicKey(moderatorKey!), 'remove author'],
      [getPublicKey(moderatorKey!), 'ban pubkey'],
    ]);
  });

  it('allow, list and unallow a public key', async () => {
    const { pubkey } = new Author();
    expect(await result('allowpubkey', [pubkey, 'friend'])).toBe(true);
    expect(await result('listallowedpubkeys')).toEqual([{ pubkey, reason: 'friend' }]);
    expect(await result('unallowpubkey', [pubkey])).toBe(true);
    expect(await result('listallowedpubkeys')).toEqual([]);
  });

  it('ban and allow an event', async () => {
    const author = new Author();
    const event = author.event();
    await client.publish(event);
    await result('banevent', [event.id, 'illegal']);
    expect(await result('listbannedevents')).toEqual([{ id: event.id, reason: 'illegal' }]);
    expect((await client.query({ ids: [event.id] })).events).toEqual([]);
    expect(await client.publish(event)).toEqual(refused(event, 'blocked'));
    await result('allowevent', [nip19.noteEncode(event.id)]);
    expect(await result('listbannedevents')).toEqual([]);
    expect(await client.publish(event)).toEqual(accepted(event));
    const rows = await control.ask<AuditRow[]>('mod.audit', { subject: event.id });
    expect(rows.map(({ action }) => action)).toEqual([
      'dismiss reports',
      'allow event',
      'ban event',
    ]);
  });
});

describe('methods for kinds, addresses, relay information and roles', () => {
  it('disallow and allow kinds', async () => {
    const author = new Author();
    const event = author.event({ kind: 7 });
    await result('disallowkind', [7]);
    expect(await client.publish(event)).toEqual(refused(event, 'blocked'));
    await result('allowkind', [7]);
    expect(await client.publish(event)).toEqual(accepted(event));
    // State as before: no kind is listed as allowed, and so every kind is.
    expect(await result('listallowedkinds')).toEqual([]);
    await result('allowkind', [1]);
    expect(await result('listallowedkinds')).toEqual([1]);
    const other = author.event({ kind: 8 });
    expect(await client.publish(other)).toEqual(accepted(other));
  });

  it('block and unblock an address', async () => {
    await result('blockip', ['192.0.2.9', 'scraper']);
    expect(await result('listblockedips')).toEqual([{ ip: '192.0.2.9', reason: 'scraper' }]);
    const headers = { 'X-Forwarded-For': '192.0.2.9' };
    await expect(Client.connect(relay.url, { headers })).rejects.toThrow('HTTP 403');
    await result('unblockip', ['192.0.2.9']);
    await (await Client.connect(relay.url, { headers })).close();
  });

  it('change name, description and icon at once and for good', async () => {
    await result('changerelayname', ['a new name']);
    await result('changerelaydescription', ['what it is for']);
    await result('changerelayicon', ['https://relay.example/new.png']);
    expect(await call('changerelayicon', ['javascript:alert(1)'])).toMatchObject({ status: 400 });
    const document = async () => JSON.parse((await http(relay.httpUrl, INFORMATION)).body);
    const changed = {
      name: 'a new name',
      description: 'what it is for',
      icon: 'https://relay.example/new.png',
    };
    expect(await document()).toMatchObject(changed);
    await relay.relay.kill('admin', 0);
    const healthy = async () => (await http(`${relay.httpUrl}/health`)).status === 200;
    await until(healthy, 'being well again');
    control = await Control.connect(relay.directory);
    expect(await document()).toMatchObject(changed);
    await until(async () => (await call('changerelayname', [''])).status === 200, 'a new second');
    expect(await document()).toMatchObject({ name: 'as configured' });
  });

  it('create, edit, assign, unassign and delete roles', async () => {
    await result('createrole', ['king', 'King', 'ruler of the relay', 37, 1]);
    expect(await call('createrole', ['king', 'King', '', 37, 1])).toMatchObject({ status: 409 });
    await result('editrole', ['king', 'Queen', 'ruler of the relay', 40, 2]);
    expect(await call('editrole', ['pawn', 'Pawn', '', 1, 1])).toMatchObject({ status: 409 });
    const { pubkey } = new Author();
    await result('assignrole', [pubkey, 'king']);
    expect(await call('assignrole', [pubkey, 'pawn'])).toMatchObject({ status: 409 });
    const roles = () => control.ask('mod.roles');
    const king = {
      id: 'king',
      label: 'Queen',
      description: 'ruler of the relay',
      color: 40,
      order: 2,
    };
    expect(await roles()).toEqual([{ ...king, members: [pubkey] }]);
    await result('unassignrole', [pubkey, 'king']);
    expect(await roles()).toEqual([{ ...king, members: [] }]);
    await result('assignrole', [pubkey, 'king']);
    await result('deleterole', ['king']);
    expect(await roles()).toEqual([]);
  });
});

describe('reports', () => {
  it('are queued by event, trusted reporters first, until a moderator deals with them', async () => {
    const author = new Author();
    const [worst, bad, fine] = [author.event(), author.event(), author.event()];
    for (const event of [worst, bad, fine]) await client.publish(event);
    const admin = (draft: object) =>
      finalizeEvent({ kind: 1984, created_at: now(), content: '', tags: [], ...draft }, adminKey!);
    const report = (id: string, type: string) => ({
      tags: [
        ['e', id, type],
        ['p', author.pubkey],
      ],
    });
    await client.publish(admin({ ...report(worst.id, 'illegal'), content: 'look at this' }));
    const strangers = [new Author(), new Author(), new Author()];
    for (const one of strangers) {
      await client.publish(one.event({ kind: 1984, ...report(bad.id, 'spam') }));
    }
    const first = strangers[0]!;
    // The same reporter twice, an event that is not here, and an unknown type.
    await client.publish(first.event({ kind: 1984, ...report(bad.id, 'nonsense') }));
    await client.publish(first.event({ kind: 1984, ...report('0'.repeat(64), 'spam') }));
    await client.publish(
      first.event({ kind: 1984, tags: [['p', author.pubkey, 'impersonation']] }),
    );
    const withdrawn = first.event({ kind: 1984, ...report(fine.id, 'spam') });
    await client.publish(withdrawn);
    const ids = async () =>
      ((await result('listeventsneedingmoderation', [], moderatorKey)) as { id: string }[]).map(
        ({ id }) => id,
      );
    expect(await ids()).toEqual([worst.id, bad.id, fine.id]);
    expect(await result('listeventsneedingmoderation')).toMatchObject([
      { reason: '1 report: illegal' },
      { reason: '3 reports: other, spam' },
      {},
    ]);
    expect(await control.ask('mod.report', { target: worst.id })).toMatchObject([
      { reporter: getPublicKey(adminKey!), type: 'illegal', trusted: 1, content: 'look at this' },
    ]);
    await client.publish(first.deletion([['e', withdrawn.id]]));
    expect(await ids()).toEqual([worst.id, bad.id]);
    await result('banevent', [worst.id], moderatorKey);
    expect(await ids()).toEqual([bad.id]);
    await result('allowevent', [bad.id], moderatorKey);
    expect(await ids()).toEqual([]);
    // The event was allowed: further reports do not bring it back into the queue.
    await client.publish(new Author().event({ kind: 1984, ...report(bad.id, 'spam') }));
    expect(await ids()).toEqual([]);
    expect(idsOf((await client.query({ ids: [bad.id] })).events)).toEqual([bad.id]);
    expect(await control.ask('mod.reports')).toMatchObject([
      { target: author.pubkey, isEvent: false, types: ['impersonation'] },
    ]);
    await control.ask('mod.dismiss', { target: author.pubkey });
    expect(await control.ask('mod.reports')).toEqual([]);
  });

  it('have a bound, within which those of trusted reporters stay', async () => {
    const small = await startRelay({
      'admin.pubkeys': [getPublicKey(adminKey!)],
      'moderation.reports_max': 20,
    });
    const other = await Client.connect(small.url);
    const target = new Author().pubkey;
    const tags = [['p', target, 'spam']];
    const trusted = finalizeEvent({ kind: 1984, created_at: now(), content: '', tags }, adminKey!);
    await other.publish(trusted);
    for (let i = 0; i < 60; i++) {
      const event = new Author().event({ kind: 1984, tags: [['p', new Author().pubkey, 'spam']] });
      expect(await other.publish(event)).toEqual(accepted(event));
    }
    const queue = await Control.connect(small.directory);
    const rows = await queue.ask<{ target: string }[]>('mod.reports');
    expect(rows.length).toBeLessThanOrEqual(20);
    expect(rows[0]).toMatchObject({ target });
    queue.socket.destroy();
    other.socket.terminate();
    await small.stop();
  });
});
