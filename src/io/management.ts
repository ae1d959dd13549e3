import type { HttpRequest } from 'uWebSockets.js';
import type { Config } from '../config/options.ts';
import type { AdminCall, ForIo, ManagementRequest } from '../messages.ts';
import { answer, type Header } from './http-answer.ts';
import type { HttpResponse } from './uws.ts';

/** The content type of the relay management API (NIP-86). */
const RPC = 'application/nostr+json+rpc';
/** How long a request may take until it is answered. */
const PATIENCE_MILLISECONDS = 20_000;
const AUTHORIZATION_LENGTH_MAX = 16_384;
const COOKIE_LENGTH_MAX = 8_192;

/** What goes with every answer. `*` does not cover Authorization. */
const RPC_HEADERS: readonly Header[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Headers', '*, Authorization'],
  ['Access-Control-Allow-Methods', 'GET, POST, OPTIONS'],
  ['Content-Type', RPC],
];
/** Nothing here is for pages of other origins, nor for a cache. */
const CALL_HEADERS: readonly Header[] = [
  ['Content-Type', 'application/json; charset=utf-8'],
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
];

/** Who makes a call, as far as io can tell. */
export type CallClient = Pick<AdminCall, 'ip' | 'encrypted'>;

interface Open {
  res: HttpResponse;
  ip: string;
  timer: NodeJS.Timeout;
  isCall: boolean;
}

/** The answer of the admin room. */
type Answer = Omit<ForIo & { t: 'answer' }, 't'>;

/**
 * Requests for the admin room on their way, by the management API (NIP-86) or by the page for admins: io
 * takes their bytes and passes them on to the room, which alone knows what they mean and who may ask.
 * Bounds: `admin.request_bytes_max` a request, `admin.requests_max` at once, a quarter of them from one
 * address.
 */
export class Management {
  #config: Config;
  readonly #send: (request: ManagementRequest | AdminCall) => boolean;
  readonly #open = new Map<number, Open>();
  #last = 0;

  /** `send` passes a request on, and answers false when nobody is there to take it. */
  constructor(config: Config, send: (request: ManagementRequest | AdminCall) => boolean) {
    this.#config = config;
    this.#send = send;
  }

  reconfigure(config: Config): void {
    this.#config = config;
  }

  /** Whether a request is for the management API. */
  static concerns(req: HttpRequest): boolean {
    return req.getHeader('content-type').split(';')[0]!.trim().toLowerCase() === RPC;
  }

  /** Takes a POST request of the management API. `ip` is the client's address. */
  take(res: HttpResponse, req: HttpRequest, ip: string): void {
    const authorization = req.getHeader('authorization');
    const host = req.getHeader('host');
    const url = req.getUrl() + (req.getQuery() ? `?${req.getQuery()}` : '');
    if (authorization.length > AUTHORIZATION_LENGTH_MAX) {
      refuse(res, false, '401 Unauthorized', 'the Authorization header is too long');
      return;
    }
    this.#collect(res, ip, false, (n, body) => ({ n, authorization, host, url, body }));
  }

  /** Takes a POST request of the page for admins. */
  takeCall(res: HttpResponse, req: HttpRequest, call: AdminCall['call'], client: CallClient): void {
    const head = {
      call,
      authorization: req.getHeader('authorization'),
      cookie: req.getHeader('cookie'),
      host: req.getHeader('host'),
      origin: req.getHeader('origin'),
      fetchSite: req.getHeader('sec-fetch-site'),
      contentType: req.getHeader('content-type'),
    };
    if (
      head.authorization.length > AUTHORIZATION_LENGTH_MAX ||
      head.cookie.length > COOKIE_LENGTH_MAX
    ) {
      refuseCall(res, '401 Unauthorized', 'unauthenticated', 'The headers are too long.');
      return;
    }
    this.#collect(res, client.ip, true, (n, body) => ({ n, ...head, ...client, body }));
  }

  /** Answers a request that the admin room has dealt with. */
  answer({ n, status, body, headers = [] }: Answer): void {
    const open = this.#end(n);
    if (open) answer(open.res, status, [...headersFor(open.isCall), ...headers], body);
  }

  /** The admin room has died, and with it what it was asked. */
  forget(): void {
    for (const n of [...this.#open.keys()]) {
      const open = this.#end(n);
      if (open) refuse(open.res, open.isCall, '503 Service Unavailable', 'try again');
    }
  }

  /** Collects a body and passes the request on that `request` makes of it. */
  #collect(
    res: HttpResponse,
    ip: string,
    isCall: boolean,
    request: (n: number, body: Uint8Array) => ManagementRequest | AdminCall,
  ): void {
    const { request_bytes_max: bytesMax, requests_max: max } = this.#config.admin;
    const open = [...this.#open.values()].filter((one) => one.ip === ip).length;
    if (this.#open.size >= max || open >= Math.ceil(max / 4)) {
      const why = 'too many requests are under way; try again';
      refuse(res, isCall, '503 Service Unavailable', why);
      return;
    }
    const n = ++this.#last;
    const timer = setTimeout(() => this.#end(n)?.res.close(), PATIENCE_MILLISECONDS);
    this.#open.set(n, { res, ip, timer, isCall });
    res.onAborted(() => this.#end(n));
    const parts: Buffer[] = [];
    let length = 0;
    res.onData((chunk, isLast) => {
      if (!this.#open.has(n)) return;
      length += chunk.byteLength;
      if (length > bytesMax) {
        this.#end(n);
        refuse(res, isCall, '413 Content Too Large', `a request has at most ${bytesMax} bytes`);
        return;
      }
      // The memory dies with the callback.
      parts.push(Buffer.from(new Uint8Array(chunk)));
      if (!isLast) return;
      if (!this.#send(request(n, new Uint8Array(Buffer.concat(parts))))) {
        this.#end(n);
        const why = 'this relay cannot be managed now; try again';
        refuse(res, isCall, '503 Service Unavailable', why);
      }
    });
  }

  #end(n: number): Open | null {
    const open = this.#open.get(n);
    this.#open.delete(n);
    if (open === undefined) return null;
    clearTimeout(open.timer);
    return open;
  }
}

/** Answers what is no POST where only calls of the page are taken. */
export function refuseMethod(res: HttpResponse, isHead: boolean): void {
  const error = { kind: 'method', message: 'This takes POST and nothing else.' };
  const headers: readonly Header[] = [...CALL_HEADERS, ['Allow', 'POST']];
  answer(res, '405 Method Not Allowed', headers, isHead ? '' : JSON.stringify({ error }));
}

/** Answers a call of the page that does not reach the admin room (`PageError` in `admin/page-api`). */
function refuseCall(res: HttpResponse, status: string, kind: string, message: string): void {
  answer(res, status, CALL_HEADERS, JSON.stringify({ error: { kind, message } }));
}

function refuse(res: HttpResponse, isCall: boolean, status: string, error: string): void {
  if (isCall) {
    const kind = status.startsWith('413') ? 'too_large' : 'unavailable';
    refuseCall(res, status, kind, `${error[0]!.toUpperCase()}${error.slice(1)}.`);
  } else answer(res, status, RPC_HEADERS, JSON.stringify({ error }));
}

function headersFor(isCall: boolean): readonly Header[] {
  return isCall ? CALL_HEADERS : RPC_HEADERS;
}
