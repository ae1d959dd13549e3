import { TERM_KEY_BYTES } from '../../storage/terms.ts';
import { Ledger } from './ledger.ts';

/** The buckets of an address, a network, or everybody. */
export const CONNECTIONS = 0;
export const MESSAGES = 1;
export const BYTES = 2;
export const EVENTS = 3;
export const SUBSCRIPTIONS = 4;
export const WORK = 5;
export const SENT = 6;
/** Of addresses: what they did wrong lately. */
export const VIOLATIONS = 7;
/** Of addresses: until when they are banned. */
export const BAN = 8;
export const NETWORK_BUCKETS = 9;

/** The buckets of a public key. */
export const KEY_EVENTS = 0;
export const KEY_WORK = 1;
export const KEY_SENT = 2;
export const KEY_BUCKETS = 3;

/** What all threads share of rates and bans; made once by the relay. */
export interface SharedRates {
  /** Keys the hash of the accounts. */
  readonly secret: Uint8Array;
  readonly networks: SharedArrayBuffer;
  readonly keys: SharedArrayBuffer;
  readonly everybody: SharedArrayBuffer;
}

/** `accounts`: addresses and networks, and as many keys, that may have something on their account. */
export function shareRates(accounts: number): SharedRates {
  const secret = crypto.getRandomValues(new Uint8Array(TERM_KEY_BYTES));
  return {
    secret,
    networks: Ledger.share(accounts, NETWORK_BUCKETS),
    keys: Ledger.share(accounts, KEY_BUCKETS),
    everybody: Ledger.share(1, NETWORK_BUCKETS),
  };
}
