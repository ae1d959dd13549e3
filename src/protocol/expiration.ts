import type { NostrEvent } from './event.ts';
import { isEphemeral } from './kinds.ts';

/**
 * When the event expires (NIP-40), in seconds since 1970, or null when it never does.
 *
 * Only the first `expiration` tag counts, and only if its value is digits and nothing else, up to
 * 2^53-1. A value that isn't such a number means "never": the tag says nothing a relay could act on.
 * Small values (0 too) are moments long ago like any other. Ephemeral events have no expiration,
 * because they aren't stored.
 */
export function expirationOf(event: NostrEvent): number | null {
  const tags = event.tags;
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i]!;
    if (tag[0] === 'expiration') {
      return isEphemeral(event.kind) ? null : parseSeconds(tag[1]);
    }
  }
  return null;
}

/** True when the event has expired at `nowSeconds`: its expiration is now or earlier. */
export function isExpired(event: NostrEvent, nowSeconds: number): boolean {
  const expiration = expirationOf(event);
  return expiration !== null && expiration <= nowSeconds;
}

function parseSeconds(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]+$/.test(text)) return null;
  const seconds = Number(text);
  return Number.isSafeInteger(seconds) ? seconds : null;
}
