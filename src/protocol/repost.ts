// Detection of protected events (NIP-70) embedded in reposts, by a tolerant JSON scanner.

import { element, present } from '../lib/assert.ts';
import { KIND_GENERIC_REPOST, KIND_REPOST } from './kinds.ts';

/**
 * Number of nested levels of JSON text in JSON strings that are read; an ordinary repost has one.
 */
const TEXT_DEPTH_MAX = 8;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Nesting depth of arrays and objects up to which frames are kept; an ordinary event has three
 * levels.
 */
const NESTING_MAX = 64;
/** Length of the shortest text, as written in a string, that can be an event with a tag. */
const CARRIED_LENGTH_MIN = 24;
/** Keys that distinguish an event from other JSON that happens to have `tags`. */
const EVENT_KEYS: ReadonlySet<string> = new Set(['id', 'pubkey', 'content', 'sig']);
/**
 * Length of the longest raw text of a key or tag name that matters: `created_at` with every letter
 * escaped.
 */
const NAME_LENGTH_MAX = 64;
/** White space, control and format characters (byte order mark, NUL, zero-width space). */
const FILLER = /[\s\p{Cc}\p{Cf}]/u;
const LITERAL = /^(?:true|false|null|[-+]?[\d.]+(?:e[-+]?\d+)?)$/i;

/** Start and end of a string in its text, without the quotes. */
type Range = readonly [start: number, end: number];

/** Array or object that is open at the current position of the text. */
interface Frame {
  readonly isObject: boolean;
  /**
   * Depth within tags. 1: the array of an object's `tags`; 2 and more: arrays in it; 0: neither.
   */
  readonly tagsDepth: number;
  /** True until the first element. */
  isFresh: boolean;
  /** Key that a value is expected for. */
  key: string | null;
  /** String that is a key if a colon follows. */
  candidate: Range | null;
  /** Values of `kind`, of which JSON may have several. */
  readonly kinds: number[];
  readonly contents: Range[];
}

/**
 * Returns true if the content of a repost (kinds 6 and 16) embeds a protected event (NIP-70), or a
 * repost that embeds one in turn.
 *
 * The content is read with tolerance, because one JSON parser accepts what another refuses: text
 * before, after and between the tokens, a JSON string or array around the event, keys that occur
 * twice, an end that is missing. The `content` of an embedded event of another kind is not read: to
 * quote is allowed. Only JSON with double quotes is understood; an event in another encoding
 * (base64) passes.
 *
 * Cost: two passes over the content for each level of strings in strings, at most eight levels.
 * Content that nests deeper than any event, in strings or in brackets, and may hold the tag counts
 * as holding it.
 */
export function embedsProtected(content: string): boolean {
  return holdsProtected(content, 0);
}

function holdsProtected(text: string, depth: number): boolean {
  // A tag named `-` cannot be written without one of the two; most reposts need no reading.
  if (!text.includes('"-') && !text.includes('\\u00')) return false;
  if (depth > TEXT_DEPTH_MAX) return true;
  const reading = new Reading(text);
  reading.read(false);
  // A stray quote swaps strings and the text between them: the second pass takes for strings what
  // the first did not.
  if (!reading.isClean) reading.read(true);
  if ((reading.hasProtectedTags || reading.isTooDeep) && reading.hasEventKeys) return true;
  return reading.carried.some((raw) => holdsProtected(unescaped(raw), depth + 1));
}

/** Scanner of one level of text; it never fails. */
class Reading {
  hasProtectedTags = false;
  hasEventKeys = false;
  /**
   * True if arrays and objects nest deeper than `NESTING_MAX`; which value belongs to which is then
   * unknown.
   */
  isTooDeep = false;
  /** True while nothing but JSON tokens and white space was met outside strings. */
  isClean = true;
  /** Raw strings that may be reposts or events in turn. */
  readonly carried: string[] = [];
  readonly #text: string;
  readonly #frames: Frame[] = [];
  /** Number of arrays and objects that are open beyond `NESTING_MAX`. */
  #deeper = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * Reads the text.
   *
   * @param startsInString true if the text begins within a string.
   */
  read(startsInString: boolean): void {
    const text = this.#text;
    this.#frames.push(newFrame(true, 0));
    this.#deeper = 0;
    let at = startsInString ? this.#string(0) : 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) at = this.#string(at + 1);
      else if (code === BACKSLASH) at = this.#backslash(at);
      else if (isPunctuation(code)) {
        this.#punctuation(code);
        at++;
      } else if (isFiller(code)) at++;
      else at = this.#word(at);
    }
    while (this.#frames.length > 0) this.#close();
  }

  get #top(): Frame {
    return element(this.#frames.at(-1));
  }

