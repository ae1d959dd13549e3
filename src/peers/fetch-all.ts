// Reading of all stored events of another relay by REQ, page by page.

import type { NostrEvent } from '../protocol/event.ts';
import { PeerError } from './peer-error.ts';
import type { SyncFilter } from './reconcile.ts';
import type { RelayConnection } from './relay-connection.ts';

/** Events of a page at most; relays with a smaller limit send less. */
const PAGE_EVENTS = 500;
/** Events of a page from which on it may have been cut by a limit of the relay. */
const CUT_EVENTS = 100;

/**
 * Reads the stored events that match a filter, newest first, also from relays that send only some
 * hundred for a REQ: each page ends with the oldest second of the one before. A second with more
 * events than the relay sends at once is left incomplete, and `incomplete` is called with it.
 *
 * @param event is called for each event once; it may return a promise that is awaited.
 * @throws PeerError
 */
export async function fetchAll(
  connection: RelayConnection,
  filter: SyncFilter & { readonly limit?: number },
  event: (event: NostrEvent, json: string) => Promise<void> | void,
  incomplete: (second: number) => void,
): Promise<void> {
  let until = filter.until;
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  /** Ids of the oldest second so far, which the next page begins with. */
  let last = new Set<string>();
  let most = 0;
  while (left > 0) {
    const limit = Math.min(PAGE_EVENTS + last.size, left + last.size);
    const page = await pageOf(connection, {
      ...filter,
      ...(until !== undefined && { until }),
      limit,
    });
    most = Math.max(most, page.length);
    const fresh = page.filter(({ event: { id } }) => !last.has(id)).slice(0, left);
    for (const one of fresh) await event(one.event, one.json);
    left -= fresh.length;
    if (page.length === 0) return;
    const oldest = Math.min(...page.map(({ event: { created_at: time } }) => time));
    if (fresh.length === 0) {
      // Nothing but the second that is known: go below it.
      if (until === oldest && page.length >= Math.max(most, CUT_EVENTS)) incomplete(oldest);
      if (oldest <= (filter.since ?? 0)) return;
      until = oldest - 1;
      last = new Set();
      continue;
    }
    const ofOldest = page.filter(({ event: { created_at: time } }) => time === oldest);
    const isSame = until === oldest;
    last = new Set([...(isSame ? last : []), ...ofOldest.map(({ event: { id } }) => id)]);
    until = oldest;
  }
}

interface Received {
  readonly event: NostrEvent;
  readonly json: string;
}

function pageOf(
  connection: RelayConnection,
  filter: { readonly limit: number },
): Promise<Received[]> {
  return new Promise((resolve, reject) => {
    const page: Received[] = [];
    const close = connection.subscribe([filter], {
      event: (event, json) => {
        page.push({ event, json });
        if (page.length < 2 * filter.limit) return;
        close();
        reject(new PeerError('it sends more events than were asked for'));
      },
      eose: () => {
        close();
        resolve(page);
      },
      closed: (why) => reject(new PeerError(why)),
    });
  });
}
