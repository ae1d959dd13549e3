// Terms: keyed 48-bit hashes of filter conditions, the keys of the index.

import { dTagOf } from '../../protocol/address.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { indexedTags } from '../../protocol/filter.ts';
import { isAddressable } from '../../protocol/kinds.ts';

/** Term of every event: its list holds all events by time. */
export const TERM_ALL = 0;

/** Bytes of the secret that keys the hash. */
export const TERM_KEY_BYTES = 8;

// Domains of terms, in their upper three bits, so that terms of one domain lie together; 4 is only
// TERM_ALL.
const ID = 0;
const AUTHOR = 1;
const KIND = 2;
const AUTHOR_KIND = 3;
const ADDRESS = 5;
const TAG = 6;

const TERMS_OF_A_DOMAIN = 2 ** 45;
/** Range of the terms of ids: all of them in [first, end), and nothing else. */
export const ID_TERMS = { first: -(2 ** 47), end: -(2 ** 47) + TERMS_OF_A_DOMAIN } as const;

/** Range of the terms of an author and a kind. */
export const AUTHOR_KIND_TERMS = {
  first: ID_TERMS.first + AUTHOR_KIND * TERMS_OF_A_DOMAIN,
  end: ID_TERMS.first + (AUTHOR_KIND + 1) * TERMS_OF_A_DOMAIN,
} as const;

/** Positions of the fixed terms in the list that `TermHasher.ofEvent` returns. */
export const TERM_INDEX_ID = 0;
export const TERM_INDEX_AUTHOR = 1;

/**
 * Hasher of the conditions that a filter can have. Each becomes a term: a signed integer of 48
 * bits, which SQLite stores in six bytes and JavaScript in a number. Three bits are the domain, the
 * others a keyed hash.
 *
 * The hash is HalfSipHash-1-3 (Aumasson and Bernstein) over the condition's kind and its UTF-16
 * units, with a secret kept in the database, so that outsiders cannot make terms collide.
 * Collisions by chance are harmless: every candidate is checked against the filter before it is
 * sent.
 */
export class TermHasher {
  readonly #k0: number;
  readonly #k1: number;

  constructor(key: Uint8Array) {
    if (key.length !== TERM_KEY_BYTES) throw new RangeError('the term key has 8 bytes');
    const view = new DataView(key.buffer, key.byteOffset, key.length);
    this.#k0 = view.getInt32(0, true);
    this.#k1 = view.getInt32(4, true);
  }

  id(id: string): number {
    return this.#hash(ID, 0, id);
  }

  author(pubkey: string): number {
    return this.#hash(AUTHOR, 0, pubkey);
  }

  kind(kind: number): number {
    return this.#hash(KIND, kind, '');
  }

  authorKind(pubkey: string, kind: number): number {
    return this.#hash(AUTHOR_KIND, kind, pubkey);
  }

  /** Term of the one living event of an addressable kind; replaceable kinds use `authorKind`. */
  address(kind: number, pubkey: string, d: string): number {
    return this.#hash(ADDRESS, kind, pubkey + d);
  }

  tag(letter: string, value: string): number {
    return this.#hash(TAG, letter.charCodeAt(0), value);
  }

  /**
   * Returns all terms of an event but `TERM_ALL`: id, author, kind, author+kind, address if it has
   * one, tags.
   */
  ofEvent(event: NostrEvent): number[] {
    const terms = [
      this.id(event.id),
      this.author(event.pubkey),
      this.kind(event.kind),
      this.authorKind(event.pubkey, event.kind),
    ];
    const addressable = isAddressable(event.kind);
    const d = addressable ? dTagOf(event) : '';
    if (addressable) terms.push(this.address(event.kind, event.pubkey, d));
    for (const [letter, value] of indexedTags(event)) {
      terms.push(this.tag(letter, value));
      // Only the first d tag is the address, but a filter may ask for any of them.
      if (addressable && letter === 'd' && value !== d) {
        terms.push(this.address(event.kind, event.pubkey, value));
      }
    }
    return terms;
  }

  #hash(domain: number, detail: number, text: string): number {
    let v0 = this.#k0;
    let v1 = this.#k1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.#k0;
    let v3 = 0x74656462 ^ this.#k1;
    const length = text.length;
    // One round a word: first the condition's kind, then two UTF-16 units at a time.
    for (let i = -2; i < length; i += 2) {
      let word: number;
      if (i < 0) word = (domain << 28) ^ ((length & 0xfff) << 16) ^ detail;
      else word = text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    let low = 0;
    for (let half = 0; half < 2; half++) {
      if (half === 0) v2 ^= 0xee;
      else v1 ^= 0xdd;
      for (let round = 0; round < 3; round++) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      if (half === 0) low = (v1 ^ v3) >>> 0;
    }
    const high = (domain << 13) + ((v1 ^ v3) & 0x1fff) - 0x8000;
    return high * 4294967296 + low;
  }
}
