// Event validator of an import. One belongs to each checking thread.

import { element } from '../lib/assert.ts';
import { addressOf } from '../protocol/address.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { checkEventShape, checkEventSize } from '../protocol/event-check.ts';
import { EventText } from '../protocol/event-text.ts';
import { expirationOf, isExpired } from '../protocol/expiration.ts';
import { isEphemeral, KIND_AUTH } from '../protocol/kinds.ts';
import { MessageScan } from '../protocol/message-scan.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { SignatureBackend } from '../protocol/signature/backend.ts';
import type { StoredIds } from '../store/index/stored-ids.ts';
import { TERM_INDEX_ID, type TermHasher } from '../store/index/terms.ts';
import type { CheckedResult } from './event-validator.ts';
import type { KindLimits } from './kind-limits.ts';

/** Result for an event that is stored already. */
export const DUPLICATE: Refusal = 'duplicate: this event is stored already';

const MESSAGE_START = Buffer.from('["EVENT",');
/** Nesting levels that the message around an event adds. */
const MESSAGE_DEPTH = 1;

/** Dependencies of an event validator. */
interface ImportValidatorParts {
  /** null: only events that the store itself cannot hold are rejected. */
  limits: KindLimits | null;
  depthMax: number;
  hasher: TermHasher;
  /** null: signatures are not checked. */
  signature: SignatureBackend | null;
  stored: StoredIds;
  nowSeconds: number;
}

/**
 * Event validator for events from the operator's own file, with the checks of the ingester. Checks
 * that protect a relay from its clients are left out: age, publisher (NIP-70), rates and lists.
 * Checks that keep the database consistent stay: form, id and signature.
 */
export class ImportValidator {
  readonly #parts: ImportValidatorParts;
  readonly #text = new EventText();
  readonly #scan = new MessageScan();
  #message = Buffer.alloc(64 * 1024);
  // Buffers reused by every check: id, pubkey and signature as bytes.
  readonly #id = Buffer.alloc(32);
  readonly #pubkey = Buffer.alloc(32);
  readonly #sig = Buffer.alloc(64);

  constructor(parts: ImportValidatorParts) {
    this.#parts = parts;
    MESSAGE_START.copy(this.#message);
  }

  /** Returns the validated event of a line, or the reason for its rejection. */
  check(line: Buffer): CheckedResult | Refusal {
    const { limits, depthMax, hasher, nowSeconds } = this.#parts;
    const message = this.#asMessage(line);
    const scan = this.#scan;
    scan.scan(message, depthMax + MESSAGE_DEPTH);
    if (scan.tooDeep) return `invalid: the line nests deeper than ${depthMax} levels`;
    let value: unknown;
    try {
      value = JSON.parse(line.toString());
    } catch {
      return 'invalid: the line is not JSON';
    }
    const event = checkEventShape(value);
    if (typeof event === 'string') return event;
    const text = this.#text;
    text.make(event, message, scan);
    const refusal =
      (limits && checkEventSize(event, limits.of(event.kind), text.json.length)) ??
      checkKind(event, nowSeconds);
    if (refusal !== null) return refusal;
    if (!text.hashesToId(event, message, scan))
      return 'invalid: id is not the SHA-256 of the event';
    const terms = hasher.ofEvent(event);
    // A stored event was verified once. The writer finds duplicates within this import.
    if (this.#parts.stored.has(event.id, element(terms[TERM_INDEX_ID]))) return DUPLICATE;
    if (!this.#isSigned(event)) return 'invalid: sig is not the signature of the id by the pubkey';
    const expiresAt = expirationOf(event) ?? 0;
    return { event, json: text.json, terms, address: addressOf(event) ?? '', expiresAt };
  }

  /**
   * Returns the line as the message that a client would send, which is the input that the scan
   * expects.
   */
  #asMessage(line: Buffer): Buffer {
    const length = MESSAGE_START.length + line.length + 1;
    if (length > this.#message.length) {
      this.#message = Buffer.alloc(length * 2);
      MESSAGE_START.copy(this.#message);
    }
    line.copy(this.#message, MESSAGE_START.length);
    this.#message[length - 1] = 0x5d;
    return this.#message.subarray(0, length);
  }

  #isSigned(event: NostrEvent): boolean {
    const { signature } = this.#parts;
    if (signature === null) return true;
    this.#id.write(event.id, 'hex');
    this.#pubkey.write(event.pubkey, 'hex');
    this.#sig.write(event.sig, 'hex');
    return signature.verify(this.#sig, this.#id, this.#pubkey);
  }
}

/** Returns the rejection of an event that is never stored, from any source. */
function checkKind(event: NostrEvent, nowSeconds: number): Refusal | null {
  if (event.kind === KIND_AUTH) {
    return 'invalid: kind 22242 authenticates a connection and is not stored';
  }
  if (isEphemeral(event.kind)) return 'invalid: ephemeral events are not stored';
  return isExpired(event, nowSeconds) ? 'invalid: event has expired' : null;
}
