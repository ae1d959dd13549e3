import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '../../config/options.ts';

const TOKEN_BYTES = 32;

/** Somebody who has logged in. */
export interface LoggedIn {
  readonly pubkey: string;
  /** Seconds since 1970. */
  readonly startedAt: number;
  usedAt: number;
}

/**
 * Who has logged in to the page for admins. Tokens are kept as hashes only, and in this memory only: a
 * restart ends all sessions. Bounds: `admin.sessions_max`, and a fifth of them for one key; beyond it the
 * session goes that was used least lately. How long a session lasts is asked of the configuration every
 * time, so a shorter time is in force at once.
 */
export class Sessions {
  /** By the SHA-256 of the token, those used least lately first. */
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

  /** The session of a token, from now on used; null when there is none, or none any more. */
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
