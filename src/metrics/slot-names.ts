// Table of names in shared memory, written by the main thread, which maps the values of a label
// (slots) to the names of plugins or peers.

import { element } from '../lib/assert.ts';
import { OTHER } from './label-values.ts';

/** Two 32-bit words in front of each name: its state and its length. */
const HEAD_BYTES = 8;
const NAME_BYTES_MAX = 128;
const PLACE_BYTES = HEAD_BYTES + NAME_BYTES_MAX;

const FREE = 0;
const IN_USE = 1;
const RETIRED = 2;

/**
 * Names by slot, where a slot is a value of a label. The names come from the configuration: the
 * main thread assigns each a slot, and never one that had another name, so that counters keep their
 * meaning. Names that find no free slot are counted as `other`.
 */
export class SlotNames {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #slots: readonly string[];

  /** @param slots all values of the label, `other` last. */
  constructor(shared: SharedArrayBuffer, slots: readonly string[]) {
    this.#words = new Int32Array(shared);
    this.#bytes = Buffer.from(shared);
    this.#slots = slots.slice(0, -1);
  }

  static share(slots: readonly string[]): SharedArrayBuffer {
    return new SharedArrayBuffer((slots.length - 1) * PLACE_BYTES);
  }

  /** Assigns slots to these names; others are not shown any more. */
  use(wanted: readonly string[]): void {
    const names = new Set(wanted.map(cut));
    for (let place = 0; place < this.#slots.length; place++) {
      const state = this.#state(place);
      if (state === FREE) continue;
      const isWanted = names.delete(this.#name(place));
      if (isWanted !== (state === IN_USE)) this.#setState(place, isWanted ? IN_USE : RETIRED);
    }
    for (const name of names) {
      const place = this.#placeWhere((at) => this.#state(at) === FREE);
      if (place === null) break;
      const at = place * PLACE_BYTES;
      this.#words[at / 4 + 1] = this.#bytes.write(name, at + HEAD_BYTES, NAME_BYTES_MAX);
      this.#setState(place, IN_USE);
    }
  }

  /** Returns the value of the label under which a name is counted. */
  placeOf(name: string): string {
    const wanted = cut(name);
    const place = this.#placeWhere((at) => this.#state(at) !== FREE && this.#name(at) === wanted);
    return place === null ? OTHER : element(this.#slots[place]);
  }

  /** Returns the name for a value of the label, or null when its slot is not in use. */
  nameAt(label: string): string | null {
    if (label === OTHER) return label;
    const place = this.#slots.indexOf(label);
    return this.#state(place) === IN_USE ? this.#name(place) : null;
  }

  #placeWhere(fits: (place: number) => boolean): number | null {
    for (let place = 0; place < this.#slots.length; place++) if (fits(place)) return place;
    return null;
  }

  #state(place: number): number {
    return Atomics.load(this.#words, (place * PLACE_BYTES) / 4);
  }

  #setState(place: number, state: number): void {
    Atomics.store(this.#words, (place * PLACE_BYTES) / 4, state);
  }

  #name(place: number): string {
    const start = place * PLACE_BYTES + HEAD_BYTES;
    return this.#bytes.toString('utf8', start, start + element(this.#words[(start - 4) / 4]));
  }
}

/** Returns the part of a name that fits into a slot. */
function cut(name: string): string {
  return Buffer.from(name)
    .subarray(0, NAME_BYTES_MAX)
    .toString()
    .replace(/\ufffd+$/, '');
}
