// Expiration of events (NIP-40).

import type { NostrEvent } from './event.ts';
import { isEphemeral } from './kinds.ts';

/**
 * Returns the time at which the event expires (NIP-40), in seconds since 1970, or null when it
 * never does.
 *
 * Only the first `expiration` tag counts, and only if its value is digits and nothing else, up to
 * 2^53-1. Any other value means "never", because a relay could not act on it. Small values (0 too)
 * are past times like any other. Ephemeral events have no expiration, because they aren't stored.
 */
export function expirationOf(event: NostrEvent): number | null {
  for (const tag of event.tags) {
    if (tag[0] === 'expiration') {
      return isEphemeral(event.kind) ? null : parseSeconds(tag[1]);
    }
  }
  return null;
}

/** Returns true if the event has expired at `nowSeconds`: its expiration is now or earlier. */
export function isExpired(event: NostrEvent, nowSeconds: number): boolean {
  const expiration = expirationOf(event);
  return expiration !== null && expiration <= nowSeconds;
}

function parseSeconds(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]+$/.test(text)) return null;
  const seconds = Number(text);
  return Number.isSafeInteger(seconds) ? seconds : null;
}
