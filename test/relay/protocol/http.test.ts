// Tests of HTTP against a real relay over sockets: the relay information document (NIP-11), health,
// and the conditions of an upgrade (path, origin, connections of an address).

import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../support/client.ts';
import { type HttpAnswer, http, RawSocket } from '../../support/http.ts';
import { startRelay, type TestRelay } from '../../support/relay.ts';
import { useRelay } from '../../support/use-relay.ts';

const NOSTR = { Accept: 'application/nostr+json' };
const PUBKEY = 'ab'.repeat(32);
const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string };

function expectCors({ headers }: HttpAnswer): void {
  expect(headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': '*, Authorization',
    'access-control-allow-methods': expect.stringMatching(/^GET,? ?/),
  });
}

/** Tries to connect a WebSocket; returns 101 and the client, or the status of the rejection. */
async function attempt(
  relay: TestRelay,
  headers: Record<string, string> = {},
  path = '',
): Promise<{ status: number; client: Client | null }> {
  try {
    const client = await Client.connect(relay.url + path, { headers });
    opened.push(client);
    return { status: 101, client };
  } catch (error) {
    const status = /^HTTP (\d+)$/.exec((error as Error).message)?.[1];
    expect(status, String(error)).toBeDefined();
    return { status: Number(status), client: null };
  }
}

let opened: Client[] = [];
afterEach(async () => {
  await Promise.all(opened.map((client) => client.close()));
  opened = [];
});

/** Registers tests of a document with everything in it. */
function configuredTests(): void {
  describe('is computed from the configuration', () => {
    const use = useRelay({
      'info.name': 'Test "relay" é',
      'info.description': 'For tests.',
      'info.pubkey': PUBKEY,
      'info.contact': 'mailto:admin@relay.example',
      'info.icon': 'https://relay.example/icon.png',
      'info.banner': 'https://relay.example/banner.png',
      'info.privacy_policy': 'https://relay.example/privacy',
      'info.terms_of_service': 'https://relay.example/terms',
      'limits.message_bytes_max': 70_001,
      'limits.event_bytes_max': 60_002,
      'limits.tags_max': 33,
      'limits.content_length_max': 4444,
      'limits.filters_max': 5,
      'limits.subscriptions_max': 66,
      'limits.subscription_id_length_max': 77,
      'limits.limit_max': 888,
      'limits.limit_default': 99,
      'limits.created_at_past_seconds_max': 1010,
      'limits.created_at_future_seconds_max': 111,
    });

    it('with every field that is set, and every limit', async () => {
      const answer = await http(use.relay.httpUrl, NOSTR);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/nostr+json');
      expectCors(answer);
      expect(JSON.parse(answer.body)).toEqual({
        name: 'Test "relay" é',
        description: 'For tests.',
        pubkey: PUBKEY,
        contact: 'mailto:admin@relay.example',
        icon: 'https://relay.example/icon.png',
        banner: 'https://relay.example/banner.png',
        privacy_policy: 'https://relay.example/privacy',
        terms_of_service: 'https://relay.example/terms',
        supported_nips: [1, 2, 9, 11, 17, 28, 40, 42, 45, 59, 62, 65, 70, 77, 86],
        software: expect.stringMatching(/^https:\/\/\S+$/),
        version,
        limitation: {
          max_message_length: 60_012,
          max_subscriptions: 66,
          max_filters: 5,
          max_in_flight_bytes: 8_388_608,
          max_limit: 888,
          default_limit: 99,
          max_subid_length: 77,
          max_event_tags: 33,
          max_content_length: 4444,
          created_at_lower_limit: 1010,
          created_at_upper_limit: 111,
          auth_required: false,
          payment_required: false,
          restricted_writes: false,
        },
      });
    });

    it('and a page for people has the name and the description', async () => {
      const answer = await http(use.relay.httpUrl);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(answer.body).toContain('Test "relay" é');
      expect(answer.body).toContain('For tests.');
    });
  });
}

