// Warning about an empty `identity.urls`, with the features that do not work without it.

import { isLoopback } from '../lib/loopback.ts';
import type { Config } from './options.ts';

/** Features that need the relay's own addresses, and what happens without them. */
const NEEDS: readonly {
  /** Enabled options that need them; `isReached`: clients come from other machines. */
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

/** Further consequence, added to a warning; it is no reason to warn by itself. */
const VANISH = 'requests to vanish (NIP-62) that name this relay are not carried out';

/** Most hosts named in a warning. */
const NAMED_MAX = 3;

/**
 * Returns one sentence about what does not work while `identity.urls` is empty and what to write
 * into the configuration, or null if it is not empty or no enabled option needs it.
 *
 * @param hosts hosts by which clients reached the relay, most frequent first; only those that are
 *   not its own.
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
  return `identity.urls is empty, so only loopback names are recognised as this relay${reached}; until it is set to the public addresses of this relay, like ${line}, ${found.join('; ')}`;
}

/** Returns the line for relay.conf that names a host. */
export function identityLine({ io, tls }: Config, host: string): string {
  // A relay on loopback has a proxy in front, to which clients connect by TLS.
  const isPlain = tls.cert === '' && !isLoopback(io.host) && /^[\d.]+$|^\[/.test(host);
  return `[identity] urls = ["${isPlain ? 'ws' : 'wss'}://${host}"]`;
}
