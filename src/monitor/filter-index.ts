import type { NostrEvent } from '../protocol/event.ts';
import { compileFilter, type Filter, type Matcher } from '../protocol/filter.ts';
import { TERM_ALL, type TermHasher } from '../storage/terms.ts';

/** Author-and-kind combinations of one filter indexed one by one; beyond, its authors are. */
const COMBINATIONS_MAX = 2_048;

/** Who reads the subscriptions of a connection: the pubkeys that have authenticated on it. */
export interface Audience {
  readers: readonly string[];
}

/** A live subscription. */
export interface Subscription {
  connId: number;
  subNo: number;
  /** How its frames begin (`eventPrefix`). */
  prefix: string;
  /** Events up to this seq were answered from stored events. */
  afterSeq: number;
  /** Marks the event that was matched last, so that several matching filters count once. */
  matchedTurn: number;
  /** Shared by all subscriptions of the connection. */
  audience: Audience;
}

/** One filter of a subscription, as it stands in the index. */
export interface Entry {
  readonly subscription: Subscription;
  readonly matches: Matcher;
  readonly terms: readonly number[];
  alive: boolean;
}

/** The entries under one term. Removed ones stay until they are the greater part. */
interface List {
  entries: Entry[];
  dead: number;
}

/**
 * The live subscriptions by what they wait for: every filter stands under the terms of its most telling
 * condition (ids, then tags, author+kind, author, kind; else under everything), so that an event
 * looks at the filters that share a term with it and at no others. Terms are hashes: every candidate is
 * matched exactly.
 */
export class FilterIndex {
  readonly #hasher: TermHasher;
  readonly #byTerm = new Map<number, List>();
  #turn = 0;

  constructor(hasher: TermHasher) {
    this.#hasher = hasher;
  }

  /** Puts the filters of a subscription into the index; what comes back is needed to remove them. */
  add(subscription: Subscription, filters: readonly Filter[]): Entry[] {
    const added: Entry[] = [];
    for (const filter of filters) {
      if (filter.matchesNothing) continue;
      const terms = [...new Set(this.#termsOf(filter))];
      const entry = { subscription, matches: compileFilter(filter), terms, alive: true };
      added.push(entry);
      for (const term of terms) {
        const list = this.#byTerm.get(term);
        if (list) list.entries.push(entry);
        else this.#byTerm.set(term, { entries: [entry], dead: 0 });
      }
    }
    return added;
  }

  remove(entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.alive = false;
      for (const term of entry.terms) {
        const list = this.#byTerm.get(term)!;
        list.dead++;
        if (list.dead === list.entries.length) {
          this.#byTerm.delete(term);
        } else if (list.dead * 2 > list.entries.length) {
          list.entries = list.entries.filter(({ alive }) => alive);
          list.dead = 0;
        }
      }
    }
  }

  /**
   * Calls `found` once for every subscription that an event matches. `terms` are those of the event;
   * `parse` is called only if there is a candidate.
   */
  match(
    terms: Float64Array,
    seq: number,
    parse: () => NostrEvent,
    found: (subscription: Subscription) => void,
  ): void {
    this.#turn++;
    let event: NostrEvent | null = null;
    for (let i = -1; i < terms.length; i++) {
      const list = this.#byTerm.get(i < 0 ? TERM_ALL : terms[i]!);
      if (list === undefined) continue;
      event ??= parse();
      for (const { subscription, matches, alive } of list.entries) {
        if (!alive || subscription.matchedTurn === this.#turn) continue;
        if (seq !== 0 && seq <= subscription.afterSeq) continue;
        if (!matches(event)) continue;
        subscription.matchedTurn = this.#turn;
        found(subscription);
      }
    }
  }

  #termsOf({ ids, authors, kinds, tags }: Filter): number[] {
    const hasher = this.#hasher;
    if (ids) return ids.map((id) => hasher.id(id));
    const tag = fewestValues(tags);
    if (tag) return tag.values.map((value) => hasher.tag(tag.letter, value));
    if (authors && kinds && authors.length * kinds.length <= COMBINATIONS_MAX) {
      return authors.flatMap((author) => kinds.map((kind) => hasher.authorKind(author, kind)));
    }
    if (authors) return authors.map((author) => hasher.author(author));
    if (kinds) return kinds.map((kind) => hasher.kind(kind));
    return [TERM_ALL];
  }
}

function fewestValues(tags: Filter['tags']): Filter['tags'][number] | null {
  let fewest: Filter['tags'][number] | null = null;
  for (const tag of tags)
    if (fewest === null || tag.values.length < fewest.values.length) fewest = tag;
  return fewest;
}
