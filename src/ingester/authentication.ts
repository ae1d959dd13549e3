import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import { checkAuth, newChallenge } from '../protocol/auth.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { OwnAddresses } from '../protocol/own-addresses.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Connection } from './connections.ts';

/**
 * Authentication of clients (NIP-42): a challenge that cannot be guessed and that stays the same while
 * the connection lasts, and up to `auth.pubkeys_max` keys that have signed it. A key may sign it again:
 * libraries authenticate once for each refusal, and within a second those events are the same.
 */
export class Authentication {
  readonly #pubkeysMax: number;
  readonly #own: OwnAddresses;
  readonly #clock: Clock;

  constructor(config: Config, clock: Clock) {
    this.#pubkeysMax = config.auth.pubkeys_max;
    this.#own = new OwnAddresses(config);
    this.#clock = clock;
  }

  /** The challenge of a connection; it is made when it is first needed. */
  challenge(connection: Connection): string {
    if (connection.challenge === '') connection.challenge = newChallenge();
    return connection.challenge;
  }

  /** Whether this very event has authenticated the connection already: there is nothing to check again. */
  isKnown({ authed, authIds }: Connection, event: unknown): boolean {
    const { id, pubkey } = (event ?? {}) as Partial<Record<'id' | 'pubkey', unknown>>;
    return typeof pubkey === 'string' && authed.has(pubkey) && authIds.get(pubkey) === id;
  }

  /** Why an event is no answer to the challenge, or null; before its id and signature are checked. */
  check(connection: Connection, event: NostrEvent): Refusal | null {
    const { authed, challenge } = connection;
    if (!authed.has(event.pubkey) && authed.size >= this.#pubkeysMax) {
      return `rate-limited: this relay takes ${this.#pubkeysMax} keys on one connection`;
    }
    return checkAuth(event, { challenge, own: this.#own, nowSeconds: this.#clock.seconds() });
  }

  /** Takes an authentication that passed every check; true when its key is new here. */
  accept(connection: Connection, event: NostrEvent): boolean {
    connection.authIds = new Map(connection.authIds).set(event.pubkey, event.id);
    if (connection.authed.has(event.pubkey)) return false;
    connection.authed = new Set(connection.authed).add(event.pubkey);
    return true;
  }
}
