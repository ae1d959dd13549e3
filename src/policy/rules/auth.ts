// Write rules on authentication: `auth.required` (NIP-42) and protected events (NIP-70).

import type { Config } from '../../config/options.ts';
import { isProtected } from '../../protocol/event-check.ts';
import type { WriteRule } from '../rule.ts';

/** Returns the rule that a client must have authenticated before it may write, if configured. */
export function authRule({ auth }: Config): WriteRule | null {
  if (auth.required !== 'write' && auth.required !== 'all') return null;
  return {
    name: 'auth',
    stage: 'claimed',
    check: ({ authed }) =>
      authed.size > 0
        ? null
        : 'auth-required: writing to this relay requires authentication (NIP-42)',
  };
}

/** Rule for protected events: only the author may publish one (NIP-70). */
export const protectedRule: WriteRule = {
  name: 'protected',
  stage: 'claimed',
  check: ({ event, authed, isMirrored }) => {
    if (!isProtected(event.tags)) return null;
    if (isMirrored) return 'blocked: this event is protected; relays must not pass it on';
    if (authed.has(event.pubkey)) return null;
    if (authed.size === 0) {
      return 'auth-required: this event is protected; only its author may publish it';
    }
    return 'restricted: this event is protected, and its author has not authenticated here';
  },
};
