import { KeySet } from '../key-set.ts';

/** The lists of keys that the admin room keeps for all lanes: from files, and computed. */
export const keyLists = ['denied', 'allowed', 'admitted', 'trusted'] as const;
export type KeyListName = (typeof keyLists)[number];

/** admin → supervisor → every ingester lane, over the control ports: shared memory cannot be packed. */
export interface KeyShare {
  t: 'keys';
  list: KeyListName;
  keys: SharedArrayBuffer;
}

/** admin → ingester. */
export interface Nip05Message extends Verification {
  t: 'nip05';
  pubkey: string;
}

/** What came of looking a NIP-05 address up; in force until then, in seconds since 1970. */
export interface Verification {
  verified: boolean;
  until: number;
  /** For people; '' when it is verified. */
  why: string;
}

/** ingester → admin: look the author's address up. `address` is '' where the event told none. */
export interface VerifyRequest {
  t: 'verify';
  pubkey: string;
  address: string;
}

/** Verifications that a lane remembers, and questions that it has asked; beyond it the oldest go. */
const REMEMBERED_MAX = 100_000;
const ASKED_MAX = 10_000;
/** A question is not asked again before this, in seconds. */
const ASK_AGAIN_SECONDS = 10;

/** The lists as one lane has them. A list that nobody has sent yet is null. */
export class DoorKeys {
  readonly sets: Record<KeyListName, KeySet | null> = {
    denied: null,
    allowed: null,
    admitted: null,
    trusted: null,
  };
  readonly #verifications = new Map<string, Verification>();
  readonly #asked = new Map<string, number>();
  #ask: (request: VerifyRequest) => void = () => {};

  /** The way to the admin room; a new one when it was started again. */
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

  /** What is known of an author's address; undefined when nothing is, or no longer. */
  verification(pubkey: string, now: number): Verification | undefined {
    const found = this.#verifications.get(pubkey);
    return found !== undefined && found.until > now ? found : undefined;
  }

  /** Has an author's address looked up, once at a time. */
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
