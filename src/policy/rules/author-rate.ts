// Write rules for the event rates of authors.

import type { NostrEvent } from '../../protocol/event.ts';
import { type AuthorQuotaKey, inSeconds, type Rates } from '../rates/rates.ts';
import type { WriteAttempt, WriteRule } from '../rule.ts';

/**
 * Returns the rate rules of authors, in two steps: the rate is checked before the signature, so
 * that an author who has used it up costs no signature check; it is charged after it, so that a
 * client cannot use up the rate of another author.
 */
export function authorRateRules(rates: Rates): WriteRule[] {
  if (!rates.limitsAuthors) return [];
  // The quota key is needed twice for each event, and costs a hash. The id of an event is not
  // proven yet, so the cache compares the object.
  let lastEvent: NostrEvent | null = null;
  let last: AuthorQuotaKey | null = null;
  const quotaOf = ({ event, client }: WriteAttempt) => {
    if (client === null) return null;
    if (event !== lastEvent) last = rates.author(client, event.pubkey, event.kind);
    lastEvent = event;
    return last;
  };
  const waiting = (attempt: WriteAttempt) => {
    const author = quotaOf(attempt);
    return author === null ? 0 : rates.authorWait(author);
  };
  return [
    {
      name: 'rate-pubkey',
      stage: 'claimed',
      check(attempt) {
        const wait = waiting(attempt);
        if (wait === 0) return null;
        return `rate-limited: too many events of this author; try again ${inSeconds(wait)}`;
      },
    },
    {
      name: 'rate-pubkey',
      stage: 'proven',
      check(attempt) {
        const author = attempt.isNew ? quotaOf(attempt) : null;
        if (author !== null) rates.chargeAuthor(author);
        return null;
      },
    },
  ];
}
