// Ranking of management requests by their headers, in the main thread.

import type { Config } from '../config/options.ts';
import { authorizationText } from '../protocol/http-authorization.ts';
import { RANK_ANONYMOUS, RANK_CLAIMED, RANK_SESSION } from './request-slots.ts';

/** Kept characters of a session token: too many to guess, too few to log in with. */
const KEPT_LENGTH = 12;
const TOKEN = /^[^=;]+=([\w-]{43})(?:;|$)/;
const PUBKEY = /"pubkey"\s*:\s*"([0-9a-f]{64})"/;

/**
 * Rank of requests by their headers, at a cost of some microseconds. Nothing is verified: a claimed
 * key only decides the order of waiting requests.
 */
export class CallerRank {
  #keys: ReadonlySet<string>;
  #sessionsMax: number;
  /** Prefixes of session tokens that were given out, the oldest first. */
  readonly #sessions = new Set<string>();

  constructor(config: Config) {
    this.#keys = keysIn(config);
    this.#sessionsMax = config.admin.sessions_max;
  }

  reconfigure(config: Config): void {
    this.#keys = keysIn(config);
    this.#sessionsMax = config.admin.sessions_max;
  }

  /** Returns the rank of a request (`RANK_…`) by its headers; '' stands for a missing header. */
  of(authorization: string, cookie: string): number {
    if (cookie !== '' && this.#isSession(cookie)) return RANK_SESSION;
    return this.#claims(authorization) ? RANK_CLAIMED : RANK_ANONYMOUS;
  }

  /** Records a session from the value of the Set-Cookie header that begins it. */
  learn(setCookie: string): void {
    const token = TOKEN.exec(setCookie)?.[1];
    if (token === undefined) return;
    for (const oldest of this.#sessions) {
      if (this.#sessions.size < this.#sessionsMax) break;
      this.#sessions.delete(oldest);
    }
    this.#sessions.add(token.slice(0, KEPT_LENGTH));
  }

  /** Forgets all sessions after they have ended. */
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

/** Returns the keys of admins and moderators, and `info.pubkey`. */
function keysIn({ admin, info }: Config): ReadonlySet<string> {
  return new Set([...admin.pubkeys, ...admin.moderators, info.pubkey].filter((key) => key !== ''));
}
