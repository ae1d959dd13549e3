/** Added to the kind of an event that expires (NIP-40), wherever the index keeps a kind. */
const EXPIRES = 65_536;

/** What the index keeps as an event's kind; `expiresAt` is 0 for an event that never expires. */
export function postingKind(kind: number, expiresAt: number): number {
  return expiresAt === 0 ? kind : kind + EXPIRES;
}

export function kindOfPosting(kept: number): number {
  return kept & (EXPIRES - 1);
}

/** Whether the event has to be asked if it has expired. */
export function mayExpire(kept: number): boolean {
  return kept >= EXPIRES;
}
