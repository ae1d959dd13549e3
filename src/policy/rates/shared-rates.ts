// Shared memory of all rate limits: bucket numbers and allocation. Made once by the main thread and
// used by all threads.

import { TERM_KEY_BYTES } from '../../store/index/terms.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Buckets of an address or a network. */
export const CONNECTIONS = 0;
export const MESSAGES = 1;
export const BYTES = 2;
export const EVENTS = 3;
export const SUBSCRIPTIONS = 4;
export const WORK = 5;
export const SENT = 6;
/** Bucket of recent violations, for addresses only. */
export const VIOLATIONS = 7;
/** Bucket of the time until which an address is banned, for addresses only. */
export const BAN = 8;
export const NETWORK_BUCKETS = 9;

/** Buckets of a public key. */
export const KEY_EVENTS = 0;
export const KEY_WORK = 1;
export const KEY_SENT = 2;
export const KEY_BUCKETS = 3;

/** Token buckets and hash key that all threads share; made once by the relay. */
export interface SharedRates {
  /** Key of the hash that makes quota tags. */
  readonly secret: Uint8Array;
  readonly networks: SharedArrayBuffer;
  readonly keys: SharedArrayBuffer;
}

/**
 * Allocates the shared memory. `quotas`: number of addresses and networks, and as many keys, that
 * may have used up a part of their buckets.
 */
export function shareRates(quotas: number): SharedRates {
  const secret = crypto.getRandomValues(new Uint8Array(TERM_KEY_BYTES));
  return {
    secret,
    networks: TokenBuckets.share(quotas, NETWORK_BUCKETS),
    keys: TokenBuckets.share(quotas, KEY_BUCKETS),
  };
}
