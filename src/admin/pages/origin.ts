import type { Config } from '../../config/options.ts';
import type { AdminCall } from '../../messages.ts';
import { urlKey } from '../http-auth.ts';

const LOOPBACK_ADDRESS = /^(127\.|::1$)/;
const LOOPBACK_HOST = /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/i;

type Head = Pick<AdminCall, 'host' | 'origin' | 'fetchSite' | 'ip' | 'encrypted'>;

/**
 * Whether a request comes from the relay's own page, or from no page at all. Browsers say from where
 * with every POST, and no page can change what they say: by Sec-Fetch-Site where the address is https or
 * loopback, by Origin everywhere.
 */
export function isOwn(head: Head, config: Config): boolean {
  const { origin, fetchSite } = head;
  if (fetchSite !== '') return fetchSite === 'same-origin';
  if (origin === '') return true;
  if (!URL.canParse(origin)) return false;
  // A page that came unencrypted may have been written by whoever sits on the way.
  const isPlain = origin.startsWith('http:');
  if (isPlain && head.encrypted) return false;
  const key = hostKey(origin);
  const { urls } = config.identity;
  const isNamed = urls.some((url) => hostKey(url) === key && url.startsWith('ws:') === isPlain);
  return isNamed || ownHost(head, config) === key;
}

/** Whether the browser speaks https with the relay, or with what stands in front of it. */
export function isEncrypted({ encrypted, origin }: Head): boolean {
  return encrypted || origin.startsWith('https://');
}

/**
 * The addresses of the login, in the form of `urlKey`: on the hosts of `identity.urls`, and on the host
 * that the client used where that counts.
 */
export function loginUrls(head: Head, config: Config): string[] {
  const hosts = [...config.identity.urls.map(hostKey), ownHost(head, config) ?? []].flat();
  return hosts.flatMap((host) => urlKey(`http://${host}/admin/login`) ?? []);
}

/**
 * The host that the client used, while `identity.urls` is empty, and in any case for who comes directly
 * from this machine by a name of loopback, as through a tunnel; else null.
 */
function ownHost({ host, ip }: Head, { identity }: Config): string | null {
  const isLocal = LOOPBACK_ADDRESS.test(ip) && LOOPBACK_HOST.test(host);
  const counts = identity.urls.length === 0 || isLocal;
  return counts && URL.canParse(`http://${host}`) ? hostKey(`http://${host}`) : null;
}

/** `relay.example` or `127.0.0.1:7777`: without what may be left out. */
function hostKey(url: string): string {
  const spelled = url.replace(/^ws(s?):/i, 'http$1:');
  return new URL(spelled).host.replace(/:(80|443)$/, '');
}
