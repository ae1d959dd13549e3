// Ring of short texts in shared memory with one writer and lock-free readers (a seqlock for each
// slot).

import { element } from '../lib/assert.ts';

/** Two 32-bit words in front of each slot: its version, odd while it is written, and its length. */
const HEAD_BYTES = 8;
/** Maximum length of a text in bytes; a longer text is omitted. */
export const RING_TEXT_BYTES_MAX = 2_040;
/** Number of slow queries that are kept of each query worker. */
export const SLOW_QUERIES = 64;
/** Number of refused reads that are kept of each ingester and query worker. */
export const REFUSED_READS = 32;
/** Number of top connections that `wok top` can show. */
export const TOP_CONNECTIONS = 20;
const SLOT_BYTES = HEAD_BYTES + RING_TEXT_BYTES_MAX;

/**
 * Newest short texts of one worker thread in shared memory: one thread writes, any other reads. A
 * text that is overwritten while it is read is omitted.
 */
export class TextRing {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #slots: number;
  #next = 0;

  /** Opens ring number `index` (from 0) of `memory`, in which each ring has `slots` texts. */
  constructor(memory: SharedArrayBuffer, index: number, slots: number) {
    const start = index * slots * SLOT_BYTES;
    this.#slots = slots;
    this.#words = new Int32Array(memory, start, (slots * SLOT_BYTES) / 4);
    this.#bytes = Buffer.from(memory, start, slots * SLOT_BYTES);
  }

  static share(rings: number, slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(rings * slots * SLOT_BYTES);
  }

  push(text: string): void {
    this.write(this.#next, text);
    this.#next = (this.#next + 1) % this.#slots;
  }

  /** Writes a text into a slot; '' empties it. */
  write(slot: number, text: string): void {
    const at = slot * SLOT_BYTES;
    const word = at / 4;
    const fits = Buffer.byteLength(text) <= RING_TEXT_BYTES_MAX;
    Atomics.add(this.#words, word, 1);
    const length = fits ? this.#bytes.write(text, at + HEAD_BYTES) : 0;
    this.#words[word + 1] = length;
    Atomics.add(this.#words, word, 1);
  }

  /** Returns all texts, in no particular order. */
  read(): string[] {
    const found: string[] = [];
    for (let slot = 0; slot < this.#slots; slot++) {
      const at = slot * SLOT_BYTES;
      const word = at / 4;
      const version = Atomics.load(this.#words, word);
      const length = element(this.#words[word + 1]);
      if (version % 2 !== 0 || length <= 0 || length > RING_TEXT_BYTES_MAX) continue;
      const text = this.#bytes.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + length);
      if (Atomics.load(this.#words, word) === version) found.push(text);
    }
    return found;
  }
}
