import type { Config } from '../config/options.ts';
import { authorizationText } from '../protocol/http-authorization.ts';
import { RANK_CLAIMED, RANK_SESSION, RANK_STRANGER } from './request-slots.ts';

/** Characters of a session's token that are kept: too many to guess, too few to log in with. */
const KEPT_LENGTH = 12;
const TOKEN = /^[^=;]+=([\w-]{43})(?:;|$)/;
const PUBKEY = /"pubkey"\s*:\s*"([0-9a-f]{64})"/;

/**
 * How much a request tells of who asks, from a look at its headers that costs some microseconds.
 * Nothing is verified here: a claimed key only decides which request waits for which.
 */
export class CallerRank {
  #keys: ReadonlySet<string>;
  #sessionsMax: number;
  /** The beginnings of tokens that were given out, the oldest first. */
  readonly #sessions = new Set<string>();

  constructor(config: Config) {
    this.#keys = keysIn(config);
    this.#sessionsMax = config.admin.sessions_max;
  }

  reconfigure(config: Config): void {
    this.#keys = keysIn(config);
    this.#sessionsMax = config.admin.sessions_max;
  }

  /** Ranks a request (`RANK_…`) by its headers; '' for one that is not there. */
  of(authorization: string, cookie: string): number {
    if (cookie !== '' && this.#isSession(cookie)) return RANK_SESSION;
    return this.#claims(authorization) ? RANK_CLAIMED : RANK_STRANGER;
  }

  /** Learns a session from the value of a Set-Cookie header that begins it. */
  learn(setCookie: string): void {
    const token = TOKEN.exec(setCookie)?.[1];
    if (token === undefined) return;
    while (this.#sessions.size >= this.#sessionsMax) {
      this.#sessions.delete(this.#sessions.values().next().value!);
    }
    this.#sessions.add(token.slice(0, KEPT_LENGTH));
  }

  /** All sessions have ended. */
  forget(): void {
    this.#sessions.clear();
  }

  #isSession(cookie: string): boolean {
    return cookie.split(';').some((pair) => {
      const token = TOKEN.exec(pair.trim())?.[1];
      return token !== undefined && this.#sessions.has(token.slice(0, KEPT_LENGTH));
    });
  }

  #claims(authorization: string): boolean {
    const text = authorizationText(authorization);
    if (text === null) return false;
    const pubkey = PUBKEY.exec(text)?.[1];
    return pubkey !== undefined && this.#keys.has(pubkey);
  }
}

/** The keys of admins and moderators. */
function keysIn({ admin, info }: Config): ReadonlySet<string> {
  return new Set([...admin.pubkeys, ...admin.moderators, info.pubkey].filter((key) => key !== ''));
}
