// Login sessions of the admin page. Owned by the admin worker, in memory only.

import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '../../config/options.ts';

const TOKEN_BYTES = 32;

/** Session of a public key. */
export interface LoggedIn {
  readonly pubkey: string;
  /** Seconds since 1970. */
  readonly startedAt: number;
  usedAt: number;
}

/**
 * Sessions of the admin page. Tokens are kept as hashes only, and in memory only: a restart ends
 * all sessions. Bounds: `admin.sessions_max`, and a fifth of them for one key; above it the least
 * recently used session is dropped.
 */
export class Sessions {
  /** Sessions by the SHA-256 of their token, the least recently used first. */
  readonly #sessions = new Map<string, LoggedIn>();

  get size(): number {
    return this.#sessions.size;
  }

  /** Begins a session and returns its token: 43 characters of base64url. */
  begin(pubkey: string, { admin }: Config, now: number): string {
    const max = admin.sessions_max;
    const own = [...this.#sessions].filter(([, one]) => one.pubkey === pubkey);
    if (own.length >= Math.max(1, Math.floor(max / 5))) this.#sessions.delete(own[0]![0]);
    while (this.#sessions.size >= max) this.#sessions.delete(this.#sessions.keys().next().value!);
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#sessions.set(nameOf(token), { pubkey, startedAt: now, usedAt: now });
    return token;
  }

  /** Returns the session of a token, marked as used; null if there is none or it has expired. */
  find(token: string, config: Config, now: number): LoggedIn | null {
    const name = nameOf(token);
    const session = this.#sessions.get(name);
    if (session === undefined) return null;
    this.#sessions.delete(name);
    const { session_seconds: whole, session_idle_seconds: idle } = config.admin;
    if (now >= session.startedAt + whole || now > session.usedAt + idle) return null;
    session.usedAt = now;
    this.#sessions.set(name, session);
    return session;
  }

  end(token: string): void {
    this.#sessions.delete(nameOf(token));
  }
}

function nameOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
