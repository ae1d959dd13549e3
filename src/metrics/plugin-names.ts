import { OTHER_PLUGIN, PLUGIN_PLACES } from './label-values.ts';

/** Two 32-bit words in front of each name: its state and its length. */
const HEAD_BYTES = 8;
const NAME_BYTES_MAX = 64;
const PLACE_BYTES = HEAD_BYTES + NAME_BYTES_MAX;
const PLACES = PLUGIN_PLACES.length - 1;

const FREE = 0;
const IN_USE = 1;
const RETIRED = 2;

/**
 * Which plugin or module a place of the label `plugin` stands for. The names come from the configuration:
 * the main thread gives each a place, and never one that had another name, so that counters never mean
 * something else. What finds no place any more is counted as `other`.
 */
export class PluginNames {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
    this.#bytes = Buffer.from(shared);
  }

  static share(): SharedArrayBuffer {
    return new SharedArrayBuffer(PLACES * PLACE_BYTES);
  }

  /** These have a place from now on; others are not shown any more. */
  use(plugins: readonly string[]): void {
    const names = new Set(plugins.map(cut));
    for (let place = 0; place < PLACES; place++) {
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

  /** The value of the label `plugin` under which it is counted. */
  placeOf(name: string): string {
    const wanted = cut(name);
    const place = this.#placeWhere((at) => this.#state(at) !== FREE && this.#name(at) === wanted);
    return place === null ? OTHER_PLUGIN : PLUGIN_PLACES[place]!;
  }

  /** The name behind a value of the label, or null when it stands for nobody now. */
  nameAt(label: string): string | null {
    if (label === OTHER_PLUGIN) return label;
    const place = PLUGIN_PLACES.indexOf(label);
    return this.#state(place) === IN_USE ? this.#name(place) : null;
  }

  #placeWhere(fits: (place: number) => boolean): number | null {
    for (let place = 0; place < PLACES; place++) if (fits(place)) return place;
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
    return this.#bytes.toString('utf8', start, start + this.#words[(start - 4) / 4]!);
  }
}

/** As much of a name as a place holds. */
function cut(name: string): string {
  return Buffer.from(name)
    .subarray(0, NAME_BYTES_MAX)
    .toString()
    .replace(/\ufffd+$/, '');
}
