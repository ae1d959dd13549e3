// Read access to events of private kinds (`auth.private_kinds`): which filters may be answered, and
// which events may be sent to which readers.

import { present } from '../lib/assert.ts';
import { CANONICAL_PUBKEY_START } from './canonical.ts';
import type { Filter } from './filter.ts';
import { isGiftWrap, KIND_MAX } from './kinds.ts';
import type { Refusal } from './refusal.ts';

/**
 * Set of kinds that only authors and recipients may read (`auth.private_kinds`), as a table for
 * fast lookup.
 */
export class PrivateKinds {
  readonly #isPrivate = new Uint8Array(KIND_MAX + 1);
  readonly #all: readonly number[];

  constructor(kinds: readonly number[]) {
    this.#all = kinds;
    for (const kind of kinds) this.#isPrivate[kind] = 1;
  }

  has(kind: number): boolean {
    return this.#isPrivate[kind] === 1;
  }

  /**
   * Returns true if a filter can match private events at all; most name their kinds, and none of
   * them is.
   */
  concern({ kinds }: Pick<Filter, 'kinds'>): boolean {
    return kinds === null || kinds.some((kind) => this.has(kind));
  }

  /** Returns true if a filter asks for a private kind by its number, alone or beside others. */
  areNamedIn({ kinds, matchesNothing }: Pick<Filter, 'kinds' | 'matchesNothing'>): boolean {
    return kinds !== null && !matchesNothing && this.concern({ kinds });
  }

  /** Returns the private kinds that a filter can match. */
  among({ kinds }: Pick<Filter, 'kinds'>): readonly number[] {
    return kinds === null ? this.#all : kinds.filter((kind) => this.has(kind));
  }

  /**
   * Returns true if a private event may match a filter and be hidden from these readers. It depends
   * on the filter alone, never on stored events, so that an answer based on it betrays no message.
   */
  mayHide(filter: ReadableFilter, readers: readonly string[]): boolean {
    if (filter.matchesNothing || this.#all.length === 0 || !this.concern(filter)) return false;
    const isReader = (pubkey: string) => readers.includes(pubkey);
    if (filter.tags.some(({ letter, values }) => letter === 'p' && values.every(isReader))) {
      return false;
    }
    // Authors are decoded to strings only on demand; a filter with more authors than readers hides
    // something anyway.
    if (filter.authorCount === 0 || filter.authorCount > readers.length) return true;
    const authors = present(filter.authors, 'authors of a filter that has some');
    return !authors.every(isReader) || this.among(filter).some(isGiftWrap);
  }

  /** Returns true if a filter asks for private kinds and nothing else. */
  areAllOf({ kinds }: Pick<Filter, 'kinds'>): boolean {
    return kinds !== null && kinds.length > 0 && kinds.every((kind) => this.has(kind));
  }
}

/**
 * Part of a filter that `PrivateKinds.mayHide` reads; `authorCount` is 0 without a condition on
 * authors.
 */
interface ReadableFilter extends Pick<Filter, 'kinds' | 'tags' | 'authors' | 'matchesNothing'> {
  readonly authorCount: number;
}

/**
 * Returns true if one of the readers may read an event of a private kind: a pubkey that it is
 * `p`-tagged for, or its author unless it is a gift wrap, which is signed by a throwaway key
 * (NIP-59). `json` is canonical, so a tag can be found without parsing; `readers` are the pubkeys
 * that have authenticated on the connection.
 *
 * Every path by which an event leaves the relay applies this rule: REQ, COUNT, live delivery,
 * catching up.
 */
export function mayRead(kind: number, json: string, readers: readonly string[]): boolean {
  for (const reader of readers) {
    if (json.includes(`["p","${reader}"`)) return true;
    if (isGiftWrap(kind)) continue;
    if (json.startsWith(reader, CANONICAL_PUBKEY_START)) return true;
  }
  return false;
}

/**
 * Returns the privacy refusal of a REQ or COUNT with these filters, or null. A filter is refused
 * only if it asks for nothing but private kinds: `auth-required:` when no key has authenticated,
 * `restricted:` when it concerns other users only. From answers to other filters, private events
 * are left out.
 */
export function readRefusal(
  filters: readonly Filter[],
  readers: ReadonlySet<string>,
  privateKinds: PrivateKinds,
): Refusal | null {
  for (const filter of filters) {
    if (filter.matchesNothing || !privateKinds.areAllOf(filter)) continue;
    if (readers.size === 0) {
      return 'auth-required: private messages are only sent to their author or recipient; authenticate as one of them';
    }
    if (!mayConcern(filter, readers)) {
      return 'restricted: private messages are only sent to their author or recipient, and this connection has authenticated as neither';
    }
  }
  return null;
}

/**
 * Returns true if a filter of private kinds can match an event that one of the readers may read.
 */
function mayConcern({ kinds, authors, tags }: Filter, readers: ReadonlySet<string>): boolean {
  const asRecipient = tags.every(
    ({ letter, values }) => letter !== 'p' || values.some((value) => readers.has(value)),
  );
  if (asRecipient) return true;
  if (present(kinds, 'kinds of a filter by private kinds only').every(isGiftWrap)) return false;
  return authors === null || authors.some((author) => readers.has(author));
}
