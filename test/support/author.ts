// Key pair of a test author, and the signed events that it makes.

import { createHash } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { signer } from './signer.ts';

/** Fields of an event that a test sets; the others have defaults. */
export type Draft = Partial<Pick<NostrEvent, 'created_at' | 'kind' | 'tags' | 'content'>>;

let notes = 0;

/** Author with a key pair, which signs events; the key is random unless one is given. */
export class Author {
  readonly pubkey: string;
  /** Secret key in hex, for programs that sign for this author themselves. */
  readonly secret: string;
  /** Signs an id (hex), of an event or not. */
  readonly sign: (id: string) => string;

  constructor(secret: Uint8Array = schnorr.utils.randomSecretKey()) {
    this.pubkey = Buffer.from(schnorr.getPublicKey(secret)).toString('hex');
    this.secret = Buffer.from(secret).toString('hex');
    this.sign = signer(secret);
  }

  /**
   * Returns a signed event. Defaults for fields that the draft leaves open: kind 1, created now, no
   * tags, unique content. `preimage` returns the text that is hashed to the id, which need not be
   * the one of NIP-01.
   */
  event(draft: Draft = {}, preimage?: (event: NostrEvent) => string): NostrEvent {
    const { created_at = now(), kind = 1, tags = [], content = `note ${++notes}` } = draft;
    const { pubkey } = this;
    const event = { id: '', pubkey, created_at, kind, tags, content, sig: '' };
    const text = preimage?.(event) ?? JSON.stringify([0, pubkey, created_at, kind, tags, content]);
    event.id = createHash('sha256').update(text).digest('hex');
    event.sig = this.sign(event.id);
    return event;
  }

  /** Returns the AUTH event for a challenge of a relay (NIP-42). */
  auth(challenge: string, relay: string, draft: Draft = {}): NostrEvent {
    const tags = [
      ['relay', relay],
      ['challenge', challenge],
    ];
    return this.event({ kind: 22_242, tags, ...draft });
  }

  /** Returns a deletion request (NIP-09) with these tags. */
  deletion(tags: string[][], created_at = now()): NostrEvent {
    return this.event({ kind: 5, tags, created_at });
  }
}

/** Returns `kind:pubkey:d` of an event, for an `a` tag. */
export function addressOf(event: NostrEvent): string {
  const d = event.tags.find(([name]) => name === 'd')?.[1] ?? '';
  return `${event.kind}:${event.pubkey}:${d}`;
}

/** Returns the time in seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
