// Ring buffer in shared memory with one writer and one reader: one direction of a `Channel`.

import { assert } from '../lib/assert.ts';
import type { Memory } from './arena.ts';

/** Words of the header, each on a cache line of its own. */
const HEAD = 0;
const TAIL = 16;
const SENT = 32;
const ASLEEP = 48;
const NOTE = 64;
const HEADER_BYTES = 80 * 4;
/** Header of every batch: its length and its number. */
const BATCH_HEADER_BYTES = 8;

/**
 * Lock-free ring of byte batches with one writer and one reader. A batch is visible to the reader
 * when `HEAD` has moved past it; its space belongs to the writer again when `TAIL` has.
 */
export class Ring {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  /** Offset of this side: where the next batch is written or read. */
  #at = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory, HEADER_BYTES);
    this.#mask = this.#bytes.length - 1;
  }

  /**
   * Allocates the memory of a ring of `bytes` bytes, a power of two; its reader is marked as
   * asleep.
   *
   * @throws RangeError if `bytes` is no power of two or less than 64.
   */
  static share(bytes: number): SharedArrayBuffer {
    if (bytes < 64 || (bytes & (bytes - 1)) !== 0) throw new RangeError('not a power of two');
    const memory = new SharedArrayBuffer(HEADER_BYTES + bytes);
    new Int32Array(memory)[ASLEEP] = 1;
    return memory;
  }

  /** Bytes that the reader has not read yet; for the writer. */
  get unread(): number {
    return (this.#at - Atomics.load(this.#words, TAIL)) | 0;
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** Writes a batch; for the writer. Returns false if the ring has no space for it. */
  push(number: number, batch: Uint8Array): boolean {
    const length = (BATCH_HEADER_BYTES + batch.length + 7) & ~7;
    if (length > this.#bytes.length - this.unread) return false;
    const start = this.#at & this.#mask;
    const word = (HEADER_BYTES + start) >> 2;
    this.#words[word] = batch.length;
    this.#words[word + 1] = number;
    const from = (start + BATCH_HEADER_BYTES) & this.#mask;
    const first = this.#bytes.length - from;
    if (batch.length <= first) this.#bytes.set(batch, from);
    else {
      this.#bytes.set(batch.subarray(0, first), from);
      this.#bytes.set(batch.subarray(first), 0);
    }
    this.#at = (this.#at + length) | 0;
    Atomics.store(this.#words, HEAD, this.#at);
    return true;
  }

  /** Reads the batch with this number, or null if it is not the next; for the reader. */
  shift(number: number, memory: Memory): Buffer | null {
    if (Atomics.load(this.#words, HEAD) === this.#at) return null;
    const start = this.#at & this.#mask;
    const word = (HEADER_BYTES + start) >> 2;
    if (this.#words[word + 1] !== number) return null;
    const length = this.#words[word] ?? -1;
    assert(
      length >= 0 && length <= this.#bytes.length - BATCH_HEADER_BYTES,
      'a batch in a ring is longer than the ring',
    );
    const batch = memory(length);
    const from = (start + BATCH_HEADER_BYTES) & this.#mask;
    const first = this.#bytes.length - from;
    if (batch.length <= first) batch.set(this.#bytes.subarray(from, from + batch.length));
    else {
      batch.set(this.#bytes.subarray(from));
      batch.set(this.#bytes.subarray(0, batch.length - first), first);
    }
    this.#at = (this.#at + ((BATCH_HEADER_BYTES + batch.length + 7) & ~7)) | 0;
    Atomics.store(this.#words, TAIL, this.#at);
    return batch;
  }

  /** Number of batches sent, by ring or port; set by the writer after each. */
  get sent(): number {
    return Atomics.load(this.#words, SENT);
  }

  set sent(count: number) {
    Atomics.store(this.#words, SENT, count);
  }

  /** True if the reader wants to be woken. Having set it, the reader checks for batches again. */
  set asleep(asleep: boolean) {
    Atomics.store(this.#words, ASLEEP, asleep ? 1 : 0);
  }

  /** Claims the wake-up of the reader; for the writer. Returns true at most once for each sleep. */
  claimWakeup(): boolean {
    return (
      Atomics.load(this.#words, ASLEEP) === 1 && Atomics.exchange(this.#words, ASLEEP, 0) === 1
    );
  }

  /** Progress word, written by the reader for the writer. */
  get progress(): number {
    return Atomics.load(this.#words, NOTE);
  }

  set progress(note: number) {
    Atomics.store(this.#words, NOTE, note);
  }
}
