// Tests that all text leaves the relay as UTF-8, against a real relay and against the listener over
// sockets. They compare bytes, because uWebSockets.js on Node.js 24 sends a string without
// characters beyond Latin-1 as Latin-1.

import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { generateSecretKey, getPublicKey } from 'nostr-tools/pure';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { Connection, type SocketData } from '../../src/io/connection.ts';
import { Listener, type SocketHandlers } from '../../src/io/listen.ts';
import { closeFrameText } from '../../src/io/uws.ts';
import { AdminPage, nip98 } from '../support/admin-page.ts';
import { Author } from '../support/author.ts';
import { RawSocket } from '../support/http.ts';
import { until } from '../support/process.ts';
import { freshDirectory, startRelay, type TestRelay, testConfig } from '../support/relay.ts';

const TEXTS = [
  ['Latin-1', 'Café Zoë, ÿ und ¿'],
  ['more than Latin-1', 'Café 日本 🙂 ž'],
] as const;
const RPC = 'application/nostr+json+rpc';

/** Sends an HTTP request with Host and `headers`; returns the body of the answer as bytes. */
function bytesOf(
  url: string,
  headers: Record<string, string> = {},
  body: string | null = null,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const method = body === null ? 'GET' : 'POST';
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve(Buffer.concat(parts)));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body ?? undefined);
  });
}

/** WebSocket client that keeps received messages, except AUTH, as bytes. */
class ByteClient {
  readonly socket: WebSocket;
  readonly messages: Buffer[] = [];
  closed: { code: number; reason: Buffer } | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      if (!data.toString().startsWith('["AUTH"')) this.messages.push(data);
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason };
    });
  }

  static async connect(url: string, headers: Record<string, string> = {}): Promise<ByteClient> {
    const socket = new WebSocket(url, { headers, skipUTF8Validation: true });
    const client = new ByteClient(socket);
    onTestFinished(() => socket.terminate());
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return client;
  }

  /** Sends a message and takes its answer, which must be the only one outstanding. */
  async answer(message: unknown): Promise<Buffer> {
    this.socket.send(JSON.stringify(message));
    await until(() => this.messages.length > 0, 'an answer');
    return this.messages.shift()!;
  }
}

/** Relay whose texts, own and of its policy, all hold one text; `relay` is set in tests. */
interface TextRelay {
  relay: TestRelay;
  adminKey: Uint8Array;
  text: string;
}

/** Starts a relay for all tests of the enclosing describe. */
function useTextRelay(text: string): TextRelay {
  const use = { adminKey: generateSecretKey(), text } as TextRelay;
  beforeAll(async () => {
    const directory = freshDirectory();
    const module = join(directory, 'policy.mjs');
    writeFileSync(
      module,
      `const TEXT = ${JSON.stringify(text)};
    export const acceptEvent = () => 'blocked: ' + TEXT;
    export const acceptFilter = () => 'restricted: ' + TEXT;
    export const acceptConnection = ({ ip }) =>
      ip === '192.0.2.5' ? 'blocked: ' + TEXT
      : ip === '192.0.2.6' ? 'blocked: ' + TEXT.repeat(20) : true;`,
    );
    use.relay = await startRelay(
      {
        'info.name': text,
        'info.description': `${text} of the description`,
        'admin.pubkeys': [getPublicKey(use.adminKey)],
        'policy.modules': JSON.stringify([module]),
        'limits.in_flight_bytes_max': 1024,
        'metrics.public': true,
      },
      directory,
    );
  });
  afterAll(() => use.relay.stop());
  return use;
}

/** Calls a method of the management API; returns the body of the answer. */
function manage(
  { relay, adminKey }: TextRelay,
  method: string,
  params: unknown[],
): Promise<Buffer> {
  const body = JSON.stringify({ method, params });
  const authorization = nip98(adminKey, relay.httpUrl, body);
  return bytesOf(relay.httpUrl, { 'Content-Type': RPC, Authorization: authorization }, body);
}

