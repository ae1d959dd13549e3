// Key lists and NIP-05 verifications as an ingester worker has them. The admin worker owns the
// originals.

import type {
  KeyListName,
  KeyShare,
  Nip05Message,
  Verification,
  VerifyRequest,
} from '../messages/key-lists.ts';
import { KeySet } from './key-set.ts';

/** Bounds of remembered verifications and pending requests; the oldest are evicted. */
const REMEMBERED_MAX = 100_000;

const ASKED_MAX = 10_000;

/** Shortest time between two requests for the same key, in seconds. */
const ASK_AGAIN_SECONDS = 10;

/** Key lists and verifications of one ingester worker. A list not received yet is null. */
export class SharedKeys {
  readonly sets: Record<KeyListName, KeySet | null> = {
    denied: null,
    allowed: null,
    admitted: null,
    trusted: null,
  };
  readonly #verifications = new Map<string, Verification>();
  readonly #asked = new Map<string, number>();
  #ask: (request: VerifyRequest) => void = () => {};

  /** Attaches the sender of requests to the admin worker; called again after that was restarted. */
  attach(ask: (request: VerifyRequest) => void): void {
    this.#ask = ask;
    this.#asked.clear();
  }

  take({ list, keys }: KeyShare): void {
    this.sets[list] = new KeySet(keys);
  }

  verified({ pubkey, verified, until, why }: Nip05Message): void {
    this.#asked.delete(pubkey);
    this.#verifications.delete(pubkey);
    this.#verifications.set(pubkey, { verified, until, why });
    dropOldest(this.#verifications, REMEMBERED_MAX);
  }

  /** Returns the verification of an author; undefined when there is none, or it has expired. */
  verification(pubkey: string, now: number): Verification | undefined {
    const found = this.#verifications.get(pubkey);
    return found !== undefined && found.until > now ? found : undefined;
  }

  /** Requests a lookup of an address, at most once in `ASK_AGAIN_SECONDS` until it is answered. */
  verify(pubkey: string, address: string, now: number): void {
    if ((this.#asked.get(pubkey) ?? 0) > now - ASK_AGAIN_SECONDS) return;
    this.#asked.set(pubkey, now);
    dropOldest(this.#asked, ASKED_MAX);
    this.#ask({ t: 'verify', pubkey, address });
  }
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
