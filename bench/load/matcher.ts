// Reference implementation of filter matching, to check answers event by event.

import { hashesTo } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';

/** Filter of NIP-01 as a client writes it. */
export interface Filter {
  ids?: string[];
  authors?: string[];
  kinds?: number[];
  since?: number;
  until?: number;
  limit?: number;
  [tag: `#${string}`]: string[];
}

/** Returns true if an event matches a filter, by the plainest code possible. */
function matches(filter: Filter, event: NostrEvent): boolean {
  for (const [key, value] of Object.entries(filter)) {
    if (key === 'ids' && !filter.ids!.includes(event.id)) return false;
    if (key === 'authors' && !filter.authors!.includes(event.pubkey)) return false;
    if (key === 'kinds' && !filter.kinds!.includes(event.kind)) return false;
    if (key === 'since' && event.created_at < filter.since!) return false;
    if (key === 'until' && event.created_at > filter.until!) return false;
    if (!key.startsWith('#')) continue;
    const wanted = value as string[];
    const name = key.slice(1);
    if (!event.tags.some((tag) => tag[0] === name && wanted.includes(tag[1]!))) return false;
  }
  return true;
}

/**
 * Returns the first fault of the stored events that answered `filter`, or undefined. Each id must
 * be the hash of its event; each event must match and come once, and none may be newer than the one
 * before it.
 */
export function answerFault(filter: Filter, events: readonly NostrEvent[]): string | undefined {
  const seen = new Set<string>();
  let newest = Number.POSITIVE_INFINITY;
  for (const event of events) {
    if (!hashesTo(event)) return `event ${event.id} is not what its id says`;
    if (!matches(filter, event)) return `event ${event.id} does not match the filter`;
    if (seen.has(event.id)) return `event ${event.id} came twice`;
    if (event.created_at > newest) return `event ${event.id} is newer than the one before it`;
    newest = event.created_at;
    seen.add(event.id);
  }
  return undefined;
}
