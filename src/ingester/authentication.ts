// Authentication of clients (NIP-42). The state of a connection is in `Connection`, owned by its
// ingester worker.

import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import { checkAuth, newChallenge } from '../protocol/auth.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { OwnAddresses } from '../protocol/own-addresses.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Connection } from './connections.ts';

/**
 * Authenticator for the connections of an ingester worker. A challenge is random and stays the same
 * for the lifetime of its connection; up to `auth.pubkeys_max` keys may sign it. A key may sign it
 * again: libraries authenticate once for each rejection, and within a second those events are the
 * same.
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

  /** Returns the challenge of a connection, created on first use. */
  challenge(connection: Connection): string {
    if (connection.challenge === '') connection.challenge = newChallenge();
    return connection.challenge;
  }

  /** Returns true if this event has authenticated the connection already. */
  isKnown({ authed, authIds }: Connection, event: unknown): boolean {
    const { id, pubkey } = (event ?? {}) as Partial<Record<'id' | 'pubkey', unknown>>;
    return typeof pubkey === 'string' && authed.has(pubkey) && authIds.get(pubkey) === id;
  }

  /** Returns why an event is no valid answer, or null; before its id and signature are checked. */
  check(connection: Connection, event: NostrEvent): Refusal | null {
    const { authed, challenge } = connection;
    if (!authed.has(event.pubkey) && authed.size >= this.#pubkeysMax) {
      return `rate-limited: this relay takes ${this.#pubkeysMax} keys on one connection`;
    }
    return checkAuth(event, { challenge, own: this.#own, nowSeconds: this.#clock.seconds() });
  }

  /** Records a checked authentication; returns true if its key is new on the connection. */
  accept(connection: Connection, event: NostrEvent): boolean {
    connection.authIds = new Map(connection.authIds).set(event.pubkey, event.id);
    if (connection.authed.has(event.pubkey)) return false;
    connection.authed = new Set(connection.authed).add(event.pubkey);
    return true;
  }
}
