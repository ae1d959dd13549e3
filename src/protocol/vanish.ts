import type { NostrEvent } from './event.ts';
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
