// Packs the canonical JSON of an event into the form of `format.ts`.

import { CANONICAL_ID_START, CANONICAL_PUBKEY_START } from '../../protocol/canonical.ts';
import {
  CREATED_AT,
  HEX,
  HEX_PIECES,
  ID_AT,
  ID_BYTES,
  JSON_BYTES_MAX,
  KIND_AT,
  LENGTH_AT,
  LITERAL_MIN,
  PACKED,
  PIECE_BYTES_MAX,
  PIECE_FIRST,
  PIECES,
  PUBKEY_AT,
  RUN,
  RUN_DIGITS_MIN,
  SIG_AT,
  SIG_BYTES,
} from './format.ts';

/** Offset of the digits of created_at in canonical JSON, after `","created_at":`. */
const CREATED_DIGITS_START = 162;
const KIND_NAME = ',"kind":'.length;
const TAGS_NAME = ',"tags":'.length;
/** Lengths of the end of the JSON: `,"sig":"…"}`, and the same from its hex digits on. */
const SIG_TAIL = 138;
const SIG_DIGITS = 130;
const RUN_BYTES_MAX = 255;
const COMMA = 0x2c;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

// Every look-up in these tables names its value for what they do not have, which no index reaches:
// unlike a call of `element` (`lib/assert.ts`), which costs 8 % here, that is free.

const IS_DIGIT = new Uint8Array(256);
for (const digit of '0123456789abcdef') IS_DIGIT[digit.charCodeAt(0)] = 1;
/** Bytes by their two hex digits, as a number of 16 bits; -1: not hex digits. */
const BYTES = new Int16Array(65_536).fill(-1);
for (let byte = 0; byte < 256; byte++) {
  BYTES[Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16LE()] = byte;
}

/**
 * Pieces by their first two bytes, as a number of 16 bits: the range in `ORDER` of those that begin
 * so, the longest first. All begin with a quote or a backslash, or stand at the start of the tags.
 */
const FIRST_OF = new Uint8Array(65_536);
const END_OF = new Uint8Array(65_536);
const ORDER = new Uint8Array(PIECES.length);
/** Pieces by code, as words of four bytes with masks. */
const WORDS_EACH = PIECE_BYTES_MAX / 4;
const WORDS = new Int32Array(LITERAL_MIN * WORDS_EACH);
const MASKS = new Int32Array(LITERAL_MIN * WORDS_EACH);
const LENGTHS = new Uint8Array(LITERAL_MIN);

const pairOf = (piece: Buffer) => piece.readUInt16LE();
const sorted = [...PIECES.entries()].sort(
  ([, a], [, b]) => pairOf(a) - pairOf(b) || b.length - a.length,
);
for (const [rank, [place, piece]] of sorted.entries()) {
  const code = PIECE_FIRST + place;
  const pair = pairOf(piece);
  if (END_OF[pair] === 0) FIRST_OF[pair] = rank;
  END_OF[pair] = rank + 1;
  ORDER[rank] = code;
  LENGTHS[code] = piece.length;
  const padded = Buffer.alloc(PIECE_BYTES_MAX);
  piece.copy(padded);
  const mask = Buffer.alloc(PIECE_BYTES_MAX).fill(255, 0, piece.length);
  for (let word = 0; word < WORDS_EACH; word++) {
    WORDS[code * WORDS_EACH + word] = padded.readInt32LE(word * 4);
    MASKS[code * WORDS_EACH + word] = mask.readInt32LE(word * 4);
  }
}

/** Memory with two views of all of it. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Packs the canonical JSON of an event (`format.ts`), which is at `start` in `source`, to the
 * beginning of `target`. `target` needs room for as many bytes as the JSON has: the packed form is
 * shorter.
 *
 * @returns its length; 0 when the JSON has to stay as it is, because it is too long or has bytes
 *   that no JSON has.
 */
export function pack(
  { view: source }: Memory,
  start: number,
  length: number,
  target: Memory,
): number {
  if (length > JSON_BYTES_MAX) return 0;
  const to = target.bytes;
  to[0] = PACKED;
  to[LENGTH_AT] = length;
  to[LENGTH_AT + 1] = length >> 8;
  to[LENGTH_AT + 2] = length >> 16;
  packDigits(source, start + CANONICAL_ID_START, ID_BYTES, target.view, ID_AT);
  packDigits(source, start + CANONICAL_PUBKEY_START, ID_BYTES, target.view, PUBKEY_AT);
  packDigits(source, start + length - SIG_DIGITS, SIG_BYTES, target.view, SIG_AT);
  let from = start + CREATED_DIGITS_START;
  let createdAt = 0;
  for (let byte = source.getUint8(from); byte !== COMMA; byte = source.getUint8(++from)) {
    createdAt = createdAt * 10 + (byte - ZERO);
  }
  from += KIND_NAME;
  let kind = 0;
  for (let byte = source.getUint8(from); byte !== COMMA; byte = source.getUint8(++from)) {
    kind = kind * 10 + (byte - ZERO);
  }
  to[KIND_AT] = kind;
  to[KIND_AT + 1] = kind >> 8;
  let at = CREATED_AT;
  for (; createdAt > 127; createdAt = Math.floor(createdAt / 128)) {
    to[at++] = (createdAt % 128) | 128;
  }
  to[at++] = createdAt;
  return packText(source, from + TAGS_NAME, start + length - SIG_TAIL, target, at);
}

