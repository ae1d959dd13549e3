// Requests to vanish (NIP-62): which relays one names, and which events and filters it covers.

import type { NostrEvent } from './event.ts';
import type { Filter } from './filter.ts';
import { isGiftWrap } from './kinds.ts';
import { relayAddress } from './relay-url.ts';

/** Value of the `relay` tag of a request to vanish that is meant for every relay (NIP-62). */
const ALL_RELAYS = 'ALL_RELAYS';

/** Returns the relays that a request to vanish (NIP-62) names. */
export function relaysToVanishFrom({ tags }: Pick<NostrEvent, 'tags'>): string[] {
  return tags.flatMap((tag) => (tag[0] === 'relay' && tag[1] ? [tag[1]] : []));
}

/**
 * Returns true if a request to vanish is meant for a relay that has these addresses
 * (`relayAddress`). The Host header of the client is not among them: otherwise any client could
 * replay a request that was meant for another relay to this one.
 */
export function vanishesFrom(event: NostrEvent, addresses: readonly string[]): boolean {
  return relaysToVanishFrom(event).some(
    (url) => url === ALL_RELAYS || addresses.includes(relayAddress(url)),
  );
}

/** Key that has vanished, with all its events up to a `created_at`. */
export interface GoneKey {
  pubkey: string;
  until: number;
}

/** Returns true if a request to vanish covers an event: its own, and gift wraps for it (NIP-59). */
export function isOf({ pubkey, until }: GoneKey, event: NostrEvent): boolean {
  if (event.created_at > until) return false;
  if (event.pubkey === pubkey) return true;
  return (
    isGiftWrap(event.kind) && event.tags.some(([name, value]) => name === 'p' && value === pubkey)
  );
}

/** Returns true if a filter may have matched events that a request to vanish covers. */
export function mayHaveHad(filter: Filter, { pubkey, until }: GoneKey): boolean {
  if (filter.matchesNothing || (filter.since ?? 0) > until) return false;
  const { authors, kinds, tags } = filter;
  if (authors === null || authors.includes(pubkey)) return true;
  if (kinds !== null && !kinds.some(isGiftWrap)) return false;
  return tags.every(({ letter, values }) => letter !== 'p' || values.includes(pubkey));
}
