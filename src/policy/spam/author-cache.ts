// Cached reputation of public keys, read from the database for the spam score. Each ingester worker
// has its own cache.

import { isSqliteError } from '../../store/database/error.ts';
import type { Db } from '../../store/database/open.ts';
import * as sql from '../../store/database/sql.ts';
import type { TermHasher } from '../../store/index/terms.ts';

const KIND_PROFILE = 0;
/** Capacity of a worker's cache; the entry fetched the longest time ago is evicted first. */
const KEYS_MAX = 20_000;
const MILLISECONDS = 60_000;

/** Reputation of a key that follows from stored events. */
interface AuthorReputation {
  /** True if a profile of the key is stored here. */
  readonly hasProfile: boolean;
  /** Number of trusted reporters (`moderation.trusted_reporters`) that were not dismissed. */
  readonly reports: number;
}

/** Source of key reputations. */
export interface Keys {
  of(pubkey: string): AuthorReputation;
}

interface Remembered extends AuthorReputation {
  readonly until: number;
}

/**
 * Cache of key reputations over the database. A key is read at most once a minute: 10 µs from the
 * database, half a microsecond from the cache.
 */
export class AuthorCache implements Keys {
  readonly #hasher: TermHasher;
  readonly #posting;
  readonly #reports;
  readonly #remembered = new Map<string, Remembered>();

  constructor(db: Db, hasher: TermHasher) {
    this.#hasher = hasher;
    this.#posting = db.prepare(sql.SELECT_HAS_POSTING).pluck();
    this.#reports = db.prepare(sql.COUNT_TRUSTED_REPORTS).pluck();
  }

  of(pubkey: string): AuthorReputation {
    const now = performance.now();
    const remembered = this.#remembered.get(pubkey);
    if (remembered !== undefined && remembered.until > now) return remembered;
    const term = this.#hasher.authorKind(pubkey, KIND_PROFILE);
    const facts = { ...this.#lookUp(pubkey, term), until: now + MILLISECONDS };
    this.#remembered.delete(pubkey);
    this.#remembered.set(pubkey, facts);
    if (this.#remembered.size > KEYS_MAX) {
      this.#remembered.delete(this.#remembered.keys().next().value!);
    }
    return facts;
  }

  #lookUp(pubkey: string, term: number): AuthorReputation {
    try {
      const hasProfile = this.#posting.get(term) !== undefined;
      return { hasProfile, reports: this.#reports.get(pubkey) as number };
    } catch (error) {
      // A damaged page of the database must not make a key look like that of a spammer.
      if (!isSqliteError(error)) throw error;
      return { hasProfile: true, reports: 0 };
    }
  }
}
