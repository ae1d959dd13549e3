import type { NostrEvent } from './event.ts';
import type { Filter } from './filter.ts';
import { isGiftWrap } from './kinds.ts';
import { relayAddress } from './relay-url.ts';

/** What a request to vanish names instead of a relay, when it is meant for every relay (NIP-62). */
const ALL_RELAYS = 'ALL_RELAYS';

/** The relays that a request to vanish (NIP-62) names. */
export function relaysToVanishFrom({ tags }: Pick<NostrEvent, 'tags'>): string[] {
  return tags.flatMap((tag) => (tag[0] === 'relay' && tag[1] ? [tag[1]] : []));
}

/**
 * Whether a request to vanish is meant for a relay that has these addresses (`relayAddress`). The Host
 * header of the client is not among them: otherwise anybody could send a request that was meant for
 * another relay to this one.
 */
export function vanishesFrom(event: NostrEvent, addresses: readonly string[]): boolean {
  return relaysToVanishFrom(event).some(
    (url) => url === ALL_RELAYS || addresses.includes(relayAddress(url)),
  );
}

/** A key that has vanished, up to a `created_at`. */
export interface GoneKey {
  pubkey: string;
  until: number;
}

/** Whether a request to vanish covers an event: its own, and gift wraps for it (NIP-59). */
export function isOf({ pubkey, until }: GoneKey, event: NostrEvent): boolean {
  if (event.created_at > until) return false;
  if (event.pubkey === pubkey) return true;
  return (
    isGiftWrap(event.kind) && event.tags.some(([name, value]) => name === 'p' && value === pubkey)
  );
}

/** Whether a filter may have found events that a request to vanish covers. */
export function mayHaveHad(filter: Filter, { pubkey, until }: GoneKey): boolean {
  if (filter.matchesNothing || (filter.since ?? 0) > until) return false;
  const { authors, kinds, tags } = filter;
  if (authors === null || authors.includes(pubkey)) return true;
  if (kinds !== null && !kinds.some(isGiftWrap)) return false;
  return tags.every(({ letter, values }) => letter !== 'p' || values.includes(pubkey));
}
