import { decodeBech32 } from '../config/npub.ts';

const KEY_BYTES = 32;
/** What holds the id or the key in a list of types, lengths and values (NIP-19). */
const SPECIAL = 0;
/** Longer ones are not read. */
const LENGTH_MAX = 5_000;

/** The public key, in hex, in 64 hex characters, npub1… or nprofile1…, a nostr: in front or not; else null. */
export function pubkeyIn(text: string): string | null {
  return entityIn(text, 'npub', 'nprofile');
}

/** The event id, in hex, in 64 hex characters, note1… or nevent1…, a nostr: in front or not; else null. */
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
