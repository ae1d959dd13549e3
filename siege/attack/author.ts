// Signing author of events, for attackers and honest clients.

import { createHash } from 'node:crypto';
import type { Random } from '../../bench/dataset/random.ts';
import { loadSigner, type Signer, type SigningKey } from '../../bench/dataset/signer.ts';
import { canonicalJson, idPreimage } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';

/**
 * Fields of an event to be signed; kind 1, the current time and no tags where they are left out.
 */
export type Draft = Partial<Pick<NostrEvent, 'kind' | 'created_at' | 'tags' | 'content'>>;

let signer: Signer | undefined;

/** Key that signs events. */
export class Author {
  readonly #key: SigningKey;
  #events = 0;

  private constructor(key: SigningKey) {
    this.#key = key;
  }

  static async make(random: Random): Promise<Author> {
    signer ??= await loadSigner();
    // Thirty-one random bytes after a 1 are below the order of the curve.
    return new Author(signer.key(Buffer.from(`01${random.hex(62)}`, 'hex')));
  }

  get pubkey(): string {
    return this.#key.pubkey;
  }

  event({ kind = 1, created_at = seconds(), tags = [], content }: Draft = {}): NostrEvent {
    const text = content ?? `note ${this.#events++}`;
    const body = { id: '', pubkey: this.pubkey, created_at, kind, tags, content: text, sig: '' };
    const id = createHash('sha256').update(idPreimage(body)).digest('hex');
    return { ...body, id, sig: this.#key.sign(id) };
  }

  /** Returns the text of an EVENT message. */
  message(draft: Draft = {}): string {
    return `["EVENT",${canonicalJson(this.event(draft))}]`;
  }
}

/** Returns the current time, in seconds since 1970. */
export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
