// Parser of a relay's messages on their bytes, without JSON.parse.

/** Types of relay messages. */
const OTHER = 0;
export const OK = 1;
export const EVENT = 2;
export const EOSE = 3;
export const CLOSED = 4;
export const NOTICE = 5;
export const COUNT = 6;
export const AUTH = 7;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_T = 0x74;
const ID_LENGTH = 64;

/** Message types by name. The first two characters tell them apart. */
const VERBS: readonly (readonly [string, number])[] = [
  ['OK"', OK],
  ['EVENT"', EVENT],
  ['EOSE"', EOSE],
  ['CLOSED"', CLOSED],
  ['NOTICE"', NOTICE],
  ['COUNT"', COUNT],
  ['AUTH"', AUTH],
];
const byFirstTwo = new Map(
  VERBS.map(([name, verb]) => [name.charCodeAt(0) * 256 + name.charCodeAt(1), verb]),
);
const lengths = new Map(VERBS.map(([name, verb]) => [verb, name.length]));

/**
 * Parser of relay messages on their bytes, without JSON.parse, which would cost more than all other
 * work of a load generator. It allows white space between the elements, because some relays write
 * it. Each thread uses its own: `read` leaves its result in the fields.
 */
export class MessageReader {
  verb = OTHER;
  /** Bounds of the second element (an id or a subscription id) without its quotes. */
  idStart = 0;
  idEnd = 0;

  /** Parses the message in bytes[start…end] and returns its type. */
  read(bytes: Buffer, start: number, end: number): number {
    this.verb = OTHER;
    // `["` at the start, unless the relay writes white space there.
    const open = bytes[start + 1] === QUOTE ? start + 1 : nextQuote(bytes, start, end);
    if (open < 0 || open + 4 >= end) return OTHER;
    const verb = byFirstTwo.get(bytes[open + 1]! * 256 + bytes[open + 2]!);
    if (verb === undefined) return OTHER;
    const close = open + lengths.get(verb)!;
    if (bytes[close] !== QUOTE) return OTHER;
    this.idStart = nextQuote(bytes, close + 1, end) + 1;
    this.idEnd = this.idStart === 0 ? -1 : nextQuote(bytes, this.idStart, end);
    if (this.idEnd < 0) return OTHER;
    this.verb = verb;
    return verb;
  }

  /** Returns true if the third element of an OK is true. */
  accepted(bytes: Buffer): boolean {
    let at = this.idEnd + 1;
    while (bytes[at]! <= 0x2c) at++;
    return bytes[at] === LOWER_T;
  }

  /** Returns the decimal number in the second element after its first character, or -1. */
  number(bytes: Buffer): number {
    let number = 0;
    for (let at = this.idStart + 1; at < this.idEnd; at++) {
      const digit = bytes[at]!;
      if (digit < ZERO || digit > NINE) return -1;
      number = number * 10 + digit - ZERO;
    }
    return number;
  }

  /** Returns the offset of the 64 digits of the event's id in an EVENT, or -1. */
  eventId(bytes: Buffer, end: number): number {
    // A quote and a comma come first.
    const from = this.idEnd + 2;
    // Relays that write the id first take the fast path; other messages are searched.
    if (bytes[from + 2] === 0x69 && bytes[from + 6] === QUOTE) return from + 7;
    return textAfter(bytes, from, end, ID_KEY);
  }
}

// Key with its quotes. In strings a quote is escaped, so it only matches a key or a whole string
// such as a tag value; the latter has no colon after it, which `textAfter` checks.
const ID_KEY = Buffer.from('"id"');
const COLON = 0x3a;

/** Returns the offset of the string value of a key, after its quote, or -1. */
function textAfter(bytes: Buffer, from: number, end: number, key: Buffer): number {
  for (let at = bytes.indexOf(key, from); at >= 0 && at < end; at = bytes.indexOf(key, at + 1)) {
    let next = at + key.length;
    while (bytes[next] === 0x20) next++;
    if (bytes[next] === COLON && bytes[at - 1] !== BACKSLASH) {
      const open = nextQuote(bytes, next, end);
      return open < 0 || open + ID_LENGTH >= end ? -1 : open + 1;
    }
  }
  return -1;
}

function nextQuote(bytes: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at++) if (bytes[at] === QUOTE) return at;
  return -1;
}

const NIBBLES = new Uint8Array(256);
for (let value = 0; value < 16; value++) NIBBLES[value.toString(16).charCodeAt(0)] = value;
const KEY_DIGITS = 12;

/**
 * Returns the first 48 bits of an id as a number, used as a map key. Two of 100,000 events share
 * them once in 56,000 datasets.
 */
export function idKey(bytes: Uint8Array, start: number): number {
  let high = 0;
  let low = 0;
  for (let i = 0; i < KEY_DIGITS / 2; i++) {
    high = (high << 4) | NIBBLES[bytes[start + i]!]!;
    low = (low << 4) | NIBBLES[bytes[start + i + KEY_DIGITS / 2]!]!;
  }
  return high * 2 ** 24 + low;
}
