import { isLoopback } from '../lib/loopback.ts';
import type { Config } from './options.ts';

/** What depends on the relay's own addresses, and what it is without them. */
const NEEDS: readonly {
  /** The options because of which it is needed; `isReached`: clients come from other machines. */
  readonly options: (config: Config, isReached: boolean) => readonly (string | false)[];
  readonly without: string;
}[] = [
  {
    options: ({ auth, membership }, isReached) => [
      auth.required !== 'none' && 'auth.required',
      auth.dm_inbox && 'auth.dm_inbox',
      membership.enabled && 'membership.enabled',
      isReached && auth.private_kinds.length > 0 && 'auth.private_kinds',
    ],
    without: 'authentications (NIP-42) for any other name are refused',
  },
  {
    options: ({ admin, info }) => [
      admin.pubkeys.length > 0 && 'admin.pubkeys',
      admin.moderators.length > 0 && 'admin.moderators',
      info.pubkey !== '' && 'info.pubkey',
    ],
    without:
      'authorizations to manage the relay (NIP-98, NIP-86 and /admin) for any other name are refused',
  },
];

/** What else does not work; by itself it is no reason to warn. */
const VANISH = 'requests to vanish (NIP-62) that name this relay are not carried out';

/** Hosts that are named; there may be more. */
const NAMED_MAX = 3;

/**
 * One sentence about what does not work while `identity.urls` is empty and what to write into the
 * configuration, or null when it is not empty or nothing that is switched on needs it.
 *
 * @param hosts by which clients were seen to reach the relay, the most frequent first; only those
 *   that are not its own.
 */
export function identityAdvice(config: Config, hosts: readonly string[] = []): string | null {
  if (config.identity.urls.length > 0) return null;
  const isReached = hosts.length > 0 || !isLoopback(config.io.host);
  const found = NEEDS.flatMap(({ options, without }) => {
    const because = options(config, isReached).filter((option) => option !== false);
    return because.length === 0 ? [] : [`${without} (${because.join(', ')})`];
  });
  if (found.length === 0) return null;
  if (config.identity.vanish) found.push(`${VANISH} (identity.vanish)`);
  const line = identityLine(config, hosts[0] ?? 'relay.example');
  const named = hosts.slice(0, NAMED_MAX).join(', ');
  const reached = named === '' ? '' : `; clients reach it as ${named}`;
  return `identity.urls is empty, so only loopback names count as this relay${reached}; until it is set to the public addresses of this relay, like ${line}, ${found.join('; ')}`;
}

/** What to write into relay.conf for a host. */
export function identityLine({ io, tls }: Config, host: string): string {
  // On loopback a proxy stands in front, and clients come to that by TLS.
  const isPlain = tls.cert === '' && !isLoopback(io.host) && /^[\d.]+$|^\[/.test(host);
  return `[identity] urls = ["${isPlain ? 'ws' : 'wss'}://${host}"]`;
}
