import { createHash } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { signer } from './signer.ts';

/** What a test wants to have its own way in an event. */
export type Draft = Partial<Pick<NostrEvent, 'created_at' | 'kind' | 'tags' | 'content'>>;

let notes = 0;

/** Somebody with a key that nobody else in the test has. */
export class Author {
  readonly pubkey: string;
  /** The secret key in hex, for programs that sign for this author themselves. */
  readonly secret: string;
  /** The signature of an id, whatever it is the id of. */
  readonly sign: (id: string) => string;

  constructor() {
    const secret = schnorr.utils.randomSecretKey();
    this.pubkey = Buffer.from(schnorr.getPublicKey(secret)).toString('hex');
    this.secret = Buffer.from(secret).toString('hex');
    this.sign = signer(secret);
  }

  /**
   * A signed event: kind 1, of now, without tags, with a content of its own, where the draft leaves it
   * open. `preimage` is what is hashed to the id; given, it need not be what NIP-01 says.
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

  /** The answer to a challenge of a relay (NIP-42). */
  auth(challenge: string, relay: string, draft: Draft = {}): NostrEvent {
    const tags = [
      ['relay', relay],
      ['challenge', challenge],
    ];
    return this.event({ kind: 22_242, tags, ...draft });
  }

  /** A deletion request with these tags. */
  deletion(tags: string[][], created_at = now()): NostrEvent {
    return this.event({ kind: 5, tags, created_at });
  }
}

/** `kind:pubkey:d` of an event, to be written into an `a` tag. */
export function addressOf(event: NostrEvent): string {
  const d = event.tags.find(([name]) => name === 'd')?.[1] ?? '';
  return `${event.kind}:${event.pubkey}:${d}`;
}

/** Seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
