// Kinds as the index keeps them, with a mark for events that expire.

/** Offset of the kind of an event that expires (NIP-40), wherever the index keeps a kind. */
const EXPIRES = 65_536;

/** Returns the kind as the index keeps it; `expiresAt` is 0 for an event that never expires. */
export function postingKind(kind: number, expiresAt: number): number {
  return expiresAt === 0 ? kind : kind + EXPIRES;
}

export function kindOfPosting(kept: number): number {
  return kept & (EXPIRES - 1);
}

/** Returns true if the event has an expiration, which has to be looked up. */
export function mayExpire(kept: number): boolean {
  return kept >= EXPIRES;
}
