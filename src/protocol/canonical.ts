// Canonical JSON of events, the form in which they are stored and sent, and the computation of
// their ids.

import { hash } from 'node:crypto';
import type { NostrEvent } from './event.ts';

/** Index in canonical JSON at which the 64 characters of the id begin (after `{"id":"`). */
export const CANONICAL_ID_START = 7;
/** Index in canonical JSON of the character after the id. */
export const CANONICAL_ID_END = 71;
/**
 * Index in canonical JSON at which the 64 characters of the pubkey begin (after `","pubkey":"`).
 */
export const CANONICAL_PUBKEY_START = 83;
/** Index in canonical JSON of the character after the pubkey. */
export const CANONICAL_PUBKEY_END = 147;

const LOWER_HEX = new Uint8Array(65_536);
for (const digit of '0123456789abcdef') LOWER_HEX[digit.charCodeAt(0)] = 1;

/**
 * Returns true if `text` is exactly `length` characters of 0-9 and a-f.
 *
 * A table without early exit: 0.6 µs for the 256 characters of an event, where a regular
 * expression took 1.4 µs and comparisons 1.6 µs (Node 20.20, 716 real events).
 */
export function isLowerHex(text: string, length: number): boolean {
  if (text.length !== length) return false;
  let valid = 1;
  for (let i = 0; i < length; i++) valid &= LOWER_HEX[text.charCodeAt(i)] ?? 0;
  return valid === 1;
}

/** Number of texts of 64 characters that are decoded together; they fill `decoded`. */
const HEX_TEXTS = 1024;
const decoded = Buffer.alloc((HEX_TEXTS * 64) / 2);

/**
 * Returns true if each of the values is a text of exactly 64 characters of 0-9 and a-f.
 *
 * Many texts are decoded as one, 15 µs for 300 where `isLowerHex` takes 42. The decoder also
 * accepts upper case and the lower bytes of characters beyond ASCII: hence the other two
 * conditions.
 */
export function areIds(values: readonly unknown[]): values is string[] {
  if (values.length < 8) {
    return values.every((value) => typeof value === 'string' && isLowerHex(value, 64));
  }
  if (!values.every((value) => typeof value === 'string' && value.length === 64)) return false;
  for (let from = 0; from < values.length; from += HEX_TEXTS) {
    const text = values.slice(from, from + HEX_TEXTS).join('');
    if (decoded.write(text, 'hex') * 2 !== text.length) return false;
    if (Buffer.byteLength(text) !== text.length || text !== text.toLowerCase()) return false;
  }
  return true;
}

/**
 * Returns true if `text` has no lone surrogate. JSON.parse lets those through, but UTF-8 can't
 * encode them, so they would turn into U+FFFD when the event is stored, and no longer match the id.
 */
export function isWellFormed(text: string): boolean {
  // Present in every Node.js that wok runs on; TypeScript lists it from ES2024 on.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/**
 * Returns the only text form in which the relay stores and sends an event: the fields in the order
 * id, pubkey, created_at, kind, tags, content, sig, escaped as JSON.stringify does, without white
 * space. The id and the pubkey are at fixed positions (the `CANONICAL_…` constants).
 *
 * The event must have passed `checkEventShape`: id, pubkey and sig are not escaped again.
 */
export function canonicalJson(event: NostrEvent): string {
  const { id, pubkey, created_at, kind, sig } = event;
  const tags = JSON.stringify(event.tags);
  const content = JSON.stringify(event.content);
  return `{"id":"${id}","pubkey":"${pubkey}","created_at":${created_at},"kind":${kind},"tags":${tags},"content":${content},"sig":"${sig}"}`;
}

/**
 * Returns the text whose SHA-256 is the id (NIP-01), control characters escaped as JSON.stringify
 * does.
 */
export function idPreimage(event: NostrEvent): string {
  const { pubkey, created_at, kind } = event;
  const tags = JSON.stringify(event.tags);
  const content = JSON.stringify(event.content);
  return `[0,"${pubkey}",${created_at},${kind},${tags},${content}]`;
}

/**
 * Returns true if the event's id is the SHA-256 of its other fields.
 *
 * Clients hash what their JSON library writes, and nearly all of those escape U+0001 and its like;
 * NIP-01 says verbatim. The common form is tried first, the other only if it differs.
 *
 * `crypto.hash` takes 3.4 µs with the serialisation for an event of 870 bytes, `createHash` 4.2
 * µs.
 */
export function hashesTo(event: NostrEvent): boolean {
  const preimage = idPreimage(event);
  if (hash('sha256', preimage) === event.id) return true;
  const verbatim = unescapeControls(preimage);
  return verbatim !== preimage && hash('sha256', verbatim) === event.id;
}

/**
 * Replaces the escapes \u0000 … \u001f by the characters they stand for; an escaped backslash is
 * kept.
 */
function unescapeControls(json: string): string {
  if (!json.includes('\\u00')) return json;
  return json.replace(/\\(?:u00([01][0-9a-f])|.)/g, (written, code: string | undefined) =>
    code === undefined ? written : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
