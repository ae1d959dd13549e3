import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import { checkAuth, newChallenge } from '../protocol/auth.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { relayHost } from '../protocol/relay-url.ts';
import type { Connection } from './connections.ts';

/** Authentications that one connection may make for each key that it may have. */
const REPEATS_MAX = 4;

/**
 * Authentication of clients (NIP-42): a challenge that nobody can guess and that stays the same while
 * the connection lasts, and any number of keys up to `auth.pubkeys_max` that have signed it.
 */
export class Authentication {
  readonly #pubkeysMax: number;
  /** Empty: the relay goes by whatever name the client found it under. */
  readonly #hosts: readonly string[];
  readonly #clock: Clock;

  constructor({ auth, identity }: Config, clock: Clock) {
    this.#pubkeysMax = auth.pubkeys_max;
    this.#hosts = identity.urls.map(relayHost);
    this.#clock = clock;
  }

  /** The challenge if the client has not been sent it yet, else ''. */
  challenge(connection: Connection): string {
    if (connection.challenge !== '') return '';
    connection.challenge = newChallenge();
    return connection.challenge;
  }

  /** Why an event is no answer to the challenge, or null; before its id and signature are checked. */
  check(connection: Connection, event: NostrEvent): Refusal | null {
    const { authed, authIds, challenge, host } = connection;
    if (authIds.has(event.id)) return 'invalid: this authentication was used already';
    if (authIds.size >= this.#pubkeysMax * REPEATS_MAX) {
      return 'rate-limited: too many authentications on one connection';
    }
    if (!authed.has(event.pubkey) && authed.size >= this.#pubkeysMax) {
      return `rate-limited: this relay takes ${this.#pubkeysMax} keys on one connection`;
    }
    const hosts = this.#hosts.length > 0 ? this.#hosts : hostsOf(host);
    return checkAuth(event, { challenge, hosts, nowSeconds: this.#clock.seconds() });
  }

  /** Takes an authentication that passed every check; true when its key is new here. */
  accept(connection: Connection, event: NostrEvent): boolean {
    connection.authIds = new Set(connection.authIds).add(event.id);
    if (connection.authed.has(event.pubkey)) return false;
    connection.authed = new Set(connection.authed).add(event.pubkey);
    return true;
  }
}

function hostsOf(header: string): string[] {
  const host = relayHost(header);
  return host === '' ? [] : [host];
}
