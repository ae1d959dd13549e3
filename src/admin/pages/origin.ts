// Origin check of the admin page, and the addresses of its login.

import type { Config } from '../../config/options.ts';
import { isLoopback } from '../../lib/loopback.ts';
import type { AdminCall } from '../../messages/admin-io.ts';
import { OwnAddresses } from '../../protocol/own-addresses.ts';
import { relayHost } from '../../protocol/relay-url.ts';
import { urlKey } from '../http-auth.ts';

type Head = Pick<AdminCall, 'host' | 'origin' | 'fetchSite' | 'ip' | 'encrypted'>;

/**
 * Returns true if a request comes from the relay's own page, or from no page at all. Browsers state
 * the origin of every POST, and no page can change it: by Sec-Fetch-Site if the address is https or
 * loopback, by Origin always.
 */
export function isOwn(head: Head, config: Config): boolean {
  const { origin, fetchSite } = head;
  if (fetchSite !== '') return fetchSite === 'same-origin';
  if (origin === '') return true;
  if (!URL.canParse(origin)) return false;
  // A page that was loaded unencrypted may have been changed on the network.
  const isPlain = origin.startsWith('http:');
  if (isPlain && head.encrypted) return false;
  const key = hostKey(origin);
  const { urls } = config.identity;
  const isNamed = urls.some((url) => hostKey(url) === key && url.startsWith('ws:') === isPlain);
  return isNamed || ownHost(head, config) === key;
}

/** Returns true if the browser speaks https with the relay, or with a proxy in front of it. */
export function isEncrypted({ encrypted, origin }: Head): boolean {
  return encrypted || origin.startsWith('https://');
}

/**
 * Returns the addresses of the login, in the form of `urlKey`: on the hosts of `identity.urls`, and
 * on the host that the client used if `ownHost` accepts it.
 */
export function loginUrls(head: Head, config: Config): string[] {
  const hosts = [...config.identity.urls.map(hostKey), ownHost(head, config) ?? []].flat();
  return hosts.flatMap((host) => urlKey(`http://${host}/admin/login`) ?? []);
}

/**
 * Returns the host that the client used, if it is one of this relay while `identity.urls` is empty,
 * and in any case for a client that connects directly from this machine by a loopback name, as
 * through a tunnel; else null.
 */
function ownHost({ host, ip }: Head, config: Config): string | null {
  const isLocal = isLoopback(ip) && isLoopback(relayHost(host));
  const own = new OwnAddresses(config);
  const counts = isLocal || (!own.isConfigured && own.has(host));
  return counts && URL.canParse(`http://${host}`) ? hostKey(`http://${host}`) : null;
}

/** Returns the host without a default port: `relay.example` or `127.0.0.1:7777`. */
function hostKey(url: string): string {
  const spelled = url.replace(/^ws(s?):/i, 'http$1:');
  return new URL(spelled).host.replace(/:(80|443)$/, '');
}
