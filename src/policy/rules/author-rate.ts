import { inSeconds, type Rates } from '../rates/rates.ts';
import type { WriteAttempt, WriteRule } from '../rule.ts';

/**
 * The rates of authors, in two steps: before the signature it is only looked at, so that an author who
 * has used them up costs no signature check; they are charged behind it, so that nobody uses up
 * somebody else's.
 */
export function authorRateRules(rates: Rates): WriteRule[] {
  if (!rates.limitsAuthors) return [];
  const waiting = ({ event, client }: WriteAttempt) => {
    const author = client === null ? null : rates.author(client, event.pubkey, event.kind);
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
      check({ event, client, isNew }) {
        const author =
          client === null || !isNew ? null : rates.author(client, event.pubkey, event.kind);
        if (author !== null) rates.chargeAuthor(author);
        return null;
      },
    },
  ];
}
