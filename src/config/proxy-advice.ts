// Warning about reverse proxies that do not pass on the addresses of their clients, with the
// settings that fix it.

import type { Config } from './options.ts';

/**
 * Reason why the clients of a proxy have no address of their own: the header is missing, its right
 * end is not an address, or the proxy runs on this machine and is not named in
 * `io.trusted_proxies`.
 */
export type ProxyFault = 'missing' | 'malformed' | 'untrusted';

/** Proxy that was seen without the addresses of its clients. */
export interface SeenProxy {
  /** Address of the proxy. */
  proxy: string;
  fault: ProxyFault;
  /** Evidence of a proxy: `Host relay.example`, or the name of a header that proxies write. */
  sign: string;
  /** Number of WebSocket handshakes and requests to manage the relay. */
  count: number;
}

/** Most proxies named in a warning. */
const NAMED_MAX = 3;

const FORWARDED_FOR = 'x-forwarded-for';

/**
 * Returns one sentence about the proxies that were seen without the addresses of their clients, the
 * consequence and the fix; null if there are none.
 */
export function proxyAdvice(config: Config, seen: readonly SeenProxy[]): string | null {
  if (seen.length === 0) return null;
  return `${proxyProblem(config, seen)}; write ${proxyLines(config, seen).join(', or ')}`;
}

/** Returns the sentence without the fix; `seen` has at least one entry. */
export function proxyProblem({ io }: Config, seen: readonly SeenProxy[]): string {
  const header = headerName(io.client_address_header);
  const named = seen.slice(0, NAMED_MAX).map((one) => described(one, header));
  return `clients connect through a reverse proxy that does not pass on their addresses (${named.join('; ')}), so all of them count as one address, by default exempt from rates and bans`;
}

/** Returns the settings that make the addresses of clients known, for the common proxies. */
export function proxyLines({ io }: Config, seen: readonly SeenProxy[]): string[] {
  const lines: string[] = [];
  const untrusted = seen.filter(({ fault }) => fault === 'untrusted').map(({ proxy }) => proxy);
  if (untrusted.length > 0) {
    const all = [...io.trusted_proxies, ...untrusted].map((one) => `"${one}"`).join(', ');
    lines.push(`[io] trusted_proxies = [${all}] into relay.conf`);
  }
  if (untrusted.length === seen.length) return lines;
  const header = headerName(io.client_address_header);
  if (io.client_address_header === FORWARDED_FOR) {
    lines.push(
      `proxy_set_header ${header} $proxy_add_x_forwarded_for; in nginx`,
      'option forwardfor in HAProxy (mode http)',
      'ProxyAddHeaders On in Apache',
      'in Caddy, remove the header_up that removes or replaces it',
    );
  } else {
    lines.push(
      `proxy_set_header ${header} $remote_addr; in nginx`,
      `http-request set-header ${header} %[src] in HAProxy (mode http)`,
      `RequestHeader set ${header} expr=%{REMOTE_ADDR} in Apache`,
      `header_up ${header} {remote_host} in Caddy`,
      `[io] client_address_header = "${FORWARDED_FOR}" into relay.conf for a proxy that sends that`,
    );
  }
  return lines;
}

function described({ proxy, fault, sign, count }: SeenProxy, header: string): string {
  const what = {
    missing: `sends no ${header}`,
    malformed: `sends a ${header} that does not end with an address`,
    untrusted: 'is not in io.trusted_proxies',
  }[fault];
  return `${proxy} ${what}, recognised by ${sign}, ${count} ${count === 1 ? 'time' : 'times'}`;
}

/** Returns a header name in its usual spelling: `X-Forwarded-For` for `x-forwarded-for`. */
function headerName(header: string): string {
  return header.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
