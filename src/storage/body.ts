import {
  CANONICAL_ID_END,
  CANONICAL_ID_START,
  CANONICAL_PUBKEY_END,
  CANONICAL_PUBKEY_START,
} from '../protocol/canonical.ts';

/** The id of an event in canonical JSON, without parsing it. */
export function idOf(json: string): string {
  return json.slice(CANONICAL_ID_START, CANONICAL_ID_END);
}

/** The pubkey of an event in canonical JSON, without parsing it. */
export function pubkeyOf(json: string): string {
  return json.slice(CANONICAL_PUBKEY_START, CANONICAL_PUBKEY_END);
}

/** `idOf` for the bytes of the JSON. */
export function idOfBytes(json: Buffer): string {
  return json.toString('latin1', CANONICAL_ID_START, CANONICAL_ID_END);
}

/** `pubkeyOf` for the bytes of the JSON. */
export function pubkeyOfBytes(json: Buffer): string {
  return json.toString('latin1', CANONICAL_PUBKEY_START, CANONICAL_PUBKEY_END);
}
