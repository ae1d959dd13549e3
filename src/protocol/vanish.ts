import type { NostrEvent } from './event.ts';
import { relayAddress } from './relay-url.ts';

/** What a request to vanish names instead of a relay, when it is meant for every relay (NIP-62). */
const ALL_RELAYS = 'ALL_RELAYS';

/** The relays that a request to vanish (NIP-62) names. */
export function relaysToVanishFrom({ tags }: Pick<NostrEvent, 'tags'>): string[] {
  return tags.flatMap((tag) => (tag[0] === 'relay' && tag[1] ? [tag[1]] : []));
}

/**
 * Whether a request to vanish is meant for a relay that goes by these addresses (`relayAddress`). The
 * Host header that a client sends has no say here: with it, a request for another relay could be played
 * back to this one.
 */
export function vanishesFrom(event: NostrEvent, addresses: readonly string[]): boolean {
  return relaysToVanishFrom(event).some(
    (url) => url === ALL_RELAYS || addresses.includes(relayAddress(url)),
  );
}