describe('the relay information document (NIP-11)', () => {
  configuredTests();

  describe('leaves out', () => {
    const use = useRelay({
      'query.count_enabled': false,
      'auth.private_kinds': [],
      'limits.created_at_past_seconds_max': 0,
      'limits.created_at_future_seconds_max': 0,
    });

    it('what is not set, what is switched off, and limits that are none', async () => {
      const { body } = await http(use.relay.httpUrl, NOSTR);
      const document = JSON.parse(body) as Record<string, unknown>;
      expect(Object.keys(document).sort()).toEqual(
        ['limitation', 'name', 'software', 'supported_nips', 'version'].sort(),
      );
      for (const nip of [17, 45, 59]) expect(document.supported_nips).not.toContain(nip);
      expect(document.limitation).not.toHaveProperty('created_at_lower_limit');
      expect(document.limitation).not.toHaveProperty('created_at_upper_limit');
    });
  });

  describe('is sent to whom accepts it', () => {
    const use = useRelay();

    it.each([
      ['application/nostr+json', true],
      ['application/nostr+json, */*', true],
      ['text/html,application/xhtml+xml,application/nostr+json;q=0.5,*/*;q=0.1', true],
      ['*/*;q=0.1 , application/nostr+json ; q=0.001', true],
      ['APPLICATION/Nostr+JSON', true],
      ['application/nostr+json;charset=utf-8', true],
      ['application/nostr+json;q=1.000', true],
      ['application/nostr+json;q=0', false],
      ['application/nostr+json; q=0.000, text/plain', false],
      ['*/*', false],
      ['application/*', false],
      ['application/json', false],
      ['application/nostr+jsonp', false],
      ['x-application/nostr+json', false],
      ['text/plain', false],
      ['', false],
      [',,;q=;', false],
    ])('"%s": %s', async (Accept, json) => {
      const answer = await http(use.relay.httpUrl, { Accept });
      expect(answer.status).toBe(200);
      expectCors(answer);
      const type = json ? 'application/nostr+json' : 'text/plain; charset=utf-8';
      expect(answer.headers['content-type']).toBe(type);
      if (json) expect(JSON.parse(answer.body)).toHaveProperty('supported_nips');
    });
  });
});

describe('HTTP', () => {
  const use = useRelay();

  it.each([
    ['GET', '/', 200],
    ['HEAD', '/', 200],
    ['OPTIONS', '/', 204],
    ['GET', '/health', 200],
    ['GET', '/health/live', 200],
    ['GET', '/nothing', 404],
    ['OPTIONS', '/nothing', 404],
    ['POST', '/', 404],
    ['DELETE', '/health', 404],
  ])('%s %s is answered %i with the headers of CORS', async (method, path, status) => {
    const answer = await http(use.relay.httpUrl + path, NOSTR, method);
    expect(answer.status).toBe(status);
    expectCors(answer);
    if (method === 'OPTIONS' && status === 204) expect(answer.body).toBe('');
  });

  it('takes the preflight of a browser', async () => {
    const answer = await http(
      use.relay.httpUrl,
      {
        Origin: 'https://client.example',
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'accept,x-other',
      },
      'OPTIONS',
    );
    expect(answer.status).toBe(204);
    expectCors(answer);
  });

  it('says that it is healthy', async () => {
    const { status, body } = await http(`${use.relay.httpUrl}/health`);
    expect({ status, body: body.trim() }).toEqual({ status: 200, body: 'ok' });
  });

  it('closes the connection after its answer', async () => {
    for (const request of ['GET /', 'OPTIONS /', 'GET /health', 'GET /nothing']) {
      const raw = await RawSocket.connect(use.relay.relay.port);
      raw.socket.write(`${request} HTTP/1.1\r\nHost: relay.example\r\n\r\n`);
      await raw.ended();
      expect(raw.received.toString()).toMatch(/^HTTP\/1\.1 \d{3} [\s\S]*\r\nConnection: close\r\n/);
    }
  });

  it.each([
    ['nothing HTTP knows', '\u0000\u0001\u0002\r\n\r\n'],
    ['a line without a version', 'GET /\r\n\r\n'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['an endless line', `GET /${'x'.repeat(200_000)}`],
    ['a header that is too long', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['too many headers', `GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(5_000)}\r\n`],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\nx',
    ],
  ])('goes on after %s', async (_, text) => {
    const raw = await RawSocket.connect(use.relay.relay.port);
    await new Promise((resolve) => raw.socket.write(text, 'latin1', resolve));
    expect((await http(`${use.relay.httpUrl}/health`)).status).toBe(200);
    await use.client.sync();
    raw.socket.destroy();
  });

  it('goes on after a client that resets its connection in the middle', async () => {
    for (let i = 0; i < 20; i++) {
      const raw = await RawSocket.connect(use.relay.relay.port);
      const request = raw.upgrade(['X-Forwarded-For: 203.0.113.7']);
      if (i % 2 === 0) await request;
      raw.socket.resetAndDestroy();
    }
    await use.client.sync();
    await expect.poll(() => use.relay.relay.counters.connections).toBe(1);
  });
});

describe.each([
  ['/', ['/x', '/health', '/relay', '//', '/%2F']],
  ['/relay', ['/', '', '/relay/', '/relay/x', '/Relay', '/relayx', '/rela', '/health']],
  ['/a/b', ['/', '/a', '/a/', '/b', '/a/b/', '/a/b/c']],
])('with the path %s', (path, others) => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startRelay({ 'io.path': path });
    return () => relay.stop();
  });

  it('there is the WebSocket and the document, whatever the query says', async () => {
    for (const suffix of ['', '?', '?token=x&y=/z']) {
      expect((await attempt(relay, {}, path + suffix)).status).toBe(101);
      expect((await http(relay.httpUrl + path + suffix, NOSTR)).status).toBe(200);
    }
  });

  it.each(others)('there is no WebSocket at "%s"', async (other) => {
    const isHealth = other === '/health';
    expect((await attempt(relay, {}, other)).status).toBe(isHealth ? 200 : 404);
    const answer = await http(relay.httpUrl + other, NOSTR);
    expect(answer.status).toBe(isHealth ? 200 : 404);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expectCors(answer);
  });
});

