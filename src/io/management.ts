// Forwarding of management requests to the admin worker, owned by the main thread.

import type { HttpRequest } from 'uWebSockets.js';
import type { Config } from '../config/options.ts';
import type { AdminCall, ForIo, ManagementRequest } from '../messages/admin-io.ts';
import { CallerRank } from './caller-rank.ts';
import { answer, CORS, type Header } from './http-answer.ts';
import {
  RANK_ANONYMOUS,
  RequestSlots,
  type SlotBounds,
  type SlotRequest,
} from './request-slots.ts';
import type { HttpResponse } from './uws.ts';

/** Content type of the relay management API (NIP-86). */
const RPC = 'application/nostr+json+rpc';
/**
 * Timeout for the body of a request, and its maximum as a share of `io.handshake_seconds`, after
 * which the connection is closed without a response.
 */
const BODY_MILLISECONDS_MAX = 5_000;
const SHARE_OF_HANDSHAKE = 0.6;
/** Timeout for the response once the body is complete. */
const ANSWER_MILLISECONDS = 20_000;
/** Response to a management request that names no key of an admin or moderator. */
const UNKNOWN_KEY =
  'an Authorization header with the scheme Nostr (NIP-98) of an admin or moderator is needed';
const AUTHORIZATION_LENGTH_MAX = 16_384;
const COOKIE_LENGTH_MAX = 8_192;

const RPC_HEADERS: readonly Header[] = [...CORS, ['Content-Type', RPC]];
/** Headers that deny access to pages of other origins and to caches. */
const CALL_HEADERS: readonly Header[] = [
  ['Content-Type', 'application/json; charset=utf-8'],
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
];

/** Client of a call, as far as io knows it. */
export type CallClient = Pick<AdminCall, 'ip' | 'encrypted'>;

/** Request that is not answered yet. */
interface Open extends SlotRequest {
  readonly n: number;
  readonly res: HttpResponse;
  readonly isCall: boolean;
  timer: NodeJS.Timeout;
  parts: Buffer[];
  readonly make: (n: number, body: Uint8Array) => ManagementRequest | AdminCall;
}

/** Response of the admin worker. */
type Answer = Omit<ForIo & { t: 'answer' }, 't'>;

/**
 * Forwarder of requests to the admin worker, from the management API (NIP-86) and the admin page.
 * io only collects their bytes; the admin worker alone parses and authorises them.
 *
 * Bounds: `admin.requests_max` requests that the worker has at once, a quarter of them from one
 * network (an IPv6 /64), and 512 that arrive or wait; `admin.request_bytes_max` a request, and that
 * times `admin.requests_max` in all. `RequestSlots` selects the requests that are rejected beyond
 * them.
 */
export class Management {
  #config: Config;
  readonly #send: (request: ManagementRequest | AdminCall) => boolean;
  readonly #networkOf: (ip: string) => string;
  readonly #slots: RequestSlots<Open>;
  readonly #ranks: CallerRank;
  readonly #open = new Map<number, Open>();
  #last = 0;

  /**
   * @param send passes a request on; returns false while there is no admin worker.
   * @param networkOf returns the network name under which an address is counted.
   */
  constructor(
    config: Config,
    send: (request: ManagementRequest | AdminCall) => boolean,
    networkOf: (ip: string) => string,
  ) {
    this.#config = config;
    this.#send = send;
    this.#networkOf = networkOf;
    this.#slots = new RequestSlots(boundsOf(config));
    this.#ranks = new CallerRank(config);
  }

  reconfigure(config: Config): void {
    this.#config = config;
    this.#slots.bounds = boundsOf(config);
    this.#ranks.reconfigure(config);
  }

  /** Returns true if a request is for the management API. */
  static concerns(req: HttpRequest): boolean {
    const [type = ''] = req.getHeader('content-type').split(';');
    return type.trim().toLowerCase() === RPC;
  }

  /** Accepts a POST request of the management API. `ip` is the client's address. */
  take(res: HttpResponse, req: HttpRequest, ip: string): void {
    const authorization = req.getHeader('authorization');
    const host = req.getHeader('host');
    const url = req.getUrl() + (req.getQuery() ? `?${req.getQuery()}` : '');
    if (authorization.length > AUTHORIZATION_LENGTH_MAX) {
      refuse(res, false, '401 Unauthorized', 'the Authorization header is too long');
      return;
    }
    const rank = this.#ranks.of(authorization, '');
    // The body is not read, because it cannot change the response.
    if (rank === RANK_ANONYMOUS) {
      refuse(res, false, '401 Unauthorized', UNKNOWN_KEY);
      return;
    }
    const make = (n: number, body: Uint8Array): ManagementRequest => ({
      t: 'management',
      n,
      authorization,
      host,
      url,
      body,
    });
    this.#collect(res, ip, rank, false, make);
  }

