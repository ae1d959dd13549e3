// Inverted index of the filters of live subscriptions, owned by the monitor thread.

import { RecordReader } from '../channel/records.ts';
import { element, present } from '../lib/assert.ts';
import { TERM_ALL, type TermHasher } from '../store/index/terms.ts';
import type { EventView } from './event-view.ts';
import { ANYWHERE, LiveFilter } from './live-filter.ts';
import type { Subscription } from './subscription.ts';
import { TermLists } from './term-lists.ts';

/** Number of terms up to which nodes are in a plain array; a typed one has a header of its own. */
const SMALL_TERMS_MAX = 64;

/**
 * Inverted index from terms to live filters: an event is compared with the filters that share a
 * term with it and with no others. Terms are hashes, so every candidate is matched exactly.
 *
 * A filter that was added is compared with every event until `index` has indexed it, so that
 * indexing may be done in slices.
 */
export class FilterIndex {
  readonly #hasher: TermHasher;
  readonly #filters: (LiveFilter | null)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #lists = new TermLists((filter, ordinal, node) => {
    present(this.#filters[filter], 'filter of a node in the index').nodes[ordinal] = node;
  });
  readonly #unindexed = new Set<LiveFilter>();
  #turn = 0;

  constructor(hasher: TermHasher) {
    this.#hasher = hasher;
  }

  /** Number of filters that are not indexed yet. */
  get unindexed(): number {
    return this.#unindexed.size;
  }

  /** Adds the filters of a subscription, packed, a byte a character; returns them for `remove`. */
  add(subscription: Subscription, packed: string): LiveFilter[] {
    const from = new RecordReader(Buffer.from(packed, 'latin1'));
    const filters: LiveFilter[] = [];
    for (let left = from.u32(); left > 0; left--) {
      const filter = new LiveFilter(subscription, packed, from);
      if (filter.matchesNothing) continue;
      filters.push(filter);
      this.#unindexed.add(filter);
    }
    return filters;
  }

  /** Indexes pending filters one after the other, until they have `terms` terms or more. */
  index(terms: number): void {
    for (const filter of this.#unindexed) {
      if (terms <= 0) return;
      terms -= filter.terms;
      this.#unindexed.delete(filter);
      this.#put(filter);
    }
  }

  remove(filters: readonly LiveFilter[]): void {
    for (const filter of filters) {
      if (this.#unindexed.delete(filter) || filter.number < 0) continue;
      // From the end, because the last node of all takes the number of a removed one.
      for (let i = filter.nodes.length - 1; i >= 0; i--) {
        this.#lists.remove(element(filter.nodes[i]));
      }
      this.#filters[filter.number] = null;
      this.#freeNumbers.push(filter.number);
      filter.number = -1;
    }
    if (this.#lists.size === 0) this.#filters.length = this.#freeNumbers.length = 0;
  }

  /** Calls `found` once for every subscription that matches an event with these terms. */
  match(
    terms: Float64Array,
    seq: number,
    event: EventView,
    found: (subscription: Subscription) => void,
  ): void {
    this.#turn++;
    for (let i = -1; i < terms.length; i++) {
      const term = i < 0 ? TERM_ALL : element(terms[i]);
      for (let node = this.#lists.first(term); node >= 0; node = this.#lists.next(node)) {
        const number = this.#lists.filterOf(node);
        const filter = present(this.#filters[number], 'filter of a node in the index');
        this.#ask(filter, seq, event, this.#lists.placeOf(node), found);
      }
    }
    for (const filter of this.#unindexed) this.#ask(filter, seq, event, ANYWHERE, found);
  }

  #ask(
    filter: LiveFilter,
    seq: number,
    event: EventView,
    place: number,
    found: (subscription: Subscription) => void,
  ): void {
    const { subscription } = filter;
    if (subscription.matchedTurn === this.#turn) return;
    if (seq !== 0 && seq <= subscription.afterSeq) return;
    if (!filter.matches(event, place)) return;
    subscription.matchedTurn = this.#turn;
    found(subscription);
  }

  #put(filter: LiveFilter): void {
    filter.number = this.#freeNumbers.pop() ?? this.#filters.length;
    this.#filters[filter.number] = filter;
    const nodes =
      filter.terms > SMALL_TERMS_MAX
        ? new Int32Array(filter.terms)
        : new Array<number>(filter.terms);
    filter.nodes = nodes;
    let ordinal = 0;
    filter.eachTerm(this.#hasher, (term, place) => {
      nodes[ordinal] = this.#lists.add(term, filter.number, ordinal, place);
      ordinal++;
    });
  }
}
