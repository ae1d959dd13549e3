// Refusals: machine-readable texts with which the relay rejects a message.

/** Machine-readable prefixes of a refusal (NIP-01, NIP-42, NIP-77, and the examples there). */
export type RefusalPrefix =
  | 'auth-required'
  | 'blocked'
  | 'closed'
  | 'duplicate'
  | 'error'
  | 'invalid'
  | 'mute'
  | 'pow'
  | 'rate-limited'
  | 'restricted'
  | 'unsupported';

/** Text of a refusal for the client: a standard prefix, a colon, a sentence for people. */
export type Refusal = `${RefusalPrefix}: ${string}`;

const WITH_PREFIX =
  /^(auth-required|blocked|duplicate|error|invalid|mute|pow|rate-limited|restricted|unsupported): /;

/**
 * Returns a text from outside (a plugin, an operator) as a refusal: unchanged when it begins with a
 * standard prefix, else `blocked: ` and the text.
 */
export function asRefusal(text: string): Refusal {
  if (WITH_PREFIX.test(text)) return text as Refusal;
  return `blocked: ${text.trim() === '' ? 'rejected by the policy of this relay' : text}`;
}
