/** The standard word of a refusal that an AUTH may lift. */
export const AUTH_REQUIRED = 'auth-required:';

/**
 * Longest id, in UTF-16 units, that is quoted back although it is none. It is quoted whole or not at
 * all: the beginning of it might be the id of something else.
 */
export const STRANGE_ID_MAX = 4096;

/** The id that an answer to an EVENT or AUTH is addressed to; whatever the client called it. */
export function idIn(value: unknown): string {
  const id =
    typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  return quotable(id);
}

/** A text as it may be quoted as an id, or ''. */
export function quotable(id: unknown): string {
  return typeof id === 'string' && id.length <= STRANGE_ID_MAX ? id.toWellFormed() : '';
}

/** Characters, not UTF-16 units (NIP-01 speaks of characters). */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
