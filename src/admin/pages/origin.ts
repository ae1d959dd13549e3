import type { Config } from '../../config/options.ts';
import type { AdminCall } from '../../messages.ts';
import { urlKey } from '../http-auth.ts';

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
  return URL.canParse(origin) && hostsOf(head, config).includes(hostKey(origin));
}

/** Whether the browser speaks https with the relay, or with what stands in front of it. */
export function isEncrypted({ encrypted, origin }: Head): boolean {
  return encrypted || origin.startsWith('https://');
}

/**
 * The addresses of the login, in the form of `urlKey`: on the hosts of `identity.urls`; else on the host
 * that the client used. That one counts as well for who comes directly from this machine by a name of
 * loopback, as through a tunnel.
 */
export function loginUrls(head: Head, config: Config): string[] {
  return hostsOf(head, config).flatMap((host) => urlKey(`http://${host}/admin/login`) ?? []);
}

function hostsOf({ host, ip }: Head, { identity }: Config): string[] {
  const hosts = identity.urls.map(hostKey);
  const isLocal =
    /^(127\.|::1$)/.test(ip) && /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/i.test(host);
  if ((hosts.length === 0 || isLocal) && URL.canParse(`http://${host}`)) {
    hosts.push(hostKey(`http://${host}`));
  }
  return hosts;
}

/** `relay.example` or `127.0.0.1:7777`: without what may be left out. */
function hostKey(url: string): string {
  const spelled = url.replace(/^ws(s?):/i, 'http$1:');
  return new URL(spelled).host.replace(/:(80|443)$/, '');
}
