import type { Config } from '../../config/options.ts';
import { KeySet } from '../key-set.ts';
import type { Lists } from '../lists.ts';
import type { WriteRule } from '../rule.ts';

/** Authors whose events are refused. */
export function deniedKeysRule({ policy }: Config): WriteRule | null {
  if (policy.pubkeys_denied.length === 0) return null;
  const denied = KeySet.of(policy.pubkeys_denied);
  return {
    name: 'pubkeys-denied',
    stage: 'claimed',
    check: ({ event }) =>
      denied.has(event.pubkey) ? 'blocked: this relay takes no events of this author' : null,
  };
}

/** The only authors whose events are taken: those of the configuration and those on the list. */
export function allowedKeysRule({ policy }: Config, lists: Lists): WriteRule | null {
  if (policy.pubkeys_allowed.length === 0) return null;
  const allowed = KeySet.of(policy.pubkeys_allowed);
  return {
    name: 'pubkeys-allowed',
    stage: 'claimed',
    check: ({ event, now }) =>
      allowed.has(event.pubkey) || lists.stance('pubkey', event.pubkey, now) === 'allow'
        ? null
        : 'restricted: only some people may write here',
  };
}
