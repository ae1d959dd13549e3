/** The machine-readable words that a refusal may start with (NIP-01, NIP-42, and the examples there). */
export type RefusalPrefix =
  | 'auth-required'
  | 'blocked'
  | 'duplicate'
  | 'error'
  | 'invalid'
  | 'mute'
  | 'pow'
  | 'rate-limited'
  | 'restricted'
  | 'unsupported';

/** What a client is told when the relay says no: a standard prefix, a colon, a sentence for people. */
export type Refusal = `${RefusalPrefix}: ${string}`;

const WITH_PREFIX =
  /^(auth-required|blocked|duplicate|error|invalid|mute|pow|rate-limited|restricted|unsupported): /;

/**
 * A refusal of what somebody else wrote (a plugin, an operator): as it is when it begins with a standard
 * word, else `blocked: ` and the text.
 */
export function asRefusal(text: string): Refusal {
  if (WITH_PREFIX.test(text)) return text as Refusal;
  return `blocked: ${text.trim() === '' ? 'the policy of this relay does not take it' : text}`;
}
