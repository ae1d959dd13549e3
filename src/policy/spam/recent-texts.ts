// Near-duplicate detection: a table of recent text fingerprints in shared memory, read and written
// by all ingester workers.

import { distance, type Fingerprint, ones } from './simhash.ts';

/** Capacity in texts, a power of two: 2.4 MB of shared memory together with the bands. */
const TEXTS = 16_384;
const TEXT_CELLS = 6;
const HIGH = 0;
const LOW = 1;
const SEEN_AT = 2;
const KEYS = 3;
const TIMES = 4;
/**
 * Bands of 16 bits of a fingerprint (locality-sensitive hashing). Each bit is in two bands, so that
 * similar texts are likely to agree in at least one.
 */
const BANDS = 8;
const BAND_VALUES = 65_536;
const HEAD = 0;
const FIRST_BAND = 1;
const FIRST_TEXT = FIRST_BAND + BANDS * BAND_VALUES;
const CELLS = FIRST_TEXT + TEXTS * TEXT_CELLS;

/** Earlier occurrences of a text, this one included. */
interface Seen {
  /** Number of different keys that wrote it, as a lower bound: 32 at most. */
  keys: number;
  times: number;
}

/**
 * Fingerprints of recent texts (`duplicate_seconds`) in memory that all ingester workers share, to
 * count the keys that wrote nearly the same text. Workers write without locks; a race can spoil the
 * entry of one text only.
 */
export class RecentTexts {
  readonly #cells: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#cells = new Int32Array(shared);
  }

  static share(): SharedArrayBuffer {
    return new SharedArrayBuffer(CELLS * 4);
  }

  /**
   * Records that `pubkey` wrote a text with this fingerprint and returns the counts. Texts that
   * differ in at most `bitsMax` of 64 bits count as the same; counts last updated more than
   * `seconds` ago are reset.
   */
  see(of: Fingerprint, pubkey: string, now: number, seconds: number, bitsMax: number): Seen {
    const cells = this.#cells;
    const key = 1 << (Number.parseInt(pubkey.slice(0, 8), 16) & 31);
    let text = this.#find(of, bitsMax);
    if (text < 0) {
      const place = Atomics.add(cells, HEAD, 1) & (TEXTS - 1);
      text = FIRST_TEXT + place * TEXT_CELLS;
      cells[text + KEYS] = 0;
      cells[text + TIMES] = 0;
      cells[text + SEEN_AT] = now;
      cells[text + HIGH] = of.high;
      cells[text + LOW] = of.low;
    }
    if (now - cells[text + SEEN_AT]! > seconds) {
      cells[text + KEYS] = 0;
      cells[text + TIMES] = 0;
    }
    cells[text + SEEN_AT] = now;
    const keys = Atomics.or(cells, text + KEYS, key) | key;
    const times = Atomics.add(cells, text + TIMES, 1) + 1;
    const place = (text - FIRST_TEXT) / TEXT_CELLS;
    for (let band = 0; band < BANDS; band++) cells[bandCell(of, band)] = place + 1;
    return { keys: ones(keys), times };
  }

  /** Returns the first cell of a similar text, or -1. */
  #find(of: Fingerprint, bitsMax: number): number {
    const cells = this.#cells;
    for (let band = 0; band < BANDS; band++) {
      const place = cells[bandCell(of, band)]! - 1;
      if (place < 0) continue;
      const text = FIRST_TEXT + place * TEXT_CELLS;
      if (distance(of, cells[text + HIGH]!, cells[text + LOW]!) <= bitsMax) return text;
    }
    return -1;
  }
}

function bandCell(of: Fingerprint, band: number): number {
  return FIRST_BAND + band * BAND_VALUES + bandOf(of, band);
}

function bandOf({ high, low }: Fingerprint, band: number): number {
  switch (band) {
    case 0:
      return high & 0xffff;
    case 1:
      return high >>> 16;
    case 2:
      return low & 0xffff;
    case 3:
      return low >>> 16;
    case 4:
      return (high >>> 8) & 0xffff;
    case 5:
      return (low >>> 8) & 0xffff;
    case 6:
      return ((high & 0xff) << 8) | (low & 0xff);
    default:
      return ((high >>> 24) << 8) | (low >>> 24);
  }
}
