import type { Config } from './options.ts';

/** What needs to know the relay's own addresses, and what it is without them. */
const NEEDS: readonly {
  /** The options because of which it is needed. */
  readonly options: (config: Config) => readonly (string | false)[];
  readonly weaker: string;
}[] = [
  {
    options: ({ auth, membership }) => [
      auth.required !== 'none' && 'auth.required',
      auth.dm_inbox && 'auth.dm_inbox',
      membership.enabled && 'membership.enabled',
    ],
    weaker:
      'an authentication (NIP-42) counts for whatever host the client says it connected to, so another relay can pass on one that was made for it',
  },
  {
    options: ({ admin, info }) => [
      admin.pubkeys.length > 0 && 'admin.pubkeys',
      admin.moderators.length > 0 && 'admin.moderators',
      info.pubkey !== '' && 'info.pubkey',
    ],
    weaker:
      'an authorization to manage the relay (NIP-98) counts for whatever host it was sent to, and behind a proxy that changes the Host header none does',
  },
];

/** What else does not work; by itself it is no reason to warn, for every relay comes with it. */
const VANISH = 'requests to vanish (NIP-62) that name this relay are not carried out';

/**
 * One sentence about what does not work or is weaker while `identity.urls` is empty, or null when it is
 * not empty or nothing that was switched on needs it.
 */
export function identityAdvice(config: Config): string | null {
  if (config.identity.urls.length > 0) return null;
  const found = NEEDS.flatMap(({ options, weaker }) => {
    const because = options(config).filter((option) => option !== false);
    return because.length === 0 ? [] : [`${weaker} (${because.join(', ')})`];
  });
  if (found.length === 0) return null;
  if (config.identity.vanish) found.push(`${VANISH} (identity.vanish)`);
  return `identity.urls is empty; until it is set to the public addresses of this relay, like [identity] urls = ["wss://relay.example"], ${found.join('; ')}`;
}