  /** Takes the string that begins here and returns the position after it. */
  #string(start: number): number {
    const text = this.#text;
    let end = start;
    for (let code: number; end < text.length; end++) {
      code = text.charCodeAt(end);
      if (code === QUOTE) break;
      if (code === BACKSLASH) end++;
    }
    // The closing quote is missing; after a backslash as the last character `end` is beyond the
    // text.
    if (end >= text.length) this.isClean = false;
    this.#value([start, Math.min(end, text.length)]);
    return end + 1;
  }

  /**
   * Skips a backslash outside a string. An escaped quote opens no string there, so that both passes
   * always differ.
   */
  #backslash(at: number): number {
    this.isClean = false;
    const next = this.#text.charCodeAt(at + 1);
    return at + (next === QUOTE || next === BACKSLASH ? 2 : 1);
  }

  #punctuation(code: number): void {
    const top = this.#top;
    if (code === COLON) {
      if (top.candidate === null) return;
      top.key = nameOf(this.#text, top.candidate);
      // A colon may also be text that follows a string.
      this.#flush(top);
      if (top.key !== null && EVENT_KEYS.has(top.key)) this.hasEventKeys = true;
      return;
    }
    this.#flush(top);
    if (code === OPEN_BRACE) this.#open(true, 0);
    else if (code === OPEN_BRACKET) this.#open(false, tagsDepthIn(top));
    else if (code === COMMA) {
      top.key = null;
      top.isFresh = false;
    } else if (this.#deeper > 0) this.#deeper--;
    else if (top.isObject === (code === CLOSE_BRACE) && this.#frames.length > 1) this.#close();
    else this.isClean = false;
  }

  #open(isObject: boolean, tagsDepth: number): void {
    const top = this.#top;
    top.isFresh = false;
    top.key = null;
    if (this.#frames.length <= NESTING_MAX) this.#frames.push(newFrame(isObject, tagsDepth));
    else {
      this.#deeper++;
      this.isTooDeep = true;
    }
  }

  #close(): void {
    const frame = present(this.#frames.pop(), 'frame of an array or object that ends');
    this.#flush(frame);
    const { kinds, contents } = frame;
    const isQuoting = kinds.length > 0 && !kinds.some(isRepost);
    if (!isQuoting) for (const range of contents) this.#carry(range);
  }

  /** Takes a number, `true`, or text that is no JSON; the latter is no value. */
  #word(start: number): number {
    const text = this.#text;
    let end = start + 1;
    for (let code: number; end < text.length; end++) {
      code = text.charCodeAt(end);
      if (code === QUOTE || code === BACKSLASH || isPunctuation(code) || isFiller(code)) break;
    }
    const word = end - start > NAME_LENGTH_MAX ? '' : text.slice(start, end);
    const top = this.#top;
    // Another parser may read a number where this one does not.
    if (top.key === 'kind') top.kinds.push(Number(word || Number.NaN));
    if (!LITERAL.test(word)) {
      this.isClean = false;
      return end;
    }
    this.#flush(top);
    top.key = null;
    top.isFresh = false;
    return end;
  }

  #value(range: Range): void {
    const top = this.#top;
    this.#flush(top);
    const { key, isFresh, tagsDepth } = top;
    top.isFresh = false;
    top.key = null;
    if (key === null) {
      top.candidate = range;
      if (tagsDepth > 1 && isFresh && nameOf(this.#text, range) === '-') {
        this.hasProtectedTags = true;
      }
    } else if (key === 'content') top.contents.push(range);
    else if (key === 'kind') top.kinds.push(Number(nameOf(this.#text, range) ?? Number.NaN));
    else this.#carry(range);
  }

  /**
   * Takes the pending string of a frame, which no colon followed: it is an element, or stands
   * alone.
   */
  #flush(frame: Frame): void {
    const { candidate, tagsDepth } = frame;
    frame.candidate = null;
    if (candidate !== null && tagsDepth === 0) this.#carry(candidate);
  }

  #carry([start, end]: Range): void {
    if (end - start < CARRIED_LENGTH_MIN) return;
    const raw = this.#text.slice(start, end);
    // A string without a backslash holds no quote and hence no event.
    if (raw.includes('\\')) this.carried.push(raw);
  }
}

function newFrame(isObject: boolean, tagsDepth: number): Frame {
  return {
    isObject,
    tagsDepth,
    isFresh: true,
    key: null,
    candidate: null,
    kinds: [],
    contents: [],
  };
}

function tagsDepthIn({ key, tagsDepth }: Frame): number {
  if (key === 'tags') return 1;
  return tagsDepth === 0 ? 0 : tagsDepth + 1;
}

function isPunctuation(code: number): boolean {
  return (
    code === COMMA ||
    code === COLON ||
    code === OPEN_BRACKET ||
    code === CLOSE_BRACKET ||
    code === OPEN_BRACE ||
    code === CLOSE_BRACE
  );
}

function isFiller(code: number): boolean {
  // Printable ASCII is the most frequent case.
  return (code <= 0x20 || code >= 0x7f) && FILLER.test(String.fromCharCode(code));
}

function isRepost(kind: number): boolean {
  return Number.isNaN(kind) || kind === KIND_REPOST || kind === KIND_GENERIC_REPOST;
}

/**
 * Returns a key or the name of a tag; null when it is longer than any that matters. Lower case,
 * because some readers do not distinguish `Tags` from `tags`; up to a NUL, where readers in C end.
 */
function nameOf(text: string, [start, end]: Range): string | null {
  if (end - start > NAME_LENGTH_MAX) return null;
  const [name = ''] = unescaped(text.slice(start, end)).split('\0', 1);
  return name.toLowerCase();
}

const FOUR_DIGITS = /^[0-9a-f]{4}$/i;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Returns the text that a JSON string stands for; an invalid escape stands for its second
 * character.
 */
function unescaped(raw: string): string {
  let text = '';
  let from = 0;
  for (let at = raw.indexOf('\\'); at >= 0; at = raw.indexOf('\\', from)) {
    const letter = raw[at + 1] ?? '';
    const digits = letter === 'u' ? raw.slice(at + 2, at + 6) : '';
    const isCode = FOUR_DIGITS.test(digits);
    text += raw.slice(from, at);
    text += isCode
      ? String.fromCharCode(Number.parseInt(digits, 16))
      : (SHORT_ESCAPES[letter] ?? letter);
    from = at + (isCode ? 6 : 2);
  }
  return from === 0 ? raw : text + raw.slice(from);
}
