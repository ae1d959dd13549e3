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

/** In canonical JSON the digits of created_at begin here, behind `","created_at":`. */
const CREATED_DIGITS_START = 162;
const KIND_NAME = ',"kind":'.length;
const TAGS_NAME = ',"tags":'.length;
/** `,"sig":"…"}` at the end, and from where its digits are. */
const SIG_TAIL = 138;
const SIG_DIGITS = 130;
const RUN_BYTES_MAX = 255;
const COMMA = 0x2c;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const IS_DIGIT = new Uint8Array(256);
for (const digit of '0123456789abcdef') IS_DIGIT[digit.charCodeAt(0)] = 1;
/** The byte that two hex digits stand for, by both as a number of 16 bits; -1: they are none. */
const BYTES = new Int16Array(65_536).fill(-1);
for (let byte = 0; byte < 256; byte++) {
  BYTES[Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16LE()] = byte;
}

/**
 * Pieces by their first two bytes as a number of 16 bits: where in `ORDER` those that begin so are, the
 * longest first. All begin with a quote or a backslash, or stand where the tags begin.
 */
const FIRST_OF = new Uint8Array(65_536);
const END_OF = new Uint8Array(65_536);
const ORDER = new Uint8Array(PIECES.length);
/** By code, as words of four bytes with masks. */
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

/** Memory and two ways to look at all of it. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Packs the canonical JSON of an event (`format.ts`), which stands at `start` in `source`, into `target`,
 * from its beginning. There has to be room for as many bytes as the JSON has: the packed form is shorter.
 *
 * @returns its length; 0 when the JSON has to stay as it is, because it is too long or has bytes that
 *   no JSON has.
 */
export function pack(source: Memory, start: number, length: number, target: Memory): number {
  if (length > JSON_BYTES_MAX) return 0;
  const { bytes } = source;
  const to = target.bytes;
  to[0] = PACKED;
  to[LENGTH_AT] = length;
  to[LENGTH_AT + 1] = length >> 8;
  to[LENGTH_AT + 2] = length >> 16;
  packDigits(source.view, start + CANONICAL_ID_START, ID_BYTES, target.view, ID_AT);
  packDigits(source.view, start + CANONICAL_PUBKEY_START, ID_BYTES, target.view, PUBKEY_AT);
  packDigits(source.view, start + length - SIG_DIGITS, SIG_BYTES, target.view, SIG_AT);
  let from = start + CREATED_DIGITS_START;
  let createdAt = 0;
  for (; bytes[from] !== COMMA; from++) createdAt = createdAt * 10 + (bytes[from]! - ZERO);
  from += KIND_NAME;
  let kind = 0;
  for (; bytes[from] !== COMMA; from++) kind = kind * 10 + (bytes[from]! - ZERO);
  to[KIND_AT] = kind;
  to[KIND_AT + 1] = kind >> 8;
  let at = CREATED_AT;
  for (; createdAt > 127; createdAt = Math.floor(createdAt / 128)) {
    to[at++] = (createdAt % 128) | 128;
  }
  to[at++] = createdAt;
  return packText(source, from + TAGS_NAME, start + length - SIG_TAIL, target, at);
}

/** Behind `end` comes the signature, so it is no harm to read a little further. */
function packText(
  { bytes: json, view: source }: Memory,
  start: number,
  end: number,
  { bytes: to, view }: Memory,
  first: number,
): number {
  let at = first;
  let from = start;
  while (from < end) {
    // The last of sixteen bytes is looked at first: if it is no digit, no run begins at any of them.
    let clear = from + RUN_DIGITS_MIN;
    while (clear > from && IS_DIGIT[json[clear - 1]!] === 1) clear--;
    if (clear === from) {
      let stop = from + RUN_DIGITS_MIN;
      while (IS_DIGIT[json[stop]!] === 1) stop++;
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
      // An odd one is left over.
      if (from < stop) to[at++] = json[from++]!;
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
      const byte = json[from]!;
      if (byte === QUOTE || byte === BACKSLASH || from === start) {
        const code = pieceAt(source, from, end);
        if (code >= PIECE_FIRST + HEX_PIECES) {
          to[at++] = code;
          from += LENGTHS[code]!;
          continue;
        }
        const digits = from + LENGTHS[code]!;
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

/** Whether one of four bytes is below 32, a quote or a backslash. */
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

/** The code of the longest piece that stands here, or 0. */
function pieceAt(source: DataView, from: number, end: number): number {
  const first = source.getInt32(from, true);
  const pair = first & 0xffff;
  const stop = END_OF[pair]!;
  for (let rank = FIRST_OF[pair]!; rank < stop; rank++) {
    const code = ORDER[rank]!;
    let word = code * WORDS_EACH;
    if ((first & MASKS[word]!) !== WORDS[word]) continue;
    const length = LENGTHS[code]!;
    if (from + length > end) continue;
    let at = 4;
    for (; at < length; at += 4) {
      word++;
      if ((source.getInt32(from + at, true) & MASKS[word]!) !== WORDS[word]) break;
    }
    if (at >= length) return code;
  }
  return 0;
}

/** Packs twice as many hex digits; false when some were none. */
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
    const two = BYTES[word & 0xffff]! | (BYTES[word >>> 16]! << 8);
    all |= two;
    to.setInt16(at, two, true);
  }
  if (at < end) {
    const one = BYTES[source.getUint16(digit, true)]!;
    all |= one;
    to.setInt8(at, one);
  }
  return all >= 0;
}
