// Ordered set of (created_at, id) with the sums that fingerprints need.

import { element } from '../lib/assert.ts';
import { type Bound, boundAt, compareToBound, ID_BYTES, type Item } from './bound.ts';
import { changeSum, ID_WORDS, IdSum } from './sums.ts';

/** Items of a chunk at most. */
const CHUNK_ITEMS = 1024;
/** Items by which the memory of a chunk grows. */
const GROWTH_ITEMS = 128;

/** Up to 1,024 items in order, with the sum of their ids. */
class Chunk {
  count = 0;
  times: Float64Array;
  /** The ids, as words for sums and as bytes for comparisons; both are one memory. */
  words: Uint32Array;
  bytes: Uint8Array;
  sum: Uint32Array = new Uint32Array(ID_WORDS);
  /** True if a snapshot reads it: it is copied before a change. */
  isShared = false;

  constructor(capacity: number) {
    this.times = new Float64Array(capacity);
    this.words = new Uint32Array(capacity * ID_WORDS);
    this.bytes = new Uint8Array(this.words.buffer);
  }

  get isFull(): boolean {
    return this.count === CHUNK_ITEMS;
  }

  get bytesHeld(): number {
    return this.times.byteLength + this.words.byteLength;
  }

  /** Returns a copy of the items from `from` to before `to`. */
  part(from: number, to: number): Chunk {
    const chunk = new Chunk(roomFor(to - from));
    chunk.times.set(this.times.subarray(from, to));
    chunk.words.set(this.words.subarray(from * ID_WORDS, to * ID_WORDS));
    chunk.count = to - from;
    const sum = new IdSum();
    for (let at = 0; at < chunk.count; at++) sum.addId(chunk.words, at * ID_WORDS);
    chunk.sum = sum.words();
    return chunk;
  }

  insert(at: number, time: number, id: Uint8Array): void {
    if (this.count === this.times.length) this.#grow();
    this.times.copyWithin(at + 1, at, this.count);
    this.bytes.copyWithin((at + 1) * ID_BYTES, at * ID_BYTES, this.count * ID_BYTES);
    this.times[at] = time;
    this.bytes.set(id, at * ID_BYTES);
    this.count++;
    changeSum(this.sum, this.words, at * ID_WORDS, 1);
  }

  remove(at: number): void {
    changeSum(this.sum, this.words, at * ID_WORDS, -1);
    this.times.copyWithin(at, at + 1, this.count);
    this.bytes.copyWithin(at * ID_BYTES, (at + 1) * ID_BYTES, this.count * ID_BYTES);
    this.count--;
  }

  /** Returns the number of items below a bound. */
  below(bound: Bound): number {
    return countWhile(this.count, (at) => this.compare(at, bound) < 0);
  }

  compare(at: number, bound: Bound): number {
    return compareToBound(element(this.times[at]), this.bytes, at * ID_BYTES, bound);
  }

  #grow(): void {
    const { times, words } = this;
    const capacity = roomFor(times.length + 1);
    this.times = new Float64Array(capacity);
    this.times.set(times);
    this.words = new Uint32Array(capacity * ID_WORDS);
    this.words.set(words);
    this.bytes = new Uint8Array(this.words.buffer);
  }
}

/**
 * Ordered set of events, by created_at and then by id, that returns the sum of the ids in any range
 * without reading them all: chunks of up to 1,024 items, each with its sum. An addition or removal
 * changes one chunk. Memory: 40 bytes an item, and up to 128 free places a chunk.
 */