/**
 * Packs the text from `start` to `end`. The signature follows, so reading a little past `end` is
 * safe.
 */
function packText(
  source: DataView,
  start: number,
  end: number,
  { bytes: to, view }: Memory,
  first: number,
): number {
  let at = first;
  let from = start;
  while (from < end) {
    // The last of sixteen bytes is checked first: if it is no digit, no run begins at any of them.
    let clear = from + RUN_DIGITS_MIN;
    while (clear > from && IS_DIGIT[source.getUint8(clear - 1)] === 1) clear--;
    if (clear === from) {
      let stop = from + RUN_DIGITS_MIN;
      while (IS_DIGIT[source.getUint8(stop)] === 1) stop++;
      for (let left = (stop - from) >> 1; left > 0; ) {
        const bytes = Math.min(left, RUN_BYTES_MAX);
        if (bytes === ID_BYTES) to[at++] = HEX;
        else {
          to[at++] = RUN;
          to[at++] = bytes;
        }
        packDigits(source, from, bytes, view, at);
        from += bytes * 2;
        at += bytes;
        left -= bytes;
      }
      // An odd digit is left over.
      if (from < stop) to[at++] = source.getUint8(from++);
      continue;
    }
    if (clear > end) clear = end;
    while (from < clear) {
      while (from < clear - 3) {
        const word = source.getInt32(from, true);
        if (isSpecial(word)) break;
        view.setInt32(at, word, true);
        from += 4;
        at += 4;
      }
      if (from >= clear) break;
      const byte = source.getUint8(from);
      if (byte === QUOTE || byte === BACKSLASH || from === start) {
        const code = pieceAt(source, from, end);
        if (code >= PIECE_FIRST + HEX_PIECES) {
          to[at++] = code;
          from += LENGTHS[code] ?? 0;
          continue;
        }
        const digits = from + (LENGTHS[code] ?? 0);
        if (code !== 0 && packDigits(source, digits, ID_BYTES, view, at + 1)) {
          to[at] = code;
          at += 1 + ID_BYTES;
          from = digits + ID_BYTES * 2;
          continue;
        }
      } else if (byte < LITERAL_MIN) return 0;
      to[at++] = byte;
      from++;
    }
  }
  return at;
}

/** Returns true if one of four bytes is below 32, a quote or a backslash. */
function isSpecial(word: number): boolean {
  const quote = word ^ 0x2222_2222;
  const backslash = word ^ 0x5c5c_5c5c;
  return (
    ((((word - 0x2020_2020) & ~word) |
      ((quote - 0x0101_0101) & ~quote) |
      ((backslash - 0x0101_0101) & ~backslash)) &
      0x8080_8080) !==
    0
  );
}

/** Returns the code of the longest piece at `from`, or 0. */
function pieceAt(source: DataView, from: number, end: number): number {
  const first = source.getInt32(from, true);
  const pair = first & 0xffff;
  const stop = END_OF[pair] ?? 0;
  for (let rank = FIRST_OF[pair] ?? 0; rank < stop; rank++) {
    const code = ORDER[rank] ?? 0;
    let word = code * WORDS_EACH;
    if ((first & (MASKS[word] ?? 0)) !== WORDS[word]) continue;
    const length = LENGTHS[code] ?? 0;
    if (from + length > end) continue;
    let at = 4;
    for (; at < length; at += 4) {
      word++;
      if ((source.getInt32(from + at, true) & (MASKS[word] ?? 0)) !== WORDS[word]) break;
    }
    if (at >= length) return code;
  }
  return 0;
}

/** Packs twice as many hex digits as `bytes`. Returns false if some were not hex digits. */
function packDigits(
  source: DataView,
  from: number,
  bytes: number,
  to: DataView,
  start: number,
): boolean {
  const end = start + bytes;
  let all = 0;
  let digit = from;
  let at = start;
  for (; at < end - 1; at += 2, digit += 4) {
    const word = source.getInt32(digit, true);
    const two = (BYTES[word & 0xffff] ?? -1) | ((BYTES[word >>> 16] ?? -1) << 8);
    all |= two;
    to.setInt16(at, two, true);
  }
  if (at < end) {
    const one = BYTES[source.getUint16(digit, true)] ?? -1;
    all |= one;
    to.setInt8(at, one);
  }
  return all >= 0;
}
