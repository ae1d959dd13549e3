// Filter of a live subscription, matched in its packed encoding.

import { KEY_BYTES, PackedLayout, type PackedList } from '../channel/packed-filters.ts';
import type { RecordReader } from '../channel/records.ts';
import { TERM_ALL, type TermHasher } from '../store/index/terms.ts';
import type { EventView } from './event-view.ts';
import type { Subscription } from './subscription.ts';

/** Place of a term that has no value of its own to compare: the whole filter is matched. */
export const ANYWHERE = -1;

/** Condition whose terms index a filter. */
type Condition = 'ids' | 'tag' | 'authors' | 'kinds' | 'everything';

/**
 * Filter of a live subscription. Its values stay in the pack, one byte a character, and are
 * compared there: as sets of strings they took four times the memory of the REQ.
 *
 * It is indexed under the terms of one condition, the one that the fewest events meet (ids, then
 * tags, authors, kinds; without any, under the term of all events), never under combinations,
 * because their number is a product.
 */
export class LiveFilter extends PackedLayout {
  readonly subscription: Subscription;
  readonly #text: string;
  readonly #condition: Condition;
  readonly #list: PackedList;
  readonly #letter: string;
  /** Bit set of the kinds modulo 32; all bits set if the filter has no kinds. */
  readonly #kindMask: number;
  /** Number of the filter in the index; -1 while it is not indexed. */
  number = -1;
  /** Nodes of the filter in the index, by ordinal. */
  nodes: number[] | Int32Array = [];

  /** @param text the pack that `from` reads, one byte a character. */
  constructor(subscription: Subscription, text: string, from: RecordReader) {
    super(from);
    this.subscription = subscription;
    this.#text = text;
    const tag = fewestValues(this.tags);
    this.#letter = tag?.letter ?? '';
    if (this.ids !== null) [this.#condition, this.#list] = ['ids', this.ids];
    else if (tag !== null) [this.#condition, this.#list] = ['tag', tag];
    else if (this.authors !== null) [this.#condition, this.#list] = ['authors', this.authors];
    else if (this.kinds !== null) [this.#condition, this.#list] = ['kinds', this.kinds];
    else [this.#condition, this.#list] = ['everything', { at: 0, count: 1 }];
    this.#kindMask = this.kinds === null ? -1 : this.#maskOf(this.kinds);
  }

  /** Number of terms that index the filter. */
  get terms(): number {
    return this.#list.count;
  }

  /** Calls `found` with each of its terms and the place of the term's value in the pack. */
  eachTerm(hasher: TermHasher, found: (term: number, place: number) => void): void {
    const { at, count } = this.#list;
    switch (this.#condition) {
      case 'ids':
        for (let i = 0; i < count; i++) {
          found(hasher.id(this.#hexAt(at + i * KEY_BYTES)), at + i * KEY_BYTES);
        }
        break;
      case 'authors':
        for (let i = 0; i < count; i++) {
          found(hasher.author(this.#hexAt(at + i * KEY_BYTES)), at + i * KEY_BYTES);
        }
        break;
      case 'kinds':
        for (let i = 0; i < count; i++) found(hasher.kind(this.#kindAt(this.#list, i)), ANYWHERE);
        break;
      case 'tag': {
        let place = at;
        for (let i = 0; i < count; i++) {
          const length = this.#u32At(place);
          const value = Buffer.from(this.#text.slice(place + 4, place + 4 + length), 'latin1');
          found(hasher.tag(this.#letter, value.toString()), place);
          place += 4 + length;
        }
        break;
      }
      case 'everything':
        found(TERM_ALL, ANYWHERE);
    }
  }

  /**
   * Returns true if an event matches. `place` is the place of the term that the two share, or
   * `ANYWHERE`; terms are hashes, so the value there is compared, too.
   */
  matches(event: EventView, place: number): boolean {
    if (this.matchesNothing || !this.#hasKind(event.kind)) return false;
    if (event.createdAt < this.since || event.createdAt > this.until) return false;
    const { ids, authors, tags } = this;
    if (authors !== null && !this.#hasKey(authors, event.pubkey, place)) return false;
    if (ids !== null && !this.#hasKey(ids, event.id, place)) return false;
    for (const tag of tags) {
      const values = event.tagValues(tag.letter);
      if (values.length === 0) return false;
      if (!this.#hasText(tag, values, place)) return false;
    }
    return true;
  }

  #hasKind(kind: number): boolean {
    const { kinds } = this;
    if (kinds === null) return true;
    if ((this.#kindMask & (1 << (kind & 31))) === 0) return false;
    for (let i = 0; i < kinds.count; i++) if (this.#kindAt(kinds, i) === kind) return true;
    return false;
  }

  /** Returns true if a key is in a list (at `place`, if that lies in the list). */
  #hasKey(list: PackedList, key: string, place: number): boolean {
    if (this.#isIn(list, place)) return this.#text.startsWith(key, place);
    const { at, count } = list;
    const end = at + count * KEY_BYTES;
    for (let from = at; from < end; ) {
      const found = this.#text.indexOf(key, from);
      if (found < 0 || found >= end) return false;
      const offset = (found - at) % KEY_BYTES;
      if (offset === 0) return true;
      from = found + 1;
    }
    return false;
  }

  /** Returns true if one of the values is in a list (at `place`, if that lies in the list). */
  #hasText(list: PackedList, values: readonly string[], place: number): boolean {
    if (this.#isIn(list, place)) return this.#isTextAt(place, values);
    for (let i = 0, at = list.at; i < list.count; i++) {
      if (this.#isTextAt(at, values)) return true;
      at += 4 + this.#u32At(at);
    }
    return false;
  }

  /** Returns true if the place of a term lies in this list. */
  #isIn(list: PackedList, place: number): boolean {
    return place !== ANYWHERE && list === this.#list;
  }

  /** Returns true if one of the values is the text at this place. */
  #isTextAt(place: number, values: readonly string[]): boolean {
    const length = this.#u32At(place);
    for (const value of values) {
      if (value.length === length && this.#text.startsWith(value, place + 4)) return true;
    }
    return false;
  }

  #maskOf(kinds: PackedList): number {
    let mask = 0;
    for (let i = 0; i < kinds.count; i++) mask |= 1 << (this.#kindAt(kinds, i) & 31);
    return mask;
  }

  #kindAt(kinds: PackedList, i: number): number {
    const at = kinds.at + 2 * i;
    return this.#text.charCodeAt(at) | (this.#text.charCodeAt(at + 1) << 8);
  }

  #u32At(at: number): number {
    const text = this.#text;
    return (
      (text.charCodeAt(at) |
        (text.charCodeAt(at + 1) << 8) |
        (text.charCodeAt(at + 2) << 16) |
        (text.charCodeAt(at + 3) << 24)) >>>
      0
    );
  }

  #hexAt(at: number): string {
    return Buffer.from(this.#text.slice(at, at + KEY_BYTES), 'latin1').toString('hex');
  }
}

function fewestValues(tags: PackedLayout['tags']): PackedLayout['tags'][number] | null {
  let fewest: PackedLayout['tags'][number] | null = null;
  for (const tag of tags) if (fewest === null || tag.count < fewest.count) fewest = tag;
  return fewest;
}
