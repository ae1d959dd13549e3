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
