// Events at the border of the store: as they come from the event validator, in the form in which
// the store takes them, and as it finds them.

import { addressOf } from '../protocol/address.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { expirationOf } from '../protocol/expiration.ts';
import { isEphemeral } from '../protocol/kinds.ts';
import { eventOf, idOf, pubkeyOf, type StoredBody } from './body/body.ts';

/** Event that passed the event validator, with the fields that the store needs beside it. */
export interface ValidatedEvent {
  readonly event: NostrEvent;
  /** Canonical JSON, in memory that the next validation overwrites. */
  readonly json: Buffer;
  /** Index terms (`store/index/terms.ts`). */
  readonly terms: readonly number[];
  /** `kind:pubkey:d` for replaceable and addressable events, '' for others. */
  readonly address: string;
  /** Seconds since 1970; 0: never, as for ephemeral events, which are not stored. */
  readonly expiresAt: number;
}

/** Returns a validated event with its address and expiration. */
export function validatedEvent(
  event: NostrEvent,
  json: Buffer,
  terms: readonly number[],
): ValidatedEvent {
  const expiresAt = isEphemeral(event.kind) ? 0 : (expirationOf(event) ?? 0);
  return { event, json, terms, address: addressOf(event) ?? '', expiresAt };
}

/** The same in a record for the writer: what the event log, the rules and the index need of it. */
export interface StorableEvent {
  /** 64 lowercase hex digits, as is `pubkey`. */
  readonly id: string;
  readonly pubkey: string;
  /** The same as 32 bytes. */
  readonly idBytes: Buffer;
  readonly pubkeyBytes: Buffer;
  readonly kind: number;
  readonly createdAt: number;
  /** Seconds since 1970; 0: never. */
  readonly expiresAt: number;
  /** Index terms (`store/index/terms.ts`). */
  readonly terms: Float64Array;
  /** `kind:pubkey:d` for replaceable and addressable events, '' for others. */
  readonly address: string;
  /** Stored form (`store/body/body.ts`). */
  readonly body: Buffer;
}

/** Event of the log that was found by its id, address or seq. Its body is parsed at most once. */
export class StoredEvent {
  readonly seq: number;
  readonly body: StoredBody;
  #event: NostrEvent | null = null;

  constructor(seq: number, body: StoredBody) {
    this.seq = seq;
    this.body = body;
  }

  get id(): string {
    return idOf(this.body);
  }

  get pubkey(): string {
    return pubkeyOf(this.body);
  }

  /** @throws StorageError when the body is damaged. */
  get event(): NostrEvent {
    this.#event ??= eventOf(this.body);
    return this.#event;
  }
}
