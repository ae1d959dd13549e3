// Validation profile of events that clients publish. Owned by an ingester worker, or by a trial of
// its policy.

import type { AccessLists } from '../access/lists.ts';
import { type Rejection, refuse } from '../access/rejection.ts';
import type { SharedKeys } from '../access/shared-keys.ts';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Rates } from '../policy/rates/rates.ts';
import type { WriteAttempt } from '../policy/rule.ts';
import { WritePolicy } from '../policy/write-policy.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventLimits } from '../protocol/event-check.ts';
import { KIND_VANISH } from '../protocol/kinds.ts';
import type { StoredIds } from '../store/index/stored-ids.ts';
import type { EventSource, ValidationProfile } from './event-validator.ts';
import { KindLimits } from './kind-limits.ts';

const NO_EVENT: NostrEvent = {
  id: '',
  pubkey: '',
  created_at: 0,
  kind: 0,
  tags: [],
  content: '',
  sig: '',
};

/** Dependencies of the profile, beside the configuration. */
interface ClientProfileParts {
  lists: AccessLists;
  keys: SharedKeys;
  rates: Rates;
  clock: Clock;
  /** null: every event counts as new. */
  stored: StoredIds | null;
}

/** Profile of clients: limits of size and time, lists, all write rules, and rates of authors. */
export class ClientProfile implements ValidationProfile {
  #limits: KindLimits;
  #policy: WritePolicy;
  readonly #parts: ClientProfileParts;
  /** Reused by every check. */
  readonly #attempt: WriteAttempt = {
    event: NO_EVENT,
    client: null,
    authed: new Set(),
    isMirrored: false,
    isNew: true,
    now: 0,
  };

  constructor(config: Config, parts: ClientProfileParts) {
    this.#parts = parts;
    this.#limits = new KindLimits(config);
    this.#policy = new WritePolicy(config, parts.lists, parts.keys, parts.rates);
  }

  reconfigure(config: Config): void {
    const { lists, keys, rates } = this.#parts;
    this.#limits = new KindLimits(config);
    this.#policy = new WritePolicy(config, lists, keys, rates);
  }

  claimed(
    event: NostrEvent,
    bytes: number,
    { client, authed, source }: EventSource,
  ): Rejection | null {
    const attempt = this.#attempt;
    attempt.event = event;
    attempt.client = client;
    attempt.isMirrored = source !== 'client';
    attempt.authed = attempt.isMirrored ? new Set([event.pubkey]) : authed;
    attempt.now = this.#parts.clock.seconds();
    const outside = checkEventLimits(event, this.#limits.of(event.kind), attempt.now, bytes);
    return outside === null ? this.#policy.claimed(attempt) : refuse('limits', outside);
  }

  isStored({ id, kind }: NostrEvent, term: number): boolean {
    const { stored } = this.#parts;
    if (stored === null) return false;
    // Ephemeral events are never stored, and only the writer knows the newest events.
    this.#attempt.isNew = !stored.mayHave(term);
    // A request to vanish (NIP-62) goes to the writer even if it is stored: the writer answers it
    // once it has been executed.
    return !this.#attempt.isNew && kind !== KIND_VANISH && stored.has(id, term);
  }

  proven(): Rejection | null {
    return this.#policy.proven(this.#attempt);
  }
}
