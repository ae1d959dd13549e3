// Messages that keep key lists and NIP-05 verifications of the ingester workers current. The admin
// worker owns the originals. It holds no state.

/** Key lists that the admin worker keeps for all ingester workers: from files, and computed. */
const keyLists = ['denied', 'allowed', 'admitted', 'trusted'] as const;

export type KeyListName = (typeof keyLists)[number];

/**
 * Message admin → supervisor → every ingester worker. It uses the control ports, because shared
 * memory cannot be packed into records.
 */
export interface KeyShare {
  t: 'keys';
  list: KeyListName;
  keys: SharedArrayBuffer;
}

/** Message admin → ingester. */
export interface Nip05Message extends Verification {
  t: 'nip05';
  pubkey: string;
}

/** Result of the lookup of a NIP-05 address. */
export interface Verification {
  verified: boolean;
  /** Time until which it is in force, in seconds since 1970. */
  until: number;
  /** Text for the client; '' when it is verified. */
  why: string;
}

/** Message ingester → admin: look up an address; `address` is '' where the event named none. */
export interface VerifyRequest {
  t: 'verify';
  pubkey: string;
  address: string;
}
