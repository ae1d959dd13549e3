// Encoder of keys and ids as bech32 (NIP-19). The page does not decode; the relay does.

import { bech32, hex } from '../vendor/scure-base.ts';

/**
 * Encodes a public key in hex as `npub1…` or an id in hex as `note1…`. Returns other text than 32
 * bytes of hex unchanged.
 */
export function encoded(prefix: 'npub' | 'note', text: string): string {
  return /^[0-9a-f]{64}$/.test(text) ? bech32.encodeFromBytes(prefix, hex.decode(text)) : text;
}

/** First 11 and last 6 characters of an encoded key or id; up to 20 characters stay as they are. */
export function shortened(text: string): string {
  return text.length <= 20 ? text : `${text.slice(0, 11)}…${text.slice(-6)}`;
}
