// HTTP client of the API of the page `/admin`: NIP-98 login, session cookie and RPC methods,
// without a browser.

import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { finalizeEvent } from 'nostr-tools/pure';
import type { PageError, PageMethod, PageMethods, Session } from '../../src/web/api/api.ts';
import { now } from './author.ts';

/** HTTP answer of the page's API. */
export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Body as text; `body` is the same parsed, or empty if it is not JSON. */
  text: string;
  body: { result?: unknown; error?: PageError };
}

/**
 * Fields of a login that a test sets; the others are valid. A null `payload` leaves the tag out.
 */
export interface Draft {
  kind?: number;
  created_at?: number;
  u?: string;
  method?: string;
  payload?: string | null;
  tamper?: (header: string) => string;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
let authorizations = 0;

/** Returns the Authorization header (NIP-98) for a POST of this body to this URL. */
export function nip98(key: Uint8Array, url: string, body: string, draft: Draft = {}): string {
  const payload = draft.payload ?? createHash('sha256').update(body).digest('hex');
  const event = finalizeEvent(
    {
      kind: draft.kind ?? 27_235,
      created_at: draft.created_at ?? now(),
      content: '',
      tags: [
        ['u', draft.u ?? url],
        ['method', draft.method ?? 'POST'],
        ...(draft.payload === null ? [] : [['payload', payload]]),
        ['n', `${++authorizations}`],
      ],
    },
    key,
  );
  const header = `Nostr ${Buffer.from(JSON.stringify(event)).toString('base64')}`;
  return draft.tamper?.(header) ?? header;
}

/** Sends one request with exactly these headers and Host. */
export function ask(
  url: string,
  body: string,
  headers: Record<string, string> = JSON_TYPE,
  method = 'POST',
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => {
        let parsed: Answered['body'] = {};
        try {
          parsed = JSON.parse(text) as Answered['body'];
        } catch {
          // Not every rejection is JSON.
        }
        resolve({ status: answer.statusCode!, headers: answer.headers, text, body: parsed });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Client of the HTTP API of `/admin`, which sends the requests that the browser code sends. */
export class AdminPage {
  readonly url: string;
  /** Session cookie as `name=token`, or '' before the login. */
  cookie = '';
  /** Headers sent with every request, in addition to the needed ones. */
  headers: Record<string, string> = {};

  constructor(httpUrl: string) {
    this.url = httpUrl;
  }

  /** Returns a client that has logged in. @throws Error with the answer if the login fails. */
  static async open(httpUrl: string, key: Uint8Array): Promise<AdminPage> {
    const page = new AdminPage(httpUrl);
    const answer = await page.login(key);
    if (answer.status !== 200) throw new Error(`no login: ${answer.text}`);
    return page;
  }

  async login(key: Uint8Array, draft: Draft = {}): Promise<Answered> {
    const authorization = nip98(key, `${this.url}/admin/login`, '{}', draft);
    return this.loginBy(authorization);
  }

  async loginBy(authorization: string): Promise<Answered> {
    const answer = await ask(`${this.url}/admin/login`, '{}', this.#headers({ authorization }));
    const [set] = answer.headers['set-cookie'] ?? [];
    if (set !== undefined) this.cookie = set.split(';')[0]!;
    return answer;
  }

  async logout(): Promise<Answered> {
    return ask(`${this.url}/admin/logout`, '{}', this.#headers());
  }

  /** Calls an RPC method and returns the whole HTTP answer. */
  answer(method: string, params?: unknown): Promise<Answered> {
    return ask(`${this.url}/admin/api`, JSON.stringify({ method, params }), this.#headers());
  }

  /** Calls an RPC method and returns its result. @throws Error with kind and message. */
  async ask<V extends PageMethod>(
    method: V,
    params?: PageMethods[V]['params'],
  ): Promise<PageMethods[V]['result']> {
    const { status, body } = await this.answer(method, params);
    if (status === 200 && body.error === undefined) return body.result as PageMethods[V]['result'];
    throw new Error(`${status} ${body.error?.kind}: ${body.error?.message}`);
  }

  session(): Promise<Session> {
    return this.ask('session');
  }

  #headers(more: Record<string, string> = {}): Record<string, string> {
    return {
      ...JSON_TYPE,
      ...(this.cookie !== '' && { Cookie: this.cookie }),
      ...this.headers,
      ...more,
    };
  }
}
