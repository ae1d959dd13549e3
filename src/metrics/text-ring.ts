/** Two 32-bit words in front of each slot: its version, odd while it is written, and its length. */
const HEAD_BYTES = 8;
/** Longest text of a slot in bytes; what is longer is left out. */
export const RING_TEXT_BYTES_MAX = 2_040;
/** Slow queries that are kept of each query lane. */
export const SLOW_QUERIES = 64;
/** Refused reads that are kept of each ingester and query lane. */
export const REFUSED_READS = 32;
/** Talkers that `wok top` can show. */
export const TALKERS = 20;
const SLOT_BYTES = HEAD_BYTES + RING_TEXT_BYTES_MAX;

/**
 * The newest short texts of one lane in shared memory: one thread writes, any other reads. A text that
 * is being overwritten while it is read is left out.
 */
export class TextRing {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #slots: number;
  #next = 0;

  /** A ring of `slots` texts in `memory`, from the `index`th ring on. */
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

  /** Puts a text into a slot of its own; '' empties it. */
  write(slot: number, text: string): void {
    const at = slot * SLOT_BYTES;
    const word = at / 4;
    const fits = Buffer.byteLength(text) <= RING_TEXT_BYTES_MAX;
    Atomics.add(this.#words, word, 1);
    const length = fits ? this.#bytes.write(text, at + HEAD_BYTES) : 0;
    this.#words[word + 1] = length;
    Atomics.add(this.#words, word, 1);
  }

  /** All texts that are there, in no order. */
  read(): string[] {
    const found: string[] = [];
    for (let slot = 0; slot < this.#slots; slot++) {
      const at = slot * SLOT_BYTES;
      const word = at / 4;
      const version = Atomics.load(this.#words, word);
      const length = this.#words[word + 1]!;
      if (version % 2 !== 0 || length <= 0 || length > RING_TEXT_BYTES_MAX) continue;
      const text = this.#bytes.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + length);
      if (Atomics.load(this.#words, word) === version) found.push(text);
    }
    return found;
  }
}
