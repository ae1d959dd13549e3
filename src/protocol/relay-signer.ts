// Signer of the relay's own events.

import { createHash, createHmac } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import { hashesTo, idPreimage } from './canonical.ts';
import type { NostrEvent } from './event.ts';

// In a file of its own, so that threads which sign nothing do not load @noble/curves (40 ms, 11
// MB).

/** Signer of events under the relay's own key (NIP-11 `self`). */
export class RelaySigner {
  /** 64 lower-case hex characters. */
  readonly pubkey: string;
  readonly #secret: Uint8Array;

  /**
   * @param secret 32 bytes.
   * @throws when it is no secret key.
   */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.pubkey = Buffer.from(schnorr.getPublicKey(secret)).toString('hex');
  }

  /** Returns a signed event of the relay. It takes about a millisecond. */
  sign(draft: Pick<NostrEvent, 'kind' | 'created_at' | 'tags' | 'content'>): NostrEvent {
    const { kind, created_at, tags, content } = draft;
    const event = { id: '', pubkey: this.pubkey, created_at, kind, tags, content, sig: '' };
    event.id = createHash('sha256').update(idPreimage(event)).digest('hex');
    event.sig = Buffer.from(schnorr.sign(Buffer.from(event.id, 'hex'), this.#secret)).toString(
      'hex',
    );
    if (!hashesTo(event)) throw new Error('an event of the relay does not hash to its id');
    return event;
  }

  /**
   * Returns a MAC of 32 bytes that only the holder of the key can make of a text, for one purpose.
   */
  seal(purpose: string, text: Uint8Array): Buffer {
    const key = createHmac('sha256', this.#secret).update(purpose).digest();
    return createHmac('sha256', key).update(text).digest();
  }
}
