import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { finalizeEvent } from 'nostr-tools/pure';
import type { PageError, PageVerb, PageVerbs, Session } from '../../src/admin/page-api/api.ts';
import { now } from './author.ts';

/** An answer of the page's API. */
export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** As text, and what it says. */
  text: string;
  body: { result?: unknown; error?: PageError };
}

/** What a test wants to be otherwise with a login. */
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

/** An Authorization header (NIP-98) for a POST of this body to this address. */
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

/** One request with exactly these headers beside Host. */
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
          // Not every refusal is JSON.
        }
        resolve({ status: answer.statusCode!, headers: answer.headers, text, body: parsed });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Somebody at the page `/admin`, as the browser's code asks. */
export class AdminPage {
  readonly url: string;
  /** `name=token`, or ''. */
  cookie = '';
  /** Sent with every request, on top of what is needed. */
  headers: Record<string, string> = {};

  constructor(httpUrl: string) {
    this.url = httpUrl;
  }

  /** Somebody who has logged in. */
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

  /** Asks and returns the whole answer. */
  answer(verb: string, params?: unknown): Promise<Answered> {
    return ask(`${this.url}/admin/api`, JSON.stringify({ verb, params }), this.#headers());
  }

  /** Asks and returns the result. @throws Error with kind and message. */
  async ask<V extends PageVerb>(
    verb: V,
    params?: PageVerbs[V]['params'],
  ): Promise<PageVerbs[V]['result']> {
    const { status, body } = await this.answer(verb, params);
    if (status === 200 && body.error === undefined) return body.result as PageVerbs[V]['result'];
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
