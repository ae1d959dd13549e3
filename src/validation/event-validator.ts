// Validation of events, up to the signature. Each thread that takes in events owns a validator.

import { type Rejection, refuse } from '../access/rejection.ts';
import { element } from '../lib/assert.ts';
import type { ConnectionSource } from '../messages/io-ingester.ts';
import type { Client } from '../policy/rates/rates.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventShape } from '../protocol/event-check.ts';
import { EventText } from '../protocol/event-text.ts';
import type { MessageScan } from '../protocol/message-scan.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';
import { type ValidatedEvent, validatedEvent } from '../store/event.ts';
import { TERM_INDEX_ID, type TermHasher } from '../store/index/terms.ts';

const WRONG_ID = refuse('id', 'invalid: id is not the SHA-256 of the event');
const DUPLICATE = refuse('duplicate', 'duplicate: this relay has this event already');
const WRONG_SIGNATURE = refuse(
  'signature',
  'invalid: sig is not the signature of the id by the pubkey',
);

/** Verifier of signatures. */
type Verifier = Pick<SignatureBackend, 'verify'>;

/** Connection that an event came from. */
export interface EventSource {
  /** Client to charge; null for exempt clients and for events that no client sent. */
  readonly client: Client | null;
  /** Public keys that have authenticated on the connection (NIP-42). */
  readonly authed: ReadonlySet<string>;
  /** `stream` or `sync` if the events come from another relay. */
  readonly source: ConnectionSource;
}

/** Source of events that no connection brought. */
const NO_CONNECTION: EventSource = { client: null, authed: new Set(), source: 'client' };

/**
 * Validation profile: the checks that depend on where events come from. `EventValidator` calls them
 * in this order for one event after the other, so a profile may keep what it needs in between.
 */
export interface ValidationProfile {
  /**
   * Checks what the event claims, before its id and signature are checked: limits and rules.
   * `bytes` is the length of its canonical JSON.
   */
  claimed(event: NostrEvent, bytes: number, from: EventSource): Rejection | null;
  /**
   * Returns true if the event is stored already: it was verified then, and goes no further. `term`
   * is that of its id.
   */
  isStored(event: NostrEvent, term: number): boolean;
  /** Checks an event that is certainly signed by its author. */
  proven(): Rejection | null;
}

/**
 * Event validator: checks that an event is well formed, allowed by its profile, new, and signed.
 * Checks run in the order of their cost, so that a bad event costs its sender more than the relay.
 */
export class EventValidator {
  readonly #hasher: TermHasher;
  readonly #profile: ValidationProfile;
  readonly #signature: Verifier | null;
  readonly #text = new EventText();
  // Reused by every check: id, pubkey and signature as bytes.
  readonly #id = Buffer.alloc(32);
  readonly #pubkey = Buffer.alloc(32);
  readonly #sig = Buffer.alloc(64);

  /** @param signature null: signatures are trusted. */
  constructor(hasher: TermHasher, profile: ValidationProfile, signature: Verifier | null) {
    this.#hasher = hasher;
    this.#profile = profile;
    this.#signature = signature;
  }

  /**
   * Returns the validated event, or the rejection with its rule. `value` is the parsed event of
   * `message`, which `scan` has scanned just before.
   */
  check(
    value: unknown,
    message: Buffer,
    scan: MessageScan,
    from = NO_CONNECTION,
  ): ValidatedEvent | Rejection {
    const event = checkEventShape(value);
    if (typeof event === 'string') return refuse('shape', event);
    const text = this.#text;
    text.make(event, message, scan);
    const unwanted = this.#profile.claimed(event, text.json.length, from);
    if (unwanted !== null) return unwanted;
    if (!text.hashesToId(event, message, scan)) return WRONG_ID;
    const terms = this.#hasher.ofEvent(event);
    if (this.#profile.isStored(event, element(terms[TERM_INDEX_ID]))) return DUPLICATE;
    if (!this.#isSigned(event)) return WRONG_SIGNATURE;
    const refused = this.#profile.proven();
    if (refused !== null) return refused;
    return validatedEvent(event, text.json, terms);
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
    if (this.#signature === null) return true;
    this.#id.write(event.id, 'hex');
    this.#pubkey.write(event.pubkey, 'hex');
    this.#sig.write(event.sig, 'hex');
    return this.#signature.verify(this.#sig, this.#id, this.#pubkey);
  }
}
