import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { Config } from '../config/options.ts';
import type { ManagementRequest } from '../messages.ts';

/** The content type of the relay management API (NIP-86). */
const RPC = 'application/nostr+json+rpc';
/** How long a request may take until it is answered. */
const PATIENCE_MILLISECONDS = 20_000;
const AUTHORIZATION_LENGTH_MAX = 16_384;

/** What a browser may do; `*` does not cover Authorization. */
const CORS: readonly [string, string][] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Headers', '*, Authorization'],
  ['Access-Control-Allow-Methods', 'GET, POST, OPTIONS'],
];

/**
 * The management requests on their way: io takes their bytes and passes them on to the admin room,
 * which alone knows what they mean and who may ask. Bounds: `admin.request_bytes_max` a request,
 * `admin.requests_max` at once, a quarter of them from one address.
 */
export class Management {
  #config: Config;
  readonly #send: (request: ManagementRequest) => boolean;
  readonly #open = new Map<number, { res: HttpResponse; ip: string; timer: NodeJS.Timeout }>();
  #last = 0;

  /** `send` passes a request on, and answers false when nobody is there to take it. */
  constructor(config: Config, send: (request: ManagementRequest) => boolean) {
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

  /** Takes a POST request. `ip` is the client's address. */
  take(res: HttpResponse, req: HttpRequest, ip: string): void {
    const { request_bytes_max: bytesMax, requests_max: max } = this.#config.admin;
    const authorization = req.getHeader('authorization');
    const host = req.getHeader('host');
    const url = req.getUrl() + (req.getQuery() ? `?${req.getQuery()}` : '');
    const open = [...this.#open.values()].filter((one) => one.ip === ip).length;
    if (this.#open.size >= max || open >= Math.ceil(max / 4)) {
      refuse(res, '503 Service Unavailable', 'too many requests are under way; try again');
      return;
    }
    if (authorization.length > AUTHORIZATION_LENGTH_MAX) {
      refuse(res, '401 Unauthorized', 'the Authorization header is too long');
      return;
    }
    const n = ++this.#last;
    const timer = setTimeout(() => this.#end(n)?.close(), PATIENCE_MILLISECONDS);
    this.#open.set(n, { res, ip, timer });
    res.onAborted(() => this.#end(n));
    const parts: Buffer[] = [];
    let length = 0;
    res.onData((chunk, isLast) => {
      if (!this.#open.has(n)) return;
      length += chunk.byteLength;
      if (length > bytesMax) {
        this.#end(n);
        refuse(res, '413 Content Too Large', `a request has at most ${bytesMax} bytes`);
        return;
      }
      // The memory dies with the callback.
      parts.push(Buffer.from(new Uint8Array(chunk)));
      if (!isLast) return;
      const body = new Uint8Array(Buffer.concat(parts));
      if (!this.#send({ n, authorization, host, url, body })) {
        this.#end(n);
        refuse(res, '503 Service Unavailable', 'this relay cannot be managed now; try again');
      }
    });
  }

  /** Answers a request that the admin room has dealt with. */
  answer(n: number, status: string, body: string): void {
    const res = this.#end(n);
    if (res) write(res, status, body);
  }

  /** The admin room has died, and with it what it was asked. */
  forget(): void {
    for (const n of [...this.#open.keys()]) {
      this.answer(n, '503 Service Unavailable', JSON.stringify({ error: 'try again' }));
    }
  }

  #end(n: number): HttpResponse | null {
    const open = this.#open.get(n);
    this.#open.delete(n);
    if (open === undefined) return null;
    clearTimeout(open.timer);
    return open.res;
  }
}

function refuse(res: HttpResponse, status: string, error: string): void {
  write(res, status, JSON.stringify({ error }));
}

function write(res: HttpResponse, status: string, body: string): void {
  res.cork(() => {
    res.writeStatus(status);
    for (const [name, value] of CORS) res.writeHeader(name, value);
    res.writeHeader('Content-Type', RPC);
    res.end(body, true);
  });
}
