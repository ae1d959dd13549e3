import type { NostrEvent } from '../../protocol/event.ts';
import { type AuthorAccount, inSeconds, type Rates } from '../rates/rates.ts';
import type { WriteAttempt, WriteRule } from '../rule.ts';

/**
 * The rates of authors, in two steps: before the signature it is only looked at, so that an author who
 * has used them up costs no signature check; they are charged behind it, so that nobody uses up
 * somebody else's.
 */
export function authorRateRules(rates: Rates): WriteRule[] {
  if (!rates.limitsAuthors) return [];
  // The account is asked for twice for each event, and costs a hash. The id of an event that is not
  // proven yet says nothing, so it is the object that is compared.
  let lastEvent: NostrEvent | null = null;
  let last: AuthorAccount | null = null;
  const accountOf = ({ event, client }: WriteAttempt) => {
    if (client === null) return null;
    if (event !== lastEvent) last = rates.author(client, event.pubkey, event.kind);
    lastEvent = event;
    return last;
  };
  const waiting = (attempt: WriteAttempt) => {
    const author = accountOf(attempt);
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
        const author = attempt.isNew ? accountOf(attempt) : null;
        if (author !== null) rates.chargeAuthor(author);
        return null;
      },
    },
  ];
}
