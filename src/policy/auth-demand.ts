// Rules that tell from the configuration whether clients have to authenticate (NIP-42).

import type { Config } from '../config/options.ts';
import { hasAccessRules } from './rules/access.ts';

/**
 * Returns true if something that every client does, reading or writing, can require authentication.
 */
function requiresAuth(config: Config): boolean {
  const { auth, membership, policy } = config;
  return (
    auth.required !== 'none' ||
    auth.dm_inbox ||
    (membership.enabled && membership.restrict_reads) ||
    (hasAccessRules(config) && policy.access_for !== 'author')
  );
}

/** Returns true if the challenge is sent at connect (`auth.challenge`). */
export function challengesAtConnect(config: Config): boolean {
  const { challenge } = config.auth;
  return challenge === 'connect' || (challenge === 'auto' && requiresAuth(config));
}
