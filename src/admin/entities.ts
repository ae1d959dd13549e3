// Parser of public keys and event ids as people write them: hex or NIP-19, with or without
// `nostr:`.

import { decodeBech32 } from '../config/npub.ts';

const KEY_BYTES = 32;
/** TLV type of the id or the key in nevent1… and nprofile1… (NIP-19). */
const SPECIAL = 0;
/** Maximum length that is decoded, in UTF-16 units. */
const LENGTH_MAX = 5_000;

/** Returns the hex key from 64 hex characters, npub1… or nprofile1…; null if `text` is none. */
export function pubkeyIn(text: string): string | null {
  return entityIn(text, 'npub', 'nprofile');
}

/** Returns the hex id from 64 hex characters, note1… or nevent1…; null if `text` is none. */
export function eventIdIn(text: string): string | null {
  return entityIn(text, 'note', 'nevent');
}

function entityIn(text: string, bare: string, withMore: string): string | null {
  const trimmed = text.trim().replace(/^nostr:/i, '');
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return trimmed.toLowerCase();
  if (trimmed.length > LENGTH_MAX) return null;
  const bytes = decodeBech32(trimmed, bare);
  if (bytes !== undefined) return bytes.length === KEY_BYTES ? bytes.toString('hex') : null;
  const list = decodeBech32(trimmed, withMore);
  return list === undefined ? null : specialIn(list);
}

function specialIn(list: Buffer): string | null {
  for (let at = 0; at + 2 <= list.length; at += 2 + list[at + 1]!) {
    const value = list.subarray(at + 2, at + 2 + list[at + 1]!);
    if (list[at] === SPECIAL) return value.length === KEY_BYTES ? value.toString('hex') : null;
  }
  return null;
}
