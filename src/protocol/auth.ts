import { randomUUID } from 'node:crypto';
import type { NostrEvent } from './event.ts';
import { KIND_AUTH } from './kinds.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { Refusal } from './refusal.ts';

/** How far the time of an authentication may be from this clock (NIP-42 says "~10 minutes"). */
export const AUTH_SECONDS = 600;

/** A challenge that nobody can guess: 122 random bits. */
export function newChallenge(): string {
  return randomUUID().replaceAll('-', '');
}

/** What an authentication has to answer. */
export interface AuthDemand {
  /** What the connection was sent; '' when nothing was. */
  challenge: string;
  own: OwnAddresses;
  nowSeconds: number;
}

/** Whether an event answers a challenge (NIP-42); its id and signature are not looked at. */
export function checkAuth(event: NostrEvent, demand: AuthDemand): Refusal | null {
  if (event.kind !== KIND_AUTH) return 'invalid: an authentication is an event of kind 22242';
  if (Math.abs(demand.nowSeconds - event.created_at) > AUTH_SECONDS) {
    return `invalid: created_at is more than ${AUTH_SECONDS} seconds from the time of this relay`;
  }
  const challenges = valuesOf(event, 'challenge');
  if (demand.challenge === '' || !challenges.includes(demand.challenge)) {
    return 'invalid: the challenge is not the one that this relay sent on this connection';
  }
  const { own } = demand;
  if (!relaysOf(event).some((url) => own.has(url))) {
    // Without a configured address it is no fault of the client.
    return `${own.isConfigured ? 'invalid' : 'error'}: the relay tag ${own.unlike}`;
  }
  return null;
}

/** The relays that an authentication is meant for. */
export function relaysOf(event: NostrEvent): string[] {
  return valuesOf(event, 'relay');
}

function valuesOf({ tags }: NostrEvent, name: string): string[] {
  return tags.flatMap((tag) => (tag[0] === name && tag[1] ? [tag[1]] : []));
}
