// Flood of unauthorized HTTP requests to the management API and the admin pages.

import { Agent, type IncomingMessage, request } from 'node:http';
import type { Attack } from '../attack/attack.ts';
import type { Scenario } from './scenario.ts';

/** Public key of an administrator; no flood uses its secret key. */
const ADMIN = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const BODY = JSON.stringify({ method: 'listallowedpubkeys', params: [] });
const SLOW_BODY_BYTES = 1000;

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const rpc = (headers: Record<string, string>): Request => ({
  method: 'POST',
  path: '/',
  headers: { 'content-type': 'application/nostr+json+rpc', ...headers },
  body: BODY,
});

/**
 * Returns requests that must be rejected: without authorization, with a malformed one, or with a
 * forged one of an administrator.
 */
function requests(n: number): Request[] {
  const event = {
    id: String(n).padStart(64, '0'),
    pubkey: ADMIN,
    created_at: Math.floor(Date.now() / 1000),
    kind: 27_235,
    tags: [
      ['u', 'http://127.0.0.1/'],
      ['method', 'POST'],
    ],
    content: '',
    sig: '0'.repeat(128),
  };
  const claim = `Nostr ${Buffer.from(JSON.stringify(event)).toString('base64')}`;
  const json = { 'content-type': 'application/json' };
  return [
    rpc({}),
    rpc({ authorization: 'Nostr nonsense' }),
    rpc({ authorization: claim }),
    { method: 'POST', path: '/admin/api', headers: json, body: '{"method":"overview"}' },
    {
      method: 'POST',
      path: '/admin/login',
      headers: { ...json, authorization: claim },
      body: '{}',
    },
    { method: 'GET', path: '/admin', headers: {}, body: '' },
    // The body of this request never arrives completely.
    rpc({ 'content-length': String(SLOW_BODY_BYTES) }),
  ];
}

/** Flood that occupies the slots for management requests with unauthorized ones. */
export const management: Scenario = {
  name: 'management',
  about: 'requests of NIP-86 and /admin without authorization, from addresses of one /64',
  from: ['one', 'many'],
  proof: 'requests',
  settings: [`admin.pubkeys=${ADMIN}`],
  addresses: (count) => Array.from({ length: count }, (_, n) => `2001:db8:5:6::${n + 1}`),
  async flood(attack) {
    const agent = new Agent({ keepAlive: true });
    let sent = 0;
    await attack.each([20, 2], async (address) => {
      while (!attack.isOver) {
        const all = requests(sent);
        const one = all[sent++ % all.length]!;
        const status = await ask(attack, agent, address, one);
        attack.count('requests');
        attack.count(status === 0 ? 'no answer' : `HTTP ${status}`);
        if (status === 200 && one.method === 'POST') {
          attack.tellWrong(`${one.path} was answered with 200 without authorization`);
        }
      }
    });
    agent.destroy();
  },
};

/** Sends a request and returns the status of the answer; 0 when there is none. */
function ask(attack: Attack, agent: Agent, address: string, one: Request): Promise<number> {
  const { host, port } = attack.target;
  const { method, path, body } = one;
  const headers = {
    'content-length': String(Buffer.byteLength(body)),
    ...one.headers,
    'x-forwarded-for': address,
  };
  return new Promise((resolve) => {
    const asked = request(
      { host, port, method, path, headers, agent },
      (answer: IncomingMessage) => {
        answer.resume();
        answer.once('close', () => resolve(answer.statusCode ?? 0));
      },
    );
    asked.once('error', () => resolve(0));
    asked.once('close', () => resolve(0));
    attack.keep(asked);
    asked.write(body);
    if (headers['content-length'] === String(Buffer.byteLength(body))) asked.end();
  });
}
