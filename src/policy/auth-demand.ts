/** Configurations under which clients have to authenticate (NIP-42). */
import type { Config } from '../config/options.ts';
import { hasDoors } from './doors/doors.ts';

/** Whether something that every client does, reading or writing, requires authentication. */
export function requiresAuth(config: Config): boolean {
  const { auth, membership, policy } = config;
  return (
    auth.required !== 'none' ||
    auth.dm_inbox ||
    (membership.enabled && membership.restrict_reads) ||
    (hasDoors(config) && policy.doors_for !== 'author')
  );
}

/** Whether the challenge is sent at connect (`auth.challenge`). */
export function challengesAtConnect(config: Config): boolean {
  const { challenge } = config.auth;
  return challenge === 'connect' || (challenge === 'auto' && requiresAuth(config));
}
