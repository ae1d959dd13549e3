// Posting lists from terms to live filters, in typed arrays: 36 bytes for each term of a filter.
// Owned by the filter index of the monitor thread.

import { element } from '../lib/assert.ts';

/** Nodes of a chunk, a power of two. */
const CHUNK_NODES = 4096;
const CHUNK_BITS = Math.log2(CHUNK_NODES);
const OFFSET_MASK = CHUNK_NODES - 1;
/** Numbers of a node, side by side, because a match reads most of them. */
const FILTER = 0;
const ORDINAL = 1;
const PLACE = 2;
const NEXT = 3;
const PREVIOUS = 4;
const NUMBERS = 5;
/** Parts of the hash table, each grown by itself: one growth touches a 64th of the terms. */
const SEGMENTS = 64;
const INITIAL_SLOTS = 16;
const NONE = -1;

/** Part of the hash table: the first node of every list, at the slot that its term hashes to. */
interface Segment {
  slots: Int32Array;
  lists: number;
}

/** Storage of 4,096 nodes, 115 kB. */
interface Chunk {
  readonly terms: Float64Array;
  readonly numbers: Int32Array;
}

/** Callback for a node that has a new number; `ordinal` is the one that the node was added with. */
type Moved = (filter: number, ordinal: number, node: number) => void;

/**
 * Doubly linked lists of filters by term, in a hash table with open addressing. A node stands for
 * one term of one filter. Nodes are numbered without gaps: when one is removed, the last takes its
 * number, and `moved` is called. So the memory follows the number of nodes, and shrinks with it: in
 * chunks, because one array that doubles would take three times its nodes while it is copied.
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
  readonly #chunks: Chunk[] = [];
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
    return this.#number(node, NEXT);
  }

  filterOf(node: number): number {
    return this.#number(node, FILTER);
  }

  /** Returns the place of the node's value in its filter, as it was added. */
  placeOf(node: number): number {
    return this.#number(node, PLACE);
  }

  #chunkOf(node: number): Chunk {
    return element(this.#chunks[node >> CHUNK_BITS]);
  }

  #number(node: number, which: number): number {
    return element(this.#chunkOf(node).numbers[(node & OFFSET_MASK) * NUMBERS + which]);
  }

  #setNumber(node: number, which: number, value: number): void {
    this.#chunkOf(node).numbers[(node & OFFSET_MASK) * NUMBERS + which] = value;
  }

  #termOf(node: number): number {
    return element(this.#chunkOf(node).terms[node & OFFSET_MASK]);
  }

  /** Adds a node and returns its number; its filter knows it as `ordinal`. */
  add(term: number, filter: number, ordinal: number, place: number): number {
    const node = this.#size++;
    if (node >> CHUNK_BITS === this.#chunks.length) {
      this.#chunks.push({
        terms: new Float64Array(CHUNK_NODES),
        numbers: new Int32Array(CHUNK_NODES * NUMBERS),
      });
    }
    this.#chunkOf(node).terms[node & OFFSET_MASK] = term;
    this.#setNumber(node, FILTER, filter);
    this.#setNumber(node, ORDINAL, ordinal);
    this.#setNumber(node, PLACE, place);
    this.#setNumber(node, PREVIOUS, NONE);
    const segment = this.#segmentOf(term);
    if (segment.lists * 2 >= segment.slots.length) this.#rehash(segment, segment.slots.length * 2);
    const slot = this.#slotOf(segment, term);
    const first = element(segment.slots[slot]);
    this.#setNumber(node, NEXT, first);
    if (first === NONE) segment.lists++;
    else this.#setNumber(first, PREVIOUS, node);
    segment.slots[slot] = node;
    return node;
  }

  remove(node: number): void {
    const next = this.#number(node, NEXT);
    const previous = this.#number(node, PREVIOUS);
    if (next !== NONE) this.#setNumber(next, PREVIOUS, previous);
    if (previous !== NONE) this.#setNumber(previous, NEXT, next);
    else if (next !== NONE) this.#setFirst(this.#termOf(node), next);
    else this.#removeList(this.#termOf(node));
    const last = --this.#size;
    if (node !== last) this.#move(last, node);
    // One empty chunk stays, so that a client cannot make it come and go with every message.
    if (this.#size <= (this.#chunks.length - 2) * CHUNK_NODES) this.#chunks.pop();
  }

  #move(from: number, to: number): void {
    const next = this.#number(from, NEXT);
    const previous = this.#number(from, PREVIOUS);
    if (next !== NONE) this.#setNumber(next, PREVIOUS, to);
    if (previous !== NONE) this.#setNumber(previous, NEXT, to);
    else this.#setFirst(this.#termOf(from), to);
    const source = this.#chunkOf(from);
    const target = this.#chunkOf(to);
    target.terms[to & OFFSET_MASK] = this.#termOf(from);
    const at = (from & OFFSET_MASK) * NUMBERS;
    target.numbers.set(source.numbers.subarray(at, at + NUMBERS), (to & OFFSET_MASK) * NUMBERS);
    this.#moved(this.filterOf(to), this.#number(to, ORDINAL), to);
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
      if (node === NONE || this.#termOf(node) === term) return slot;
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
      const home = homeOf(this.#termOf(element(slots[slot]))) & mask;
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
      segment.slots[this.#slotOf(segment, this.#termOf(node))] = node;
    }
  }
}

/** Returns the bits of a term that place it within its segment. */
function homeOf(term: number): number {
  return (term >>> 0) / SEGMENTS;
}