/** Registers tests of what is sent over HTTP. */
function httpTests(use: TextRelay): void {
  const { text } = use;

  it('is UTF-8 in the relay information document', async () => {
    const bytes = await bytesOf(use.relay.httpUrl, { Accept: 'application/nostr+json' });
    const parsed = JSON.parse(bytes.toString()) as Record<string, unknown>;
    expect(parsed).toMatchObject({ name: text, description: `${text} of the description` });
    expect(bytes).toEqual(Buffer.from(JSON.stringify(parsed)));
  });

  it('is UTF-8 at /, for a browser and for whoever else asks', async () => {
    const plain = await bytesOf(`${use.relay.httpUrl}/`, { Accept: 'text/plain' });
    expect(plain).toEqual(
      Buffer.from(
        `${text}\n\n${text} of the description\n\nThis is a Nostr relay; connect to it with a Nostr client.\n`,
      ),
    );
    const page = await bytesOf(`${use.relay.httpUrl}/`, { Accept: 'text/html' });
    expect(page.includes(text)).toBe(true);
    expect(page).toEqual(Buffer.from(page.toString()));
  });

  it('is UTF-8 in answers to the management API (NIP-86)', async () => {
    const { pubkey } = new Author();
    expect(await manage(use, 'banpubkey', [pubkey, text])).toEqual(Buffer.from('{"result":true}'));
    expect(await manage(use, 'listbannedpubkeys', [])).toEqual(
      Buffer.from(JSON.stringify({ result: [{ pubkey, reason: text }] })),
    );
    expect(await manage(use, text, [])).toEqual(
      Buffer.from(JSON.stringify({ error: `method not found: ${text}` })),
    );
    const renamed = `${text} by NIP-86`;
    expect(await manage(use, 'changerelayname', [renamed])).toEqual(Buffer.from('{"result":true}'));
    const information = await bytesOf(use.relay.httpUrl, { Accept: 'application/nostr+json' });
    expect(information.subarray(0, Buffer.byteLength(renamed) + 11)).toEqual(
      Buffer.from(`{"name":${JSON.stringify(renamed)},`),
    );
    await manage(use, 'changerelayname', [text]);
  });

  it('is UTF-8 in answers to the page for admins', async () => {
    const page = await AdminPage.open(use.relay.httpUrl, use.adminKey);
    const ask = (body: object) =>
      bytesOf(
        `${use.relay.httpUrl}/admin/api`,
        { 'Content-Type': 'application/json', Cookie: page.cookie },
        JSON.stringify(body),
      );
    const session = await ask({ method: 'session' });
    const parsed = JSON.parse(session.toString()) as { result: { relay: { name: string } } };
    expect(parsed.result.relay.name).toBe(text);
    expect(session).toEqual(Buffer.from(JSON.stringify(parsed)));
    expect(await ask({ method: text })).toEqual(
      Buffer.from(
        JSON.stringify({ error: { kind: 'unknown', message: `There is no method "${text}".` } }),
      ),
    );
  });
}

/** Registers tests of what is sent over WebSocket. */
function webSocketTests(use: TextRelay): void {
  const { text } = use;

  it('is UTF-8 in OK, CLOSED and NOTICE', async () => {
    const client = await ByteClient.connect(use.relay.url);
    const event = new Author().event({ content: text });
    expect(await client.answer(['EVENT', event])).toEqual(
      Buffer.from(`["OK","${event.id}",false,${JSON.stringify(`blocked: ${text}`)}]`),
    );
    expect(await client.answer(['REQ', text, {}])).toEqual(
      Buffer.from(JSON.stringify(['CLOSED', text, `restricted: ${text}`])),
    );
    const verb = text.slice(0, 4);
    const why = `unsupported: unknown message type "${verb}"; this relay knows EVENT, REQ, COUNT, CLOSE, AUTH, NEG-OPEN, NEG-MSG and NEG-CLOSE`;
    expect(await client.answer([verb])).toEqual(Buffer.from(JSON.stringify(['NOTICE', why])));
  });

  it('is UTF-8 in what is refused before anything parses it', async () => {
    const client = await ByteClient.connect(use.relay.url);
    // In one segment, so that the second arrives while the first is unanswered.
    const { _socket: tcp } = client.socket as unknown as { _socket: import('node:net').Socket };
    tcp.cork();
    client.socket.send(JSON.stringify(['REQ', 'first', {}]));
    client.socket.send(JSON.stringify(['REQ', text, {}]));
    tcp.uncork();
    await until(() => client.messages.length === 2, 'both answers');
    const why = 'rate-limited: too many unanswered messages on this connection; wait for answers';
    expect(client.messages).toContainEqual(Buffer.from(JSON.stringify(['CLOSED', text, why])));
  });

  it('is UTF-8 in the reason of a close, cut between two characters', async () => {
    const refused = async (ip: string) => {
      const client = await ByteClient.connect(use.relay.url, { 'X-Forwarded-For': ip });
      await until(() => client.closed !== null, 'the end');
      return client;
    };
    const short = await refused('192.0.2.5');
    expect(short.closed).toEqual({ code: 1008, reason: Buffer.from(`blocked: ${text}`) });
    expect(short.messages).toEqual([Buffer.from(JSON.stringify(['NOTICE', `blocked: ${text}`]))]);
    const { closed } = await refused('192.0.2.6');
    const reason = closed!.reason.toString();
    expect(Buffer.from(reason)).toEqual(closed!.reason);
    expect(`blocked: ${text.repeat(20)}`.startsWith(reason)).toBe(true);
    expect(closed!.reason.length).toBeGreaterThan(119);
    expect(closed!.reason.length).toBeLessThan(124);
  });
}

