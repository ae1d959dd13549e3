import { isSqliteError } from '../../storage/error.ts';
import type { Db } from '../../storage/open.ts';
import * as sql from '../../storage/sql.ts';
import type { TermHasher } from '../../storage/terms.ts';

const KIND_PROFILE = 0;
/** Keys that are remembered in a lane; the one asked about the longest time ago is forgotten first. */
const KEYS_MAX = 20_000;
const MILLISECONDS = 60_000;

/** What this relay knows of a key without being told. */
export interface KeyFacts {
  /** Whether it has a profile here. */
  readonly hasProfile: boolean;
  /** Trusted people who report it (`moderation.trusted_reporters`) and were not dismissed. */
  readonly reports: number;
}

/** Whoever knows about keys. */
export interface Keys {
  of(pubkey: string): KeyFacts;
}

interface Remembered extends KeyFacts {
  readonly until: number;
}

/** Looks keys up in the database, each at most once a minute: 10 µs a look-up, half a one from memory. */
export class KeyBook implements Keys {
  readonly #hasher: TermHasher;
  readonly #posting;
  readonly #reports;
  readonly #remembered = new Map<string, Remembered>();

  constructor(db: Db, hasher: TermHasher) {
    this.#hasher = hasher;
    this.#posting = db.prepare(sql.SELECT_HAS_POSTING).pluck();
    this.#reports = db.prepare(sql.COUNT_TRUSTED_REPORTS).pluck();
  }

  of(pubkey: string): KeyFacts {
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

  #lookUp(pubkey: string, term: number): KeyFacts {
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
