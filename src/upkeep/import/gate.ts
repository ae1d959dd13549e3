import type { PassedEvent } from '../../ingester/event-gate.ts';
import { EventText } from '../../ingester/event-text.ts';
import type { KindLimits } from '../../ingester/kind-limits.ts';
import { MessageScan } from '../../ingester/message-scan.ts';
import { addressOf } from '../../protocol/address.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { checkEventShape, checkEventSize } from '../../protocol/event-check.ts';
import { expirationOf, isExpired } from '../../protocol/expiration.ts';
import { isEphemeral, KIND_AUTH } from '../../protocol/kinds.ts';
import type { Refusal } from '../../protocol/refusal.ts';
import type { SignatureBackend } from '../../protocol/signature/signature.ts';
import type { StoredIds } from '../../storage/stored-ids.ts';
import { TERM_INDEX_ID, type TermHasher } from '../../storage/terms.ts';

/** The answer for an event that the database has. */
export const DUPLICATE: Refusal = 'duplicate: this event is stored already';

const MESSAGE_START = Buffer.from('["EVENT",');
/** What the message around an event adds to its depth. */
const MESSAGE_DEPTH = 1;

/** What a gate needs to know. */
export interface GateParts {
  /** null: only what the store itself cannot take is refused. */
  limits: KindLimits | null;
  depthMax: number;
  hasher: TermHasher;
  /** null: signatures are not looked at. */
  signature: SignatureBackend | null;
  stored: StoredIds;
  nowSeconds: number;
}

/**
 * The checks of the ingester for events that come from the operator's own file. What protects a relay
 * from its clients is left out: age, who publishes it (NIP-70), rates and lists. What keeps the
 * database true stays: form, id and signature.
 */
export class ImportGate {
  readonly #parts: GateParts;
  readonly #text = new EventText();
  readonly #scan = new MessageScan();
  #message = Buffer.alloc(64 * 1024);
  // Held for one check at a time: id, pubkey and signature as bytes.
  readonly #id = Buffer.alloc(32);
  readonly #pubkey = Buffer.alloc(32);
  readonly #sig = Buffer.alloc(64);

  constructor(parts: GateParts) {
    this.#parts = parts;
    MESSAGE_START.copy(this.#message);
  }

  /** The event on a line with what belongs to it, or why it is not taken. */
  check(line: Buffer): PassedEvent | Refusal {
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
    // What is stored was verified once. Of what this import has just brought, the writer knows.
    if (this.#parts.stored.has(event.id, terms[TERM_INDEX_ID]!)) return DUPLICATE;
    if (!this.#isSigned(event)) return 'invalid: sig is not the signature of the id by the pubkey';
    const expiresAt = expirationOf(event) ?? 0;
    return { event, json: text.json, terms, address: addressOf(event) ?? '', expiresAt };
  }

  /** The line as the message that a client would send: what the scan was made for. */
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

/** What is never stored, however it comes. */
function checkKind(event: NostrEvent, nowSeconds: number): Refusal | null {
  if (event.kind === KIND_AUTH) {
    return 'invalid: kind 22242 authenticates a connection and is not stored';
  }
  if (isEphemeral(event.kind)) return 'invalid: ephemeral events are not stored';
  return isExpired(event, nowSeconds) ? 'invalid: event has expired' : null;
}
