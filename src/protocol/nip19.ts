// Public keys, secret keys and event ids as people write them: hex, or the bech32 forms of NIP-19.

import { bech32 } from '@scure/base';

const KEY_BYTES = 32;
/** Maximum length of the text of a bare key or id; those with 32 bytes have 63 characters. */
const KEY_TEXT_MAX = 90;
/** Maximum length of a text with TLV entries, such as nprofile1…, in UTF-16 units. */
const TLV_TEXT_MAX = 5_000;
/** TLV type of the id or the key in nevent1… and nprofile1…. */
const SPECIAL = 0;

/** Encodes a public key in hex as `npub1…`. */
export function encodeNpub(pubkey: string): string {
  return bech32.encodeFromBytes('npub', Buffer.from(pubkey, 'hex'));
}

/**
 * Decodes an `npub1…` into 64 lower-case hex characters; returns undefined if the text is not one
 * or its checksum is wrong.
 */
export function decodeNpub(text: string): string | undefined {
  const decoded = decode(text, KEY_TEXT_MAX);
  return decoded?.prefix === 'npub' ? hexOf(decoded.bytes) : undefined;
}

/** Returns the hex key of 64 hex characters or `npub1…`; undefined if `text` is neither. */
export function parsePubkey(text: string): string | undefined {
  return hexIn(text) ?? decodeNpub(text);
}

/** Returns the hex key of 64 hex characters or `nsec1…`; undefined if `text` is neither. */
export function parseSecretKey(text: string): string | undefined {
  const hex = hexIn(text);
  if (hex !== undefined) return hex;
  const decoded = decode(text, KEY_TEXT_MAX);
  return decoded?.prefix === 'nsec' ? hexOf(decoded.bytes) : undefined;
}

/**
 * Returns the hex key of 64 hex characters, npub1… or nprofile1…, with or without `nostr:`; null if
 * `text` is none.
 */
export function pubkeyIn(text: string): string | null {
  return entityIn(text, 'npub', 'nprofile');
}

/**
 * Returns the hex id of 64 hex characters, note1… or nevent1…, with or without `nostr:`; null if
 * `text` is none.
 */
export function eventIdIn(text: string): string | null {
  return entityIn(text, 'note', 'nevent');
}

function entityIn(text: string, bare: string, withTlv: string): string | null {
  const trimmed = text.trim().replace(/^nostr:/i, '');
  const hex = hexIn(trimmed);
  if (hex !== undefined) return hex;
  const decoded = decode(trimmed, TLV_TEXT_MAX);
  if (decoded?.prefix === bare) return hexOf(decoded.bytes) ?? null;
  return decoded?.prefix === withTlv ? specialIn(decoded.bytes) : null;
}

function specialIn(tlv: Uint8Array): string | null {
  for (let at = 0; at + 2 <= tlv.length; ) {
    const end = at + 2 + (tlv[at + 1] ?? 0);
    if (tlv[at] === SPECIAL) return hexOf(tlv.subarray(at + 2, end)) ?? null;
    at = end;
  }
  return null;
}

function hexIn(text: string): string | undefined {
  return /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined;
}

function hexOf(bytes: Uint8Array): string | undefined {
  return bytes.length === KEY_BYTES ? Buffer.from(bytes).toString('hex') : undefined;
}

function decode(text: string, lengthMax: number) {
  const decoded = bech32.decodeUnsafe(text, lengthMax);
  const bytes = decoded && bech32.fromWordsUnsafe(decoded.words);
  return bytes ? { prefix: decoded.prefix, bytes } : undefined;
}
