// Constants of the packed form of stored bodies.

/**
 * Packed form of stored bodies: canonical JSON without the parts that are the same in every event,
 * and with ids, keys and signatures as bytes. All numbers are little-endian.
 *
 * ```text
 *   0    1  version of the form: 1
 *   1    3  length of the JSON in bytes
 *   4   32  id
 *  36   32  pubkey
 *  68   64  sig
 * 132    2  kind
 * 134   1…  created_at, seven bits a byte, the lowest first; the last byte is below 128
 *   …       text between `"tags":` and `,"sig":`, with codes in it
 * ```
 *
 * A code is a byte below 32, which JSON never contains: `HEX` and 32 bytes stand for 64 lower-case
 * hex digits; `RUN`, a number n and n bytes for 2n of them; any other code for a piece of text
 * (`PIECES`), the first of which are followed by 32 bytes as `HEX` is. Every other byte stands for
 * itself. The view `nostr_event` of `schema.sql` reads the form, too.
 */

/** First byte of a packed body; that of JSON is `{`. */
export const PACKED = 1;
export const LENGTH_AT = 1;
export const ID_AT = 4;
export const PUBKEY_AT = 36;
export const SIG_AT = 68;
export const KIND_AT = 132;
export const CREATED_AT = 134;
export const ID_BYTES = 32;
export const SIG_BYTES = 64;
/** Greatest length of packed JSON; longer bodies stay JSON. */
export const JSON_BYTES_MAX = 0xff_ffff;

export const HEX = 1;
export const RUN = 2;
export const PIECE_FIRST = 3;
/** Least byte that stands for itself. */
export const LITERAL_MIN = 32;
/** Least number of hex digits in a row that are packed. */
export const RUN_DIGITS_MIN = 16;
/** Greatest length of a piece. */
export const PIECE_BYTES_MAX = 16;

/** Number of codes, the first ones, that are followed by 32 bytes as hex digits. */
export const HEX_PIECES = 8;

/** Pieces of text by code, from `PIECE_FIRST` on. Part of the form: never changed. */
export const PIECES: readonly Buffer[] = [
  '"],["p","',
  '"],["e","',
  '[["p","',
  '[["e","',
  '\\"id\\":\\"',
  '\\"pubkey\\":\\"',
  '\\"],[\\"p\\",\\"',
  '\\"],[\\"e\\",\\"',
  '"],["',
  '","',
  '","","',
  '","wss://',
  '","root',
  '","reply',
  '"]],"content":"',
  '[],"content":"',
  '\\"',
  '\\",\\"',
  '\\":\\"',
  '\\"],[\\"',
  '\\n\\n',
  '\\n',
  '"],["t","',
  '\\"content\\":\\"',
  '\\"created_at\\":',
  '\\"tags\\":[',
  '\\"sig\\":\\"',
  '\\"kind\\":',
  '"],["r","',
].map((text) => Buffer.from(text));
