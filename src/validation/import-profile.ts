// Validation profile of `wok import`. One belongs to each checking thread, and to each ingester
// worker.

import { type Rejection, refuse } from '../access/rejection.ts';
import type { Clock } from '../lib/clock.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventSize } from '../protocol/event-check.ts';
import { isExpired } from '../protocol/expiration.ts';
import { isEphemeral, KIND_AUTH } from '../protocol/kinds.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { StoredIds } from '../store/index/stored-ids.ts';
import type { ValidationProfile } from './event-validator.ts';
import type { KindLimits } from './kind-limits.ts';

/**
 * Profile of events from the operator's own file. Checks that protect a relay from its clients are
 * left out: age, publisher (NIP-70), rates and lists. Checks that keep the database consistent
 * stay.
 */
export class ImportProfile implements ValidationProfile {
  /** Configured limits; null: only events that the store itself cannot hold are rejected. */
  limits: KindLimits | null;
  readonly #stored: StoredIds;
  readonly #clock: Clock;

  constructor(limits: KindLimits | null, stored: StoredIds, clock: Clock) {
    this.limits = limits;
    this.#stored = stored;
    this.#clock = clock;
  }

  claimed(event: NostrEvent, bytes: number): Rejection | null {
    const refusal =
      (this.limits && checkEventSize(event, this.limits.of(event.kind), bytes)) ??
      checkKind(event, this.#clock.seconds());
    return refusal && refuse('limits', refusal);
  }

  /** The writer finds duplicates within an import. */
  isStored({ id }: NostrEvent, term: number): boolean {
    return this.#stored.has(id, term);
  }

  proven(): null {
    return null;
  }
}

/** Returns the refusal of an event that is never stored, from any source. */
function checkKind(event: NostrEvent, nowSeconds: number): Refusal | null {
  if (event.kind === KIND_AUTH) {
    return 'invalid: kind 22242 authenticates a connection and is not stored';
  }
  if (isEphemeral(event.kind)) return 'invalid: ephemeral events are not stored';
  return isExpired(event, nowSeconds) ? 'invalid: event has expired' : null;
}
