// Encoding of a key that has vanished (NIP-62), part of several records. It holds no state.

import type { RecordReader, RecordWriter } from '../channel/records.ts';
import { assert } from '../lib/assert.ts';

/** Key that has vanished from the relay (NIP-62), and the events that it had there. */
export interface VanishedKey {
  /** 64 hex digits: the author of the events, and the recipient of the gift wraps. */
  pubkey: string;
  /** Newest `created_at` that is removed. */
  until: number;
  /** True if there were any events, or if the request had been carried out before. */
  removed: boolean;
}

export function writeVanishedKey(to: RecordWriter, { pubkey, until, removed }: VanishedKey): void {
  to.ascii(pubkey);
  to.f64(until);
  to.u8(removed ? 1 : 0);
}

export function readVanishedKey(from: RecordReader): VanishedKey {
  const pubkey = from.ascii();
  assert(pubkey.length === 64, 'a vanished key has not 64 digits');
  return { pubkey, until: from.f64(), removed: from.u8() === 1 };
}
