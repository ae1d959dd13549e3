// Management requests (NIP-86, /admin) while others send as many as they can: admins still get in.
// RequestSlots and CallerRank as units, then an in-process relay over HTTP.

import { request } from 'node:http';
import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallerRank } from '../../src/io/caller-rank.ts';
import {
  RANK_ANONYMOUS,
  RANK_CLAIMED,
  RANK_SESSION,
  RequestSlots,
  type SlotRequest,
} from '../../src/io/request-slots.ts';
import { AdminPage, ask, nip98 } from '../support/admin-page.ts';
import { http } from '../support/http.ts';
import { freshDirectory, startRelay, type TestRelay, testConfig } from '../support/relay.ts';

const RPC = 'application/nostr+json+rpc';
const adminKey = generateSecretKey();
const admin = getPublicKey(adminKey);
const SETTINGS = { 'admin.pubkeys': [admin] };
const BODY = JSON.stringify({ method: 'supportedmethods', params: [] });

/** Returns a header that names the admin's key and has no signature. */
function claim(n: number): string {
  const event = { id: 'a'.repeat(64), pubkey: admin, kind: 27_235, tags: [['n', `${n}`]] };
  return `Nostr ${Buffer.from(JSON.stringify(event)).toString('base64')}`;
}

const made = (network: string, rank = RANK_ANONYMOUS): SlotRequest => ({
  network,
  rank,
  bytes: 0,
});
const slots = (askedMax: number, bytesMax = 1e9) => new RequestSlots({ askedMax, bytesMax });
/** Ends surplus requests, as the owner of the slots does, and returns them. */
function bound(of: RequestSlots<SlotRequest>): SlotRequest[] {
  const gone: SlotRequest[] = [];
  for (let one = of.surplus(); one !== null; one = of.surplus()) {
    of.end(one);
    gone.push(one);
  }
  return gone;
}

describe('slots', () => {
  it('are taken by requests whose bodies are there, a quarter of them by one network', () => {
    const all = slots(8);
    const mine = Array.from({ length: 6 }, () => made('2001:db8::/64'));
    for (const one of mine) all.begin(one);
    expect(all.next()).toBe(null);
    for (const one of mine) all.complete(one);
    expect([all.next(), all.next()]).toEqual([mine[5], mine[4]]);
    expect(all.next()).toBe(null);
    const other = made('192.0.2.1');
    all.begin(other);
    all.complete(other);
    expect(all.next()).toBe(other);
    all.end(mine[5]!);
    expect(all.next()).toBe(mine[3]);
  });

  it('go to known callers first', () => {
    const all = slots(4);
    const ranks = [RANK_ANONYMOUS, RANK_CLAIMED, RANK_SESSION, RANK_CLAIMED];
    const waiting = ranks.map((rank, n) => made(`${n}`, rank));
    for (const one of waiting) {
      all.begin(one);
      all.complete(one);
    }
    const order = waiting.map(() => all.next()!.rank);
    expect(order).toEqual([RANK_SESSION, RANK_CLAIMED, RANK_CLAIMED, RANK_ANONYMOUS]);
  });

  it('keep no request of an admin out, however many others there are', () => {
    const all = slots(4);
    for (let n = 0; n < 3_000; n++) {
      const one = made(`net ${n % 50}`, RANK_CLAIMED);
      all.begin(one);
      if (n % 3 === 0) all.complete(one);
      bound(all);
    }
    expect(all.requests.length).toBeLessThanOrEqual(512);
    for (const [network, rank] of [
      ['home', RANK_CLAIMED],
      ['net 1', RANK_SESSION],
    ] as const) {
      const mine = made(network, rank);
      all.begin(mine);
      expect(bound(all)).not.toContain(mine);
      for (let n = 0; n < 100; n++) {
        all.begin(made(`net ${n % 50}`, RANK_CLAIMED));
        expect(bound(all)).not.toContain(mine);
      }
      all.complete(mine);
      let next = all.next();
      while (next !== null && next !== mine) {
        all.end(next);
        next = all.next();
      }
      expect(next).toBe(mine);
      all.end(mine);
    }
  });

  it('hold a bounded number of bytes', () => {
    const all = slots(4, 1_000);
    const [slow, quick] = [made('a'), made('b')];
    for (const one of [slow, quick]) all.begin(one);
    all.grow(slow, 900);
    expect(bound(all)).toEqual([]);
    all.grow(quick, 200);
    expect(bound(all)).toEqual([slow]);
    all.complete(quick);
    expect(all.next()).toBe(quick);
    expect(all.end(quick)).toBe(true);
    expect(all.end(quick)).toBe(false);
    all.grow(made('c'), 0);
    expect(bound(all)).toEqual([]);
  });
});

describe('slots under a flood', () => {
  it('go to a network that asks seldom while others ask again at once', () => {
    const all = slots(4);
    const ask = (network: string) => {
      const one = made(network, RANK_CLAIMED);
      all.begin(one);
      all.complete(one);
      return one;
    };
    for (let n = 0; n < 40; n++) ask(`net ${n}`);
    for (let call = 0; call < 5; call++) {
      const mine = ask('home');
      let turns = 0;
      for (let next = all.next(); next !== mine; next = all.next()) {
        expect(++turns).toBeLessThanOrEqual(41);
        all.end(next!);
        ask(next!.network);
      }
      all.end(mine);
    }
    expect(all.isAnswering).toBe(true);
  });
});