describe('with a list of origins', () => {
  const use = useRelay({
    'io.allowed_origins': ['https://client.example', 'http://localhost:3000'],
  });

  it.each([
    ['https://client.example', 101],
    ['http://localhost:3000', 101],
    ['http://client.example', 403],
    ['https://client.example:8443', 403],
    ['https://other.example', 403],
    ['https://client.example.other.example', 403],
    ['http://localhost', 403],
    ['null', 403],
  ])('a page from %s gets %i', async (Origin, status) => {
    expect((await attempt(use.relay, { Origin })).status).toBe(status);
  });

  it('a client that is no page is let in', async () => {
    expect((await attempt(use.relay)).status).toBe(101);
  });

  it('the document is there for every page, and the refusal has the headers of CORS', async () => {
    const Origin = 'https://other.example';
    const document = await http(use.relay.httpUrl, { ...NOSTR, Origin });
    expect(document.status).toBe(200);
    expectCors(document);
    const raw = await RawSocket.connect(use.relay.relay.port);
    const head = await raw.upgrade([`Origin: ${Origin}`]);
    expect(head).toMatch(/^HTTP\/1\.1 403 [\s\S]*Access-Control-Allow-Origin: \*/);
    await raw.ended();
  });
});

describe('with two connections for an address', () => {
  const settings = { 'io.connections_per_ip_max': 2 };
  const from = (address: string) => ({ 'X-Forwarded-For': address });

  describe('behind a trusted proxy', () => {
    let relay: TestRelay;
    beforeAll(async () => {
      relay = await startRelay({ ...settings, 'io.trusted_proxies': ['127.0.0.1', '10.0.0.0/8'] });
      return () => relay.stop();
    });

    it('the address is that of the client, and a third connection gets 429', async () => {
      const [one, another] = [from('203.0.113.7'), from('203.0.113.8')];
      expect((await attempt(relay, one)).status).toBe(101);
      const second = await attempt(relay, one);
      expect(second.status).toBe(101);
      expect((await attempt(relay, one)).status).toBe(429);
      expect((await attempt(relay, from('6.6.6.6, 203.0.113.7'))).status).toBe(429);
      expect((await attempt(relay, from('203.0.113.7, 10.1.2.3'))).status).toBe(429);
      expect((await attempt(relay, from('::ffff:203.0.113.7'))).status).toBe(429);
      expect((await attempt(relay, another)).status).toBe(101);
      await second.client!.close();
      await expect.poll(async () => (await attempt(relay, one)).status).toBe(101);
      expect((await attempt(relay, one)).status).toBe(429);
    });

    it('the last of several headers counts, in which the proxy wrote', async () => {
      const sockets: RawSocket[] = [];
      const answers: string[] = [];
      for (const madeUp of ['6.6.6.1', '6.6.6.2', '', '6.6.6.4, 10.1.1.1']) {
        const raw = await RawSocket.connect(relay.relay.port);
        sockets.push(raw);
        const head = await raw.upgrade([
          `X-Forwarded-For: ${madeUp}`,
          'X-Forwarded-For: 203.0.113.9',
        ]);
        answers.push(head.slice(9, 12));
      }
      expect(answers).toEqual(['101', '101', '429', '429']);
      for (const { socket } of sockets) socket.destroy();
    });

    it('the refusal has the headers of CORS and closes the connection', async () => {
      const sockets = await Promise.all([0, 1, 2].map(() => RawSocket.connect(relay.relay.port)));
      const heads: string[] = [];
      for (const raw of sockets) heads.push(await raw.upgrade(['X-Forwarded-For: 203.0.113.10']));
      expect(heads[2]).toMatch(/^HTTP\/1\.1 429 [\s\S]*Access-Control-Allow-Origin: \*/);
      await sockets[2]!.ended();
      for (const { socket } of sockets) socket.destroy();
    });

    it('HTTP is answered all the same', async () => {
      const [one, another] = await Promise.all([attempt(relay), attempt(relay)]);
      expect([one.status, another.status]).toEqual([101, 101]);
      expect((await attempt(relay)).status).toBe(429);
      expect((await http(relay.httpUrl, NOSTR)).status).toBe(200);
    });
  });

  describe('without a trusted proxy', () => {
    let relay: TestRelay;
    beforeAll(async () => {
      relay = await startRelay({ ...settings, 'io.trusted_proxies': ['10.0.0.0/8'] });
      return () => relay.stop();
    });

    it('the address is that of the peer, whatever it says', async () => {
      expect((await attempt(relay, from('203.0.113.7'))).status).toBe(101);
      expect((await attempt(relay, from('203.0.113.8'))).status).toBe(101);
      expect((await attempt(relay, from('203.0.113.9'))).status).toBe(429);
      expect((await attempt(relay)).status).toBe(429);
    });
  });
});