describe.each(TEXTS)('text with %s', (_, text) => {
  const use = useTextRelay(text);

  httpTests(use);
  webSocketTests(use);

  it('is UTF-8 at /metrics', async () => {
    const bytes = await bytesOf(`${use.relay.httpUrl}/metrics`);
    expect(bytes.length).toBeGreaterThan(1_000);
    expect(bytes).toEqual(Buffer.from(bytes.toString()));
  });
});

describe.each(TEXTS)('the listener, for text with %s', (_, text) => {
  let listener: Listener;
  let url: string;

  beforeAll(async () => {
    const refuses = { reason: 'full', status: '503 Service Unavailable', text, retrySeconds: 3 };
    const handlers: Partial<SocketHandlers> = {
      crowded: () => false,
      admit: (ip) => (ip === '192.0.2.5' ? (refuses as ReturnType<SocketHandlers['admit']>) : null),
      open: (socket, data: SocketData) => {
        const { ip } = data;
        const load = { name: ip, connections: 1, inFlightCost: 0 };
        const connection = new Connection(1, socket, data, load, ip, null as never);
        // In a later turn, because the listener knows the connection only after this callback.
        setImmediate(() => connection.close(4000, text));
        return connection;
      },
      close: () => {},
      refused: () => {},
      unnamed: () => {},
      served: () => {},
      metrics: () => `# ${text}\n`,
      health: () => ({ healthy: false, alive: true, reason: text }),
      pages: { reconfigure: () => {}, other: () => false } as never,
    };
    const config = testConfig(freshDirectory(), { 'metrics.public': true });
    listener = new Listener(config, handlers as SocketHandlers);
    await listener.listen();
    url = `http://127.0.0.1:${listener.port}`;
  });
  afterAll(() => listener.close());

  it('sends /health, /metrics and refusals as UTF-8', async () => {
    expect(await bytesOf(`${url}/health`)).toEqual(Buffer.from(`${text}\n`));
    expect(await bytesOf(`${url}/metrics`)).toEqual(Buffer.from(`# ${text}\n`));
    const upgrade = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'X-Forwarded-For': '192.0.2.5',
    };
    expect(await bytesOf(url, upgrade)).toEqual(Buffer.from(text));
  });

  it('sends close reasons as UTF-8, and a subprotocol as it came', async () => {
    const raw = await RawSocket.connect(listener.port);
    onTestFinished(() => void raw.socket.destroy());
    raw.socket.write(
      [
        'GET / HTTP/1.1',
        'Host: relay.example',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        `Sec-WebSocket-Protocol: ${text.replaceAll(',', '')}.`,
        '\r\n',
      ].join('\r\n'),
    );
    const reason = Buffer.from(text);
    const frame = Buffer.concat([
      Buffer.from([0x88, reason.length + 2, 4000 >> 8, 4000 & 0xff]),
      reason,
    ]);
    const head = Buffer.from(`Sec-WebSocket-Protocol: ${text.replaceAll(',', '')}.\r\n`);
    await raw.until(() => raw.closed || raw.received.indexOf(frame) > 0);
    expect(raw.received.includes(frame)).toBe(true);
    expect(raw.received.includes(head)).toBe(true);
  });
});

describe('a close reason', () => {
  it.each([
    ['', 0],
    ['a'.repeat(123), 123],
    ['a'.repeat(124), 123],
    ['é'.repeat(62), 122],
    [`a${'é'.repeat(61)}`, 123],
    ['日'.repeat(41), 123],
    [`a${'日'.repeat(41)}`, 121],
    ['🙂'.repeat(31), 120],
    [`abc${'🙂'.repeat(30)}`, 123],
    [`${'a'.repeat(122)}é`, 122],
    [`${'a'.repeat(120)}\ufffd`, 123],
    [`${'a'.repeat(121)}\ufffd`, 121],
  ])('of %j has %i bytes, whole characters', (text, length) => {
    const bytes = closeFrameText(text);
    expect(bytes.length).toBe(length);
    expect(text.startsWith(bytes.toString())).toBe(true);
    expect(Buffer.from(bytes.toString())).toEqual(bytes);
  });
});