describe('the rank of a request', () => {
  const rank = new CallerRank(
    testConfig(freshDirectory(), { ...SETTINGS, 'admin.sessions_max': 2 }),
  );
  const token = (letter: string) => letter.repeat(43);

  it.each<[string, string, number]>([
    ['nothing', '', RANK_ANONYMOUS],
    ['another scheme', 'Basic abc', RANK_ANONYMOUS],
    ['no JSON', 'Nostr AAAA', RANK_ANONYMOUS],
    ['an unknown key', nip98(generateSecretKey(), 'http://x', ''), RANK_ANONYMOUS],
    ['the key of an admin', nip98(adminKey, 'http://x', ''), RANK_CLAIMED],
  ])('with %s', (_, authorization, wanted) => {
    expect(rank.of(authorization, '')).toBe(wanted);
  });

  it('by a cookie is that of a session, as long as there is one', () => {
    expect(rank.of('', `wok-admin-7777=${token('a')}`)).toBe(RANK_ANONYMOUS);
    rank.learn(`wok-admin-7777=${token('a')}; Path=/admin; HttpOnly`);
    expect(rank.of('', `x=y; wok-admin-7777=${token('a')}`)).toBe(RANK_SESSION);
    expect(rank.of('', `wok-admin-7777=${token('b')}`)).toBe(RANK_ANONYMOUS);
    rank.learn(`wok-admin-7777=; Path=/admin`);
    for (const letter of 'bc') rank.learn(`__Secure-wok-admin=${token(letter)}; Secure`);
    expect(rank.of('', `wok-admin-7777=${token('a')}`)).toBe(RANK_ANONYMOUS);
    expect(rank.of('', `__Secure-wok-admin=${token('c')}`)).toBe(RANK_SESSION);
    rank.forget();
    expect(rank.of('', `__Secure-wok-admin=${token('c')}`)).toBe(RANK_ANONYMOUS);
  });
});

let relay: TestRelay;
beforeAll(async () => {
  relay = await startRelay({ ...SETTINGS, 'admin.requests_max': 8 });
});
afterAll(() => relay.stop());

const call = async (from: string) => {
  const Authorization = nip98(adminKey, relay.httpUrl, BODY);
  const headers = { 'Content-Type': RPC, Authorization, 'X-Forwarded-For': from };
  return (await ask(relay.httpUrl, BODY, headers)).status;
};

/** Begins a request that stalls; `status` resolves with its status, or 0 when it was cut off. */
function slow(path: string, headers: Record<string, string>) {
  const asked = request(`${relay.httpUrl}${path}`, {
    method: 'POST',
    headers: { 'Content-Length': '100', ...headers },
    agent: false,
  });
  asked.write('{');
  const status = new Promise<number>((resolve) => {
    asked.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    asked.on('error', () => resolve(0));
  });
  const begun = new Promise<void>((resolve) => {
    asked.once('finish', resolve);
    asked.once('socket', (socket) => socket.once('connect', resolve));
  });
  return { asked, status, begun };
}

describe('a relay', () => {
  it('lets an admin in while slow senders of one /64, and of many networks, claim to be one', async () => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    const attackers = Array.from({ length: 300 }, (_, n) => {
      // A third comes from one /64, which the admin uses, too.
      const network = n % 3 === 0 ? '2001:db8:0:1' : `2001:db8:0:${(n % 50) + 2}`;
      const from = `${network}::${n + 1}`;
      const isCall = n % 2 === 0;
      return slow(isCall ? '/admin/login' : '/', {
        'Content-Type': isCall ? 'application/json' : RPC,
        Authorization: claim(n),
        'X-Forwarded-For': from,
      });
    });
    await Promise.all(attackers.map(({ begun }) => begun));
    for (let n = 0; n < 5; n++) {
      expect(await call('2001:db8:0:1::ffff')).toBe(200);
      expect(await call(`192.0.2.${n}`)).toBe(200);
      expect((await page.answer('session')).status).toBe(200);
    }
    // Stalled requests are answered in the end.
    const statuses = await Promise.all(attackers.map(({ status }) => status));
    expect(new Set(statuses)).toEqual(new Set([408]));
  });

  it('lets an admin in while whole requests with forged authorizations come all the time', async () => {
    const page = await AdminPage.open(relay.httpUrl, adminKey);
    let over = false;
    const flood = async (n: number) => {
      for (let i = 0; !over; i++) {
        const headers = {
          'Content-Type': RPC,
          Authorization: claim(i),
          'X-Forwarded-For': `198.51.100.${n}`,
        };
        await ask(relay.httpUrl, BODY, headers).catch(() => {});
      }
    };
    const floods = Array.from({ length: 40 }, (_, n) => flood(n));
    for (let n = 0; n < 20; n++) {
      expect(await call('203.0.113.5')).toBe(200);
      expect((await page.answer('session')).status).toBe(200);
    }
    over = true;
    await Promise.all(floods);
  });

  it('reads no body of the management API without a known key', async () => {
    const stranger = slow('/', {
      'Content-Type': RPC,
      Authorization: nip98(generateSecretKey(), relay.httpUrl, BODY),
    });
    expect(await stranger.status).toBe(401);
    expect(await slow('/', { 'Content-Type': RPC }).status).toBe(401);
    expect((await http(`${relay.httpUrl}/health`)).status).toBe(200);
  });
});
