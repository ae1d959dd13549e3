// Unpacks bodies of the form of `format.ts` into canonical JSON.

import { StorageError } from '../database/error.ts';
import {
  CREATED_AT,
  HEX,
  HEX_PIECES,
  ID_AT,
  ID_BYTES,
  KIND_AT,
  LENGTH_AT,
  LITERAL_MIN,
  PACKED,
  PIECE_BYTES_MAX,
  PIECE_FIRST,
  PIECES,
  PUBKEY_AT,
  RUN,
  SIG_AT,
  SIG_BYTES,
} from './format.ts';

/**
 * Number of bytes after a body that may be overwritten while it is unpacked, because text is copied
 * in words; the memory must have them.
 */
export const UNPACK_SLACK = PIECE_BYTES_MAX;

/** Two hex digits for each byte, as they are in memory. */
const DIGITS = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  DIGITS[byte] = Buffer.from(byte.toString(16).padStart(2, '0')).readInt16LE();
}

// Every look-up in these tables and in a body names its value for what is not there. No index
// reaches that: places in a body are compared with its end before. Unlike a call of `element`
// (`lib/assert.ts`), which costs 14 % here, the default is free.

const PIECE_WORDS = PIECE_BYTES_MAX / 4;
const WORDS = new Int32Array(LITERAL_MIN * PIECE_WORDS);
const LENGTHS = new Uint8Array(LITERAL_MIN);
for (const [place, piece] of PIECES.entries()) {
  const padded = Buffer.alloc(PIECE_BYTES_MAX);
  piece.copy(padded);
  LENGTHS[PIECE_FIRST + place] = piece.length;
  for (let word = 0; word < PIECE_WORDS; word++) {
    WORDS[(PIECE_FIRST + place) * PIECE_WORDS + word] = padded.readInt32LE(word * 4);
  }
}

const ID_NAME = wordsOf('{"id":"');
const PUBKEY_NAME = wordsOf('","pubkey":"');
const CREATED_NAME = wordsOf('","created_at":');
const KIND_NAME = wordsOf(',"kind":');
const TAGS_NAME = wordsOf(',"tags":');
const SIG_NAME = wordsOf(',"sig":"');
const SIG_END = wordsOf('"}');
/** Lower bound of the length of event JSON. */
const JSON_BYTES_MIN = 330;
const ZERO = 0x30;
const INT_MAX = 0x7fff_ffff;

/** Returns true if a body is packed; the other form is JSON. */
export function isPacked(body: Uint8Array): boolean {
  return body[0] === PACKED;
}

/**
 * Returns the length in bytes of the JSON of a packed body.
 *
 * @throws StorageError when the body is damaged: not packed, or too short for either form.
 */
export function unpackedLength(packed: Uint8Array): number {
  if (!isPacked(packed) || packed.length <= CREATED_AT) throw damaged();
  const length =
    (packed[LENGTH_AT] ?? 0) |
    ((packed[LENGTH_AT + 1] ?? 0) << 8) |
    ((packed[LENGTH_AT + 2] ?? 0) << 16);
  if (length < JSON_BYTES_MIN) throw damaged();
  return length;
}

/**
 * Writes the JSON of a packed body to memory at `start`; `to` and `view` are both views of it. It
 * needs room for `unpackedLength` and `UNPACK_SLACK` bytes.
 *
 * @returns its length.
 * @throws StorageError when the body is damaged.
 */
