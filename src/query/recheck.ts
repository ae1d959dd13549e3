import type { NostrEvent } from '../protocol/event.ts';
import { compileFilter, type Filter } from '../protocol/filter.ts';
import { mayRead, type PrivateKinds } from '../protocol/privacy.ts';
import { kindOfPosting } from '../storage/posting-kind.ts';
import type { Body } from './bodies.ts';
import type { Entry } from './window.ts';

/** Filters with more tag values than this are checked against the parsed event. */
const NEEDLES_MAX = 8;

/** For whom a query is answered. */
export interface Audience {
  readonly privateKinds: PrivateKinds;
  /** The pubkeys that had authenticated when it was asked. */
  readonly readers: readonly string[];
  /**
   * The pubkeys for which it was answered before; null: it is answered for the first time. Then only
   * private events are given, and none that one of these may read.
   */
  readonly before: readonly string[] | null;
}

/**
 * Decides exactly whether a stored event matches a filter (limit left aside), and whether its readers
 * may have it. Terms are hashes, so every candidate passes here before it leaves.
 *
 * Nothing is parsed in the usual case: id and pubkey stand at fixed places of the canonical JSON, and
 * `["e","value"` can only occur inside `tags`, because quotes inside strings are escaped.
 */
export class Recheck {
  /** The kinds that match; null: any. */
  readonly kinds: ReadonlySet<number> | null;
  readonly #since: number;
  readonly #until: number;
  readonly #ids: ReadonlySet<string> | null;
  readonly #filter: Filter;
  /** The authors once somebody has asked for them. */
  #authorSet: ReadonlySet<string> | null = null;
  readonly #needles: Buffer[][] | null;
  readonly #matches: ((event: NostrEvent) => boolean) | null;
  /** Null: the filter finds no private events. */
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

  /** What the index alone can tell: the kind and the time. */
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

  /** What the body tells: id, author and tags, and whom a private event is for. */
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
