// Client authentication (NIP-42): challenges, and the check of the event that answers one.

import { randomUUID } from 'node:crypto';
import type { NostrEvent } from './event.ts';
import { KIND_AUTH } from './kinds.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { Refusal } from './refusal.ts';

/**
 * Largest allowed distance of created_at from the relay's clock, in seconds (NIP-42 says "~10
 * minutes").
 */
export const AUTH_SECONDS = 600;

/** Returns an unguessable challenge of 122 random bits. */
export function newChallenge(): string {
  return randomUUID().replaceAll('-', '');
}

/** Conditions that an authentication event has to meet. */
interface AuthDemand {
  /** Challenge sent on the connection; '' if none was sent. */
  challenge: string;
  own: OwnAddresses;
  nowSeconds: number;
}

/**
 * Checks that an event answers a challenge (NIP-42); returns null, or the refusal. Its id and
 * signature are not checked here.
 */
export function checkAuth(event: NostrEvent, demand: AuthDemand): Refusal | null {
  if (event.kind !== KIND_AUTH) return 'invalid: an AUTH event must be of kind 22242';
  if (Math.abs(demand.nowSeconds - event.created_at) > AUTH_SECONDS) {
    return `invalid: created_at is more than ${AUTH_SECONDS} seconds from the time of this relay`;
  }
  const challenges = valuesOf(event, 'challenge');
  if (demand.challenge === '' || !challenges.includes(demand.challenge)) {
    return 'invalid: the challenge is not the one that this relay sent on this connection';
  }
  const { own } = demand;
  if (!relaysOf(event).some((url) => own.has(url))) {
    // Without a configured address the client is not at fault.
    return `${own.isConfigured ? 'invalid' : 'error'}: the relay tag ${own.unlike}`;
  }
  return null;
}

/** Returns the relay URLs that an authentication event names. */
export function relaysOf(event: NostrEvent): string[] {
  return valuesOf(event, 'relay');
}

function valuesOf({ tags }: NostrEvent, name: string): string[] {
  return tags.flatMap((tag) => (tag[0] === name && tag[1] ? [tag[1]] : []));
}