export function unpack(packed: Uint8Array, to: Uint8Array, view: DataView, start: number): number {
  const length = unpackedLength(packed);
  const end = start + length;
  const sigStart = end - 138;
  const packedEnd = packed.length;
  writeWords(ID_NAME, view, start);
  writeDigits(packed, ID_AT, ID_BYTES, view, start + 7);
  writeWords(PUBKEY_NAME, view, start + 71);
  writeDigits(packed, PUBKEY_AT, ID_BYTES, view, start + 83);
  writeWords(CREATED_NAME, view, start + 147);
  let from = CREATED_AT;
  let createdAt = 0;
  for (let unit = 1; ; unit *= 128) {
    if (from === packedEnd) throw damaged();
    const byte = packed[from++] ?? 0;
    createdAt += (byte & 127) * unit;
    if (byte < 128) break;
    if (from > CREATED_AT + 8) throw damaged();
  }
  let at = writeNumber(createdAt, to, start + 162);
  writeWords(KIND_NAME, view, at);
  at = writeNumber((packed[KIND_AT] ?? 0) | ((packed[KIND_AT + 1] ?? 0) << 8), to, at + 8);
  writeWords(TAGS_NAME, view, at);
  at += 8;
  const wordsEnd = packedEnd - 3;
  while (from < packedEnd && at < sigStart) {
    while (from < wordsEnd) {
      const word =
        (packed[from] ?? 0) |
        ((packed[from + 1] ?? 0) << 8) |
        ((packed[from + 2] ?? 0) << 16) |
        ((packed[from + 3] ?? 0) << 24);
      // True if one of the four bytes is below 32.
      if (((word - 0x2020_2020) & ~word & 0x8080_8080) !== 0 || at + 4 > sigStart) break;
      view.setInt32(at, word, true);
      from += 4;
      at += 4;
    }
    if (from === packedEnd) break;
    const code = packed[from++] ?? 0;
    if (code >= LITERAL_MIN) {
      to[at++] = code;
    } else if (code >= PIECE_FIRST) {
      const word = code * PIECE_WORDS;
      const bytes = LENGTHS[code] ?? 0;
      view.setInt32(at, WORDS[word] ?? 0, true);
      if (bytes > 4) {
        view.setInt32(at + 4, WORDS[word + 1] ?? 0, true);
        if (bytes > 8) {
          view.setInt32(at + 8, WORDS[word + 2] ?? 0, true);
          view.setInt32(at + 12, WORDS[word + 3] ?? 0, true);
        }
      }
      at += bytes;
      if (code >= PIECE_FIRST + HEX_PIECES) continue;
      if (at + 64 > sigStart || from + ID_BYTES > packedEnd) throw damaged();
      writeDigits(packed, from, ID_BYTES, view, at);
      from += ID_BYTES;
      at += ID_BYTES * 2;
    } else {
      if (code !== HEX && (code !== RUN || from === packedEnd)) throw damaged();
      const bytes = code === HEX ? ID_BYTES : (packed[from++] ?? 0);
      if (at + bytes * 2 > sigStart || from + bytes > packedEnd) throw damaged();
      writeDigits(packed, from, bytes, view, at);
      from += bytes;
      at += bytes * 2;
    }
  }
  if (at !== sigStart || from !== packedEnd) throw damaged();
  writeWords(SIG_NAME, view, at);
  writeDigits(packed, SIG_AT, SIG_BYTES, view, at + 8);
  writeWords(SIG_END, view, at + 136);
  return length;
}

function wordsOf(text: string): Int32Array {
  const words = new Int32Array(Math.ceil(text.length / 4));
  Buffer.from(words.buffer).write(text);
  return words;
}

function writeWords(words: Int32Array, view: DataView, at: number): void {
  for (let word = 0; word < words.length; word++)
    view.setInt32(at + word * 4, words[word] ?? 0, true);
}

function writeDigits(
  packed: Uint8Array,
  from: number,
  bytes: number,
  view: DataView,
  start: number,
): void {
  const end = from + bytes;
  let at = start;
  let byte = from;
  for (; byte < end - 1; byte += 2) {
    view.setInt32(
      at,
      (DIGITS[packed[byte] ?? 0] ?? 0) | ((DIGITS[packed[byte + 1] ?? 0] ?? 0) << 16),
      true,
    );
    at += 4;
  }
  if (byte < end) view.setInt16(at, DIGITS[packed[byte] ?? 0] ?? 0, true);
}

/** Writes a number in decimal digits and returns the position after it. */
function writeNumber(value: number, to: Uint8Array, start: number): number {
  let end = start + 1;
  for (let power = 10; power <= value; power *= 10) end++;
  let at = end - 1;
  let left = value;
  for (; left > INT_MAX; at--) {
    const rest = Math.floor(left / 10);
    to[at] = ZERO + (left - rest * 10);
    left = rest;
  }
  for (left |= 0; at >= start; at--) {
    const rest = (left / 10) | 0;
    to[at] = ZERO + (left - rest * 10);
    left = rest;
  }
  return end;
}

function damaged(): StorageError {
  return new StorageError('a packed body in the database is damaged; run wok doctor', 'damaged');
}
