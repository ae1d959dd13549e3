// Validation of EVENT and AUTH messages in an ingester worker, up to the signature.

import type { AccessLists } from '../access/lists.ts';
import { type Rejection, refuse } from '../access/rejection.ts';
import type { SharedKeys } from '../access/shared-keys.ts';
import type { Config } from '../config/options.ts';
import { element } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { ValidatedEvent } from '../messages/ingester-writer.ts';
import { histogramOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Client, Rates } from '../policy/rates/rates.ts';
import type { WriteAttempt } from '../policy/rule.ts';
import { WritePolicy } from '../policy/write-policy.ts';
import { addressOf } from '../protocol/address.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventLimits, checkEventShape } from '../protocol/event-check.ts';
import { EventText } from '../protocol/event-text.ts';
import { expirationOf } from '../protocol/expiration.ts';
import { isEphemeral, KIND_VANISH } from '../protocol/kinds.ts';
import type { MessageScan } from '../protocol/message-scan.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';
import type { Db } from '../store/database/open.ts';
import type { IdFilter } from '../store/index/id-filter.ts';
import { StoredIds } from '../store/index/stored-ids.ts';
import { TERM_INDEX_ID, type TermHasher } from '../store/index/terms.ts';
import { KindLimits } from './kind-limits.ts';

const WRONG_ID = refuse('id', 'invalid: id is not the SHA-256 of the event');
const DUPLICATE = refuse('duplicate', 'duplicate: this relay has this event already');
const WRONG_SIGNATURE = refuse(
  'signature',
  'invalid: sig is not the signature of the id by the pubkey',
);

const NOBODY: ReadonlySet<string> = new Set();

const NO_EVENT: NostrEvent = {
  id: '',
  pubkey: '',
  created_at: 0,
  kind: 0,
  tags: [],
  content: '',
  sig: '',
};

const VERIFY = histogramOf('wok_verify_seconds');

/** Validated event for the writer, with the values that later stations need. */
export interface CheckedResult extends ValidatedEvent {
  event: NostrEvent;
  /** Canonical JSON, in memory that the next check overwrites. */
  json: Buffer;
}

/** Connection that an event came from. */
export interface EventSource {
  /** Client to charge; null for exempt clients. */
  readonly client: Client | null;
  /** Public keys that have authenticated on the connection (NIP-42). */
  readonly authed: ReadonlySet<string>;
}

/**
 * Event validator: checks that an event is well formed, within the limits, allowed by policy, new,
 * and signed. Checks run in the order of their cost, so that a bad event costs its sender more than
 * the relay.
 */
export class EventValidator {
  #limits: KindLimits;
  #policy: WritePolicy;
  readonly #lists: AccessLists;
  readonly #keys: SharedKeys;
  readonly #rates: Rates;
  readonly #hasher: TermHasher;
  readonly #signature: SignatureBackend;
  readonly #stored: StoredIds;
  readonly #meter: Meter;
  readonly #clock: Clock;
  readonly #text = new EventText();
  /** Reused by every check. */
  readonly #attempt: WriteAttempt = {
    event: NO_EVENT,
    client: null,
    authed: NOBODY,
    isNew: false,
    now: 0,
  };
  // Reused by every check: id, pubkey and signature as bytes.
  readonly #id = Buffer.alloc(32);
  readonly #pubkey = Buffer.alloc(32);
  readonly #sig = Buffer.alloc(64);

  constructor(parts: {
    config: Config;
    db: Db;
    hasher: TermHasher;
    signature: SignatureBackend;
    idFilter: IdFilter;
    lists: AccessLists;
    keys: SharedKeys;
    rates: Rates;
    clock: Clock;
    meter: Meter;
  }) {
    this.#rates = parts.rates;
    this.#limits = new KindLimits(parts.config);
    this.#lists = parts.lists;
    this.#keys = parts.keys;
    this.#policy = new WritePolicy(parts.config, parts.lists, parts.keys, parts.rates);
    this.#hasher = parts.hasher;
    this.#signature = parts.signature;
    this.#stored = new StoredIds(parts.db, parts.idFilter);
    this.#clock = parts.clock;
    this.#meter = parts.meter;
  }

  reconfigure(config: Config): void {
    this.#limits = new KindLimits(config);
    this.#policy = new WritePolicy(config, this.#lists, this.#keys, this.#rates);
  }

  /**
   * Returns the validated event, or the rejection with its rule. `value` is the parsed event of
   * `message`, which `scan` has scanned just before.
   */
  check(
    value: unknown,
    message: Buffer,
    scan: MessageScan,
    { client, authed }: EventSource,
  ): CheckedResult | Rejection {
    const event = checkEventShape(value);
    if (typeof event === 'string') return refuse('shape', event);
    const text = this.#text;
    text.make(event, message, scan);
    const attempt = this.#attempt;
    attempt.event = event;
    attempt.client = client;
    attempt.authed = authed;
    attempt.now = this.#clock.seconds();
    const outside = checkEventLimits(
      event,
      this.#limits.of(event.kind),
      attempt.now,
      text.json.length,
    );
    if (outside !== null) return refuse('limits', outside);
    const unwanted = this.#policy.claimed(attempt);
    if (unwanted !== null) return unwanted;
    if (!text.hashesToId(event, message, scan)) return WRONG_ID;
    const terms = this.#hasher.ofEvent(event);
    // Stored events were verified once. Ephemeral events are never stored, and only the writer
    // knows the newest events.
    attempt.isNew = !this.#stored.mayHave(element(terms[TERM_INDEX_ID]));
    // A request to vanish (NIP-62) goes to the writer even if it is stored: the writer answers it
    // once it has been executed.
    const mayWait = event.kind === KIND_VANISH;
    if (!attempt.isNew && !mayWait && this.#stored.has(event.id, element(terms[TERM_INDEX_ID]))) {
      return DUPLICATE;
    }
    if (!this.#isSigned(event)) return WRONG_SIGNATURE;
    const refused = this.#policy.proven(attempt);
    if (refused !== null) return refused;
    const expiresAt = isEphemeral(event.kind) ? 0 : (expirationOf(event) ?? 0);
    return { event, json: text.json, terms, address: addressOf(event) ?? '', expiresAt };
  }

  /**
   * Checks an event that authenticates a client and is not stored (NIP-42). `demand` checks its
   * claims before its hash and signature are checked.
   */
  checkAuth(
    value: unknown,
    message: Buffer,
    scan: MessageScan,
    demand: (event: NostrEvent) => Refusal | null,
  ): NostrEvent | Refusal {
    const event = checkEventShape(value);
    if (typeof event === 'string') return event;
    const refusal = demand(event);
    if (refusal !== null) return refusal;
    this.#text.make(event, message, scan);
    if (!this.#text.hashesToId(event, message, scan)) return WRONG_ID.refusal;
    return this.#isSigned(event) ? event : WRONG_SIGNATURE.refusal;
  }

  #isSigned(event: NostrEvent): boolean {
    this.#id.write(event.id, 'hex');
    this.#pubkey.write(event.pubkey, 'hex');
    this.#sig.write(event.sig, 'hex');
    const startedAt = performance.now();
    const isSigned = this.#signature.verify(this.#sig, this.#id, this.#pubkey);
    this.#meter.observe(VERIFY, (performance.now() - startedAt) / 1000);
    return isSigned;
  }
}
