// Exact match of stored events against a filter, and the check that the readers may read them.

import type { NostrEvent } from '../../protocol/event.ts';
import { compileFilter, type Filter } from '../../protocol/filter.ts';
import { mayRead, type PrivateKinds } from '../../protocol/privacy.ts';
import { kindOfPosting } from '../index/posting-kind.ts';
import type { Body } from './body-cache.ts';
import type { Entry } from './entry.ts';

/** Number of tag values up to which a filter is matched by bytes; beyond, events are parsed. */
const NEEDLES_MAX = 8;

/** Readers of a query, and the events that are private. */
export interface Audience {
  readonly privateKinds: PrivateKinds;
  /** Pubkeys that had authenticated when the query came. */
  readonly readers: readonly string[];
  /**
   * Pubkeys for which the query was answered before; null: it is answered for the first time. With
   * pubkeys, only private events are sent, and none that one of these may read.
   */
  readonly before: readonly string[] | null;
}

/**
 * Decides exactly if a stored event matches a filter (limit left aside), and if its readers may
 * read it. Terms are hashes, so every candidate is checked here before it is sent.
 *
 * Nothing is parsed in the usual case: id and pubkey are at fixed offsets of the canonical JSON,
 * and `["e","value"` can only occur inside `tags`, because quotes inside strings are escaped.
 */
export class Recheck {
  /** Kinds that match; null: any. */
  readonly kinds: ReadonlySet<number> | null;
  readonly #since: number;
  readonly #until: number;
  readonly #ids: ReadonlySet<string> | null;
  readonly #filter: Filter;
  /** Authors of the filter, made on first use. */
  #authorSet: ReadonlySet<string> | null = null;
  readonly #needles: Buffer[][] | null;
  readonly #matches: ((event: NostrEvent) => boolean) | null;
  /** Null if the filter finds no private events. */
  readonly #privateKinds: PrivateKinds | null;
  readonly #readers: readonly string[];
  readonly #before: readonly string[] | null;

  constructor(filter: Filter, { privateKinds, readers, before }: Audience) {
    this.#privateKinds = privateKinds.concern(filter) ? privateKinds : null;
    this.#readers = readers;
    this.#before = before;
    this.kinds = filter.kinds ? new Set(filter.kinds) : null;
    this.#since = filter.since ?? 0;
    this.#until = filter.until ?? Number.MAX_SAFE_INTEGER;
    this.#ids = filter.ids ? new Set(filter.ids) : null;
    this.#filter = filter;
    const values = filter.tags.reduce((sum, tag) => sum + tag.values.length, 0);
    this.#matches = values > NEEDLES_MAX ? compileFilter(filter) : null;
    this.#needles =
      values > 0 && values <= NEEDLES_MAX
        ? filter.tags.map(({ letter, values }) => values.map((value) => needle(letter, value)))
        : null;
  }

  /** Returns false if the index alone rules the entry out: by kind, time, or lack of readers. */
  entry(entry: Entry): boolean {
    return (
      (this.kinds === null || this.kinds.has(kindOfPosting(entry.kind))) &&
      entry.createdAt >= this.#since &&
      entry.createdAt <= this.#until &&
      (this.#privateKinds === null ||
        this.#readers.length > 0 ||
        !this.#privateKinds.has(kindOfPosting(entry.kind)))
    );
  }

  /** Returns true if the body matches: id, author, tags, and recipients if it is private. */
  body(entry: Entry, body: Body): boolean {
    const { id, bytes } = body;
    const kind = kindOfPosting(entry.kind);
    if (this.#privateKinds?.has(kind)) {
      const json = bytes.toString();
      if (!mayRead(kind, json, this.#readers)) return false;
      if (this.#before !== null && mayRead(kind, json, this.#before)) return false;
    } else if (this.#before !== null) return false;
    if (entry.sure) return true;
    if (this.#ids !== null && !this.#ids.has(id)) return false;
    const { authors } = this.#filter;
    if (authors !== null && !this.#isAuthor(authors, body.pubkey)) return false;
    if (this.#matches !== null) return this.#matches(JSON.parse(bytes.toString()) as NostrEvent);
    if (this.#needles === null) return true;
    for (const values of this.#needles) {
      if (!values.some((value) => bytes.includes(value))) return false;
    }
    return true;
  }

  #isAuthor(authors: readonly string[], pubkey: string): boolean {
    if (authors.length === 1) return authors[0] === pubkey;
    this.#authorSet ??= new Set(authors);
    return this.#authorSet.has(pubkey);
  }
}

function needle(letter: string, value: string): Buffer {
  return Buffer.from(`["${letter}",${JSON.stringify(value)}`);
}
