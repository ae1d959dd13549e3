// Ids that answers to EVENT, AUTH and NEG messages quote (reply ids), taken from unchecked values.

/** Machine-readable prefix of a rejection that an AUTH may lift. */
export const AUTH_REQUIRED = 'auth-required:';

/**
 * Longest invalid id that an answer quotes, in UTF-16 units. An id is quoted whole or not at all:
 * its beginning might be the id of something else.
 */
export const STRANGE_ID_MAX = 4096;

/** Returns the id that an answer to an EVENT or AUTH quotes, valid or not; '' if there is none. */
export function idIn(value: unknown): string {
  const id =
    typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  return quotable(id);
}

/** Returns the text in a form that may be quoted as an id, or ''. */
export function quotable(id: unknown): string {
  return typeof id === 'string' && id.length <= STRANGE_ID_MAX ? id.toWellFormed() : '';
}

/** Returns the number of characters, not of UTF-16 units (NIP-01 speaks of characters). */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
