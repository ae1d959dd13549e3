// Detection of reverse proxies that hide client addresses, owned by the main thread.

import type { HttpRequest } from 'uWebSockets.js';
import { hostname } from 'node:os';
import type { ProxyFault, SeenProxy } from '../config/proxy-advice.ts';
import { isLoopback } from '../lib/loopback.ts';

/** Maximum of proxies that are counted between two reports. */
const PROXIES_MAX = 16;
const REPORT_MILLISECONDS = 1_000;
/** Longest Host header with a port. */
const HOST_LENGTH_MAX = 260;

/** Headers that proxies write and clients do not, in the spelling for display. */
const PROXY_HEADERS = [
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Server',
  'X-Forwarded-For',
  'X-Real-IP',
  'Forwarded',
  'Via',
  'CF-Connecting-IP',
  'True-Client-IP',
].map((shown) => ({ shown, name: shown.toLowerCase() }));

/** Port and encryption of the listening socket, as clients see it without a proxy. */
export interface Reach {
  readonly port: number;
  readonly encrypted: boolean;
}

/**
 * Counter of requests through a proxy that does not pass on the client's address; reports to the
 * admin worker at most once a second. A proxy is recognised by headers that proxies write, and by a
 * Host header that no direct client would send (`foreignHost`). The header Connection proves
 * nothing: some proxies pass it on unchanged.
 */
export class ProxyWatch {
  readonly #send: (seen: SeenProxy[]) => void;
  readonly #count: (fault: ProxyFault) => void;
  readonly #seen = new Map<string, SeenProxy>();
  #timer: NodeJS.Timeout | null = null;

  constructor(send: (seen: SeenProxy[]) => void, count: (fault: ProxyFault) => void) {
    this.#send = send;
    this.#count = count;
  }

  /** Counts a request without a client address because of `fault`, if it came through a proxy. */
  note(req: HttpRequest, proxy: string, fault: ProxyFault, reach: Reach): void {
    const sign = signOf(req, reach);
    if (sign === null) return;
    this.#count(fault);
    const seen = this.#seen.get(proxy);
    if (seen !== undefined) Object.assign(seen, { fault, sign, count: seen.count + 1 });
    else if (this.#seen.size < PROXIES_MAX) {
      this.#seen.set(proxy, { proxy, fault, sign, count: 1 });
    }
    this.#timer ??= setTimeout(() => this.#report(), REPORT_MILLISECONDS).unref();
  }

  /** Forgets the proxies that were seen under the previous options. */
  reset(): void {
    this.#seen.clear();
  }

  #report(): void {
    this.#timer = null;
    const seen = [...this.#seen.values()];
    this.#seen.clear();
    if (seen.length > 0) this.#send(seen);
  }
}

function signOf(req: HttpRequest, reach: Reach): string | null {
  const host = foreignHost(req.getHeader('host'), reach);
  if (host !== null) return `Host ${host}`;
  return PROXY_HEADERS.find(({ name }) => req.getHeader(name) !== '')?.shown ?? null;
}

/**
 * Returns the host of a Host header that no direct client sends, or null. A direct client names the
 * port that it connected to, so a name with another port is that of a proxy. Names of loopback and
 * the name of this machine do not count: tunnels (`ssh -L 8080:localhost:7777`) end there, for
 * local clients.
 */
export function foreignHost(header: string, { port, encrypted }: Reach): string | null {
  if (header === '' || header.length > HOST_LENGTH_MAX) return null;
  const text = `http://${header}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.host === '' || url.username !== '') return null;
  const name = url.hostname.replace(/\.$/, '');
  if (isLoopback(name) || name.endsWith('.localhost') || name === hostname().toLowerCase()) {
    return null;
  }
  // URL omits 80, the standard port of http; a header without a port means that of its scheme.
  const hasPort = /:\d+$/.test(header);
  const named = hasPort ? Number(url.port || 80) : encrypted ? 443 : 80;
  return named === port ? null : name;
}