export class IdSet {
  #chunks: Chunk[] = [];
  /** Number of items before each chunk; undefined after a change. */
  #starts: Float64Array | undefined;
  #size = 0;
  /** Bytes of all chunks that were copied because a snapshot reads them. */
  copiedBytes = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns a set that later changes of this one do not change; it costs a few bytes a chunk. */
  snapshot(): IdSet {
    const copy = new IdSet();
    for (const chunk of this.#chunks) chunk.isShared = true;
    copy.#chunks = this.#chunks.slice();
    copy.#starts = this.#starts;
    copy.#size = this.#size;
    return copy;
  }

  /** Adds an item; returns false if it is there already. Items in order are added fastest. */
  add(time: number, id: Uint8Array): boolean {
    const bound = { time, prefix: id };
    let at = this.#chunkOf(bound);
    let chunk = this.#chunks[at];
    if (chunk === undefined) {
      chunk = new Chunk(GROWTH_ITEMS);
      this.#chunks.push(chunk);
    }
    let place = chunk.below(bound);
    if (place < chunk.count && chunk.compare(place, bound) === 0) return false;
    if (chunk.isFull) {
      const isLast = place === chunk.count && at === this.#chunks.length - 1;
      const half = isLast ? CHUNK_ITEMS : CHUNK_ITEMS / 2;
      const upper = isLast ? new Chunk(GROWTH_ITEMS) : chunk.part(half, CHUNK_ITEMS);
      if (!isLast && chunk.isShared) this.copiedBytes += chunk.bytesHeld;
      this.#chunks.splice(at, 1, isLast ? chunk : chunk.part(0, half), upper);
      if (place >= half) {
        at++;
        place -= half;
      }
    }
    this.#own(at).insert(place, time, id);
    this.#size++;
    this.#starts = undefined;
    return true;
  }

  /** Removes an item; returns false if it is not there. */
  remove(time: number, id: Uint8Array): boolean {
    const bound = { time, prefix: id };
    const at = this.#chunkOf(bound);
    const chunk = this.#chunks[at];
    const place = chunk?.below(bound) ?? 0;
    if (chunk === undefined || place === chunk.count || chunk.compare(place, bound) !== 0)
      return false;
    if (chunk.count === 1) {
      if (chunk.isShared) this.copiedBytes += chunk.bytesHeld;
      this.#chunks.splice(at, 1);
    } else this.#own(at).remove(place);
    this.#size--;
    this.#starts = undefined;
    return true;
  }

  /** Returns the number of items below a bound: the index of the first that is not. */
  below(bound: Bound): number {
    const at = this.#chunkOf(bound);
    const chunk = this.#chunks[at];
    return chunk === undefined ? 0 : element(this.#offsets()[at]) + chunk.below(bound);
  }

  /** Returns the indexes of the items from second `since` to second `until`, both included. */
  between(since: number | null, until: number | null): [from: number, to: number] {
    const from = since === null ? 0 : this.below(boundAt(since));
    const to = until === null ? this.#size : this.below(boundAt(until + 1));
    return [from, Math.max(from, to)];
  }

  /** Returns the item of an index; its id is a view into the set. */
  at(index: number): Item {
    const at = this.#chunkAt(index);
    const chunk = element(this.#chunks[at]);
    const place = index - element(this.#offsets()[at]);
    return {
      time: element(chunk.times[place]),
      id: chunk.bytes.subarray(place * ID_BYTES, (place + 1) * ID_BYTES),
    };
  }

  /** Adds the ids from index `from` to before `to` to a sum. */
  addTo(sum: IdSum, from: number, to: number): void {
    this.#parts(from, to, (chunk, first, last) => {
      if (first === 0 && last === chunk.count) sum.addSum(chunk.sum, chunk.count);
      else for (let at = first; at < last; at++) sum.addId(chunk.words, at * ID_WORDS);
    });
  }

  /** Copies the ids from index `from` to before `to`, 32 bytes each. */
  copyIds(from: number, to: number, target: Uint8Array, targetAt: number): void {
    let end = targetAt;
    this.#parts(from, to, (chunk, first, last) => {
      target.set(chunk.bytes.subarray(first * ID_BYTES, last * ID_BYTES), end);
      end += (last - first) * ID_BYTES;
    });
  }

  #parts(from: number, to: number, each: (chunk: Chunk, first: number, last: number) => void) {
    if (from >= to) return;
    const starts = this.#offsets();
    for (let at = this.#chunkAt(from); at < this.#chunks.length; at++) {
      const start = element(starts[at]);
      if (start >= to) return;
      const chunk = element(this.#chunks[at]);
      each(chunk, Math.max(from - start, 0), Math.min(to - start, chunk.count));
    }
  }

  /** Returns the chunk that holds what is at or just below a bound, the first if there is none. */
  #chunkOf(bound: Bound): number {
    const chunks = this.#chunks;
    const begun = (at: number) => element(chunks[at]).compare(0, bound) <= 0;
    return Math.max(countWhile(chunks.length, begun) - 1, 0);
  }

  /** Returns the chunk that holds an index. */
  #chunkAt(index: number): number {
    const starts = this.#offsets();
    return Math.max(countWhile(starts.length, (at) => element(starts[at]) <= index) - 1, 0);
  }

  #offsets(): Float64Array {
    if (this.#starts === undefined) {
      this.#starts = new Float64Array(this.#chunks.length);
      let sum = 0;
      for (const [at, { count }] of this.#chunks.entries()) {
        this.#starts[at] = sum;
        sum += count;
      }
    }
    return this.#starts;
  }

  /** Returns a chunk that no snapshot reads. */
  #own(at: number): Chunk {
    let chunk = element(this.#chunks[at]);
    if (chunk.isShared) {
      chunk = chunk.part(0, chunk.count);
      this.copiedBytes += chunk.bytesHeld;
      this.#chunks[at] = chunk;
    }
    return chunk;
  }
}

/** Returns how many of `count` elements in order a condition holds for: it holds for the first. */
function countWhile(count: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function roomFor(items: number): number {
  return Math.min(Math.ceil(items / GROWTH_ITEMS) * GROWTH_ITEMS, CHUNK_ITEMS);
}
