// Parser of the Authorization header of NIP-98.

/**
 * Returns the text that an Authorization header with the scheme Nostr (NIP-98) encodes: the JSON of
 * an event, if it is right. Null for any other header.
 */
export function authorizationText(header: string): string | null {
  const encoded = /^Nostr\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(header)?.[1];
  return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString();
}