  /** Accepts a POST request of the admin page. */
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
    const rank = this.#ranks.of(head.authorization, head.cookie);
    const make = (n: number, body: Uint8Array): AdminCall => ({
      t: 'call',
      n,
      ...head,
      ...client,
      body,
    });
    this.#collect(res, client.ip, rank, true, make);
  }

  /** Sends the response of the admin worker to a request. */
  answer({ n, status, body, headers = [] }: Answer): void {
    for (const [name, value] of headers) if (name === 'Set-Cookie') this.#ranks.learn(value);
    const open = this.#open.get(n);
    if (open === undefined) return;
    this.#end(open);
    answer(open.res, status, [...headersFor(open.isCall), ...headers], body);
    this.#ask();
  }

  /** True if a complete request waits for its answer. */
  get isAnswering(): boolean {
    return this.#slots.isAnswering;
  }

  /** Rejects all open requests and forgets all sessions, which ended with the admin worker. */
  forget(): void {
    this.#ranks.forget();
    for (const open of this.#slots.requests) {
      this.#refuse(
        open,
        '503 Service Unavailable',
        'the admin worker of this relay was restarted; try again',
      );
    }
  }

  /** Collects a body, then passes the request built by `make` on as soon as a slot is free. */
  #collect(res: HttpResponse, ip: string, rank: number, isCall: boolean, make: Open['make']): void {
    const n = ++this.#last;
    const network = this.#networkOf(ip);
    const late = () =>
      this.#refuse(open, '408 Request Timeout', 'the request body did not arrive in time');
    const timer = setTimeout(late, bodyMilliseconds(this.#config));
    const open: Open = { n, res, network, rank, isCall, timer, make, parts: [], bytes: 0 };
    this.#open.set(n, open);
    this.#slots.begin(open);
    res.onAborted(() => {
      this.#end(open);
      this.#ask();
    });
    res.onData((chunk, isLast) => this.#take(open, chunk, isLast));
    this.#bound();
  }

  #take(open: Open, chunk: ArrayBuffer, isLast: boolean): void {
    if (!this.#slots.has(open)) return;
    const { request_bytes_max: bytesMax } = this.#config.admin;
    // Copied, because the memory is invalid after the callback.
    open.parts.push(Buffer.from(new Uint8Array(chunk)));
    this.#slots.grow(open, chunk.byteLength);
    if (open.bytes > bytesMax) {
      this.#refuse(
        open,
        '413 Content Too Large',
        `the request is too large, the limit is ${bytesMax} bytes`,
      );
      return;
    }
    if (isLast) {
      this.#slots.complete(open);
      clearTimeout(open.timer);
      open.timer = setTimeout(() => {
        this.#end(open);
        open.res.close();
        this.#ask();
      }, ANSWER_MILLISECONDS);
      this.#ask();
    }
    this.#bound();
  }

  /** Passes on the requests that may have a slot now. */
  #ask(): void {
    for (let open = this.#slots.next(); open !== null; open = this.#slots.next()) {
      const body = new Uint8Array(Buffer.concat(open.parts));
      open.parts = [];
      if (!this.#send(open.make(open.n, body))) {
        const why = 'the management API is not available at the moment; try again';
        this.#refuse(open, '503 Service Unavailable', why);
      }
    }
  }

  /** Rejects requests beyond the bounds. */
  #bound(): void {
    for (let open = this.#slots.surplus(); open !== null; open = this.#slots.surplus()) {
      const why = 'too many management requests in progress; try again';
      this.#refuse(open, '503 Service Unavailable', why);
    }
  }

  #refuse(open: Open, status: string, error: string): void {
    if (this.#end(open)) refuse(open.res, open.isCall, status, error);
  }

  #end(open: Open): boolean {
    clearTimeout(open.timer);
    open.parts = [];
    this.#open.delete(open.n);
    return this.#slots.end(open);
  }
}

function bodyMilliseconds({ io }: Config): number {
  const handshake = io.handshake_seconds * 1000 * SHARE_OF_HANDSHAKE;
  return handshake > 0 ? Math.min(BODY_MILLISECONDS_MAX, handshake) : BODY_MILLISECONDS_MAX;
}

function boundsOf({ admin }: Config): SlotBounds {
  const { requests_max: askedMax, request_bytes_max: bytesMax } = admin;
  return { askedMax, bytesMax: askedMax * bytesMax };
}

/** Answers a request with another method where only POST is accepted. */
export function refuseMethod(res: HttpResponse, isHead: boolean): void {
  const error = { kind: 'method', message: 'Only POST is supported here.' };
  const headers: readonly Header[] = [...CALL_HEADERS, ['Allow', 'POST']];
  answer(res, '405 Method Not Allowed', headers, isHead ? '' : JSON.stringify({ error }));
}

/** Answers an admin page call that does not reach the worker (`PageError` in `web/api/api.ts`). */
function refuseCall(res: HttpResponse, status: string, kind: string, message: string): void {
  answer(res, status, CALL_HEADERS, JSON.stringify({ error: { kind, message } }));
}

function refuse(res: HttpResponse, isCall: boolean, status: string, error: string): void {
  if (isCall) {
    const kind = status.startsWith('413') ? 'too_large' : 'unavailable';
    refuseCall(res, status, kind, `${error.charAt(0).toUpperCase()}${error.slice(1)}.`);
  } else answer(res, status, RPC_HEADERS, JSON.stringify({ error }));
}

function headersFor(isCall: boolean): readonly Header[] {
  return isCall ? CALL_HEADERS : RPC_HEADERS;
}
