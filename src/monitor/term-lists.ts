// Posting lists from terms to live filters, in a few typed arrays: 36 bytes for each term of a
// filter. Owned by the filter index of the monitor thread.

import { element } from '../lib/assert.ts';

const INITIAL_NODES = 1024;
/** Parts of the hash table, each grown by itself: one growth touches a 64th of the terms. */
const SEGMENTS = 64;
const INITIAL_SLOTS = 16;
const NONE = -1;

/** Part of the hash table: the first node of every list, at the slot that its term hashes to. */
interface Segment {
  slots: Int32Array;
  lists: number;
}

/** Callback for a node that has a new number; `ordinal` is the one that the node was added with. */
type Moved = (filter: number, ordinal: number, node: number) => void;

/**
 * Doubly linked lists of filters by term, in a hash table with open addressing. A node stands for
 * one term of one filter. Nodes are numbered without gaps: when one is removed, the last takes its
 * number, and `moved` is called. So the memory follows the number of nodes, and shrinks with it.
 *
 * Terms are secret hashes (`store/index/terms.ts`), so their lower bits serve as the hash as they
 * are.
 */
export class TermLists {
  readonly #moved: Moved;
  readonly #segments: Segment[] = Array.from({ length: SEGMENTS }, () => ({
    slots: new Int32Array(INITIAL_SLOTS).fill(NONE),
    lists: 0,
  }));
  #terms = new Float64Array(INITIAL_NODES);
  #filters = new Int32Array(INITIAL_NODES);
  #ordinals = new Int32Array(INITIAL_NODES);
  #places = new Int32Array(INITIAL_NODES);
  #next = new Int32Array(INITIAL_NODES);
  #previous = new Int32Array(INITIAL_NODES);
  #size = 0;

  constructor(moved: Moved) {
    this.#moved = moved;
  }

  /** Number of nodes in all lists. */
  get size(): number {
    return this.#size;
  }

  /** Returns the first node of a term's list, or -1 if there is none. */
  first(term: number): number {
    const segment = this.#segmentOf(term);
    return element(segment.slots[this.#slotOf(segment, term)]);
  }

  /** Returns the node after another one in its list, or -1 at the end. */
  next(node: number): number {
    return element(this.#next[node]);
  }

  filterOf(node: number): number {
    return element(this.#filters[node]);
  }

  /** Returns the place of the node's value in its filter, as it was added. */
  placeOf(node: number): number {
    return element(this.#places[node]);
  }

  /** Adds a node and returns its number; its filter knows it as `ordinal`. */
  add(term: number, filter: number, ordinal: number, place: number): number {
    if (this.#size === this.#terms.length) this.#resize(this.#size * 2);
    const node = this.#size++;
    this.#terms[node] = term;
    this.#filters[node] = filter;
    this.#ordinals[node] = ordinal;
    this.#places[node] = place;
    this.#previous[node] = NONE;
    const segment = this.#segmentOf(term);
    if (segment.lists * 2 >= segment.slots.length) this.#rehash(segment, segment.slots.length * 2);
    const slot = this.#slotOf(segment, term);
    const first = element(segment.slots[slot]);
    this.#next[node] = first;
    if (first === NONE) segment.lists++;
    else this.#previous[first] = node;
    segment.slots[slot] = node;
    return node;
  }

  remove(node: number): void {
    const next = element(this.#next[node]);
    const previous = element(this.#previous[node]);
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else if (next !== NONE) this.#setFirst(element(this.#terms[node]), next);
    else this.#removeList(element(this.#terms[node]));
    const last = --this.#size;
    if (node !== last) this.#move(last, node);
    if (this.#size * 4 < this.#terms.length && this.#terms.length > INITIAL_NODES) {
      this.#resize(this.#terms.length / 2);
    }
  }

  #move(from: number, to: number): void {
    const next = element(this.#next[from]);
    const previous = element(this.#previous[from]);
    if (next !== NONE) this.#previous[next] = to;
    if (previous !== NONE) this.#next[previous] = to;
    else this.#setFirst(element(this.#terms[from]), to);
    this.#terms[to] = element(this.#terms[from]);
    this.#filters[to] = element(this.#filters[from]);
    this.#ordinals[to] = element(this.#ordinals[from]);
    this.#places[to] = element(this.#places[from]);
    this.#next[to] = next;
    this.#previous[to] = previous;
    this.#moved(element(this.#filters[to]), element(this.#ordinals[to]), to);
  }

  #resize(length: number): void {
    const columnOf = (old: Int32Array) => {
      const grown = new Int32Array(length);
      grown.set(old.subarray(0, Math.min(this.#size, length)));
      return grown;
    };
    const terms = new Float64Array(length);
    terms.set(this.#terms.subarray(0, Math.min(this.#size, length)));
    this.#terms = terms;
    this.#filters = columnOf(this.#filters);
    this.#ordinals = columnOf(this.#ordinals);
    this.#places = columnOf(this.#places);
    this.#next = columnOf(this.#next);
    this.#previous = columnOf(this.#previous);
  }

  #segmentOf(term: number): Segment {
    return element(this.#segments[(term >>> 0) % SEGMENTS]);
  }

  /** Returns the slot of a term's list in its segment, or the empty slot for it. */
  #slotOf({ slots }: Segment, term: number): number {
    const mask = slots.length - 1;
    let slot = homeOf(term) & mask;
    for (;;) {
      const node = element(slots[slot]);
      if (node === NONE || this.#terms[node] === term) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #setFirst(term: number, node: number): void {
    const segment = this.#segmentOf(term);
    segment.slots[this.#slotOf(segment, term)] = node;
  }

  /** Empties the slot of a term, and moves back entries that probing had displaced. */
  #removeList(term: number): void {
    const segment = this.#segmentOf(term);
    const { slots } = segment;
    const mask = slots.length - 1;
    let empty = this.#slotOf(segment, term);
    slots[empty] = NONE;
    segment.lists--;
    for (let slot = (empty + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const home = homeOf(element(this.#terms[element(slots[slot])])) & mask;
      if (((slot - home) & mask) < ((slot - empty) & mask)) continue;
      slots[empty] = element(slots[slot]);
      slots[slot] = NONE;
      empty = slot;
    }
    if (segment.lists * 8 < slots.length && slots.length > INITIAL_SLOTS) {
      this.#rehash(segment, slots.length / 2);
    }
  }

  #rehash(segment: Segment, length: number): void {
    const old = segment.slots;
    segment.slots = new Int32Array(length).fill(NONE);
    for (const node of old) {
      if (node === NONE) continue;
      segment.slots[this.#slotOf(segment, element(this.#terms[node]))] = node;
    }
  }
}

/** Returns the bits of a term that place it within its segment. */
function homeOf(term: number): number {
  return (term >>> 0) / SEGMENTS;
}
