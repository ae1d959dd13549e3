import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { CheckedEvent } from '../messages.ts';
import { isLowerHex } from '../protocol/canonical.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { isGiftWrap, KIND_GIFT_WRAP } from '../protocol/kinds.ts';
import { relayAddress } from '../protocol/relay-url.ts';
import { relaysToVanishFrom, vanishesFrom } from '../protocol/vanish.ts';
import { eventOf, pubkeyOf } from '../storage/body.ts';
import type { Db } from '../storage/open.ts';
import * as sql from '../storage/sql.ts';
import { TERM_INDEX_AUTHOR, type TermHasher } from '../storage/terms.ts';
import type { Log } from './log.ts';

/** Events removed in one transaction, between which the writer goes on with its commits. */
const SLICE_EVENTS = 200;

/** A request to vanish that is being carried out. */
interface Job {
  id: string;
  pubkey: string;
  until: number;
  /** Where the next slice begins in the list of the author, then in that of the recipient. */
  phase: 'author' | 'recipient';
  createdAt: number;
  seq: number;
}

/** What a carried-out request came to. */
export interface Vanished {
  id: string;
  pubkey: string;
  until: number;
  removed: number;
}

/**
 * Requests to vanish (NIP-62): a tombstone of the key, from the moment that the request is accepted, and
 * the removal of everything dated up to it, its gift wraps included, in slices. What was not finished
 * when the relay ended goes on when it starts: the table `vanish_request` says what there is to do.
 */
export class Vanish {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #hasher: TermHasher;
  #enabled = false;
  #addresses: readonly string[] = [];
  /** Terms of those who have vanished: as authors, and as whom a gift wrap is for. */
  readonly #authors = new Set<number>();
  readonly #recipients = new Set<number>();
  #pending = true;
  #job: Job | null = null;
  readonly #statements;

  constructor(db: Db, log: Log, hasher: TermHasher, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#hasher = hasher;
    this.#statements = {
      until: db.prepare(sql.SELECT_VANISHED).pluck(),
      put: db.prepare(sql.UPSERT_VANISHED),
      dropHeld: db.prepare(sql.DELETE_QUARANTINED_OF),
      request: db.prepare(sql.INSERT_VANISH_REQUEST),
      next: db.prepare(sql.SELECT_VANISH_REQUEST),
      removed: db.prepare(sql.COUNT_VANISH_REMOVED),
      done: db.prepare(sql.FINISH_VANISH_REQUEST),
      byAuthor: db.prepare(sql.SELECT_VANISHING_AUTHOR),
      byRecipient: db.prepare(sql.SELECT_VANISHING_WRAPS),
      audit: db.prepare(sql.INSERT_AUDIT),
      dropDecisions: db.prepare(sql.DELETE_DECISIONS_OF),
    };
    for (const pubkey of db.prepare(sql.SELECT_ALL_VANISHED).pluck().iterate()) {
      this.#remember(pubkey as string);
    }
  }

  reconfigure({ identity }: Config): void {
    this.#enabled = identity.vanish;
    this.#addresses = identity.urls.map(relayAddress);
  }

  /** Whether there may be something left to remove. */
  get pending(): boolean {
    return this.#pending;
  }

  /** Whether an event belongs to a key that has vanished, as its author or as a gift wrap for it. */
  covers({ body, kind, createdAt, terms }: CheckedEvent): boolean {
    if (this.#authors.size === 0) return false;
    if (this.#authors.has(terms[TERM_INDEX_AUTHOR]!) && this.#isGone(pubkeyOf(body), createdAt)) {
      return true;
    }
    if (!isGiftWrap(kind) || !terms.some((term) => this.#recipients.has(term))) return false;
    const { tags } = eventOf(body);
    return tags.some(([name, value = '']) => name === 'p' && this.#isGone(value, createdAt));
  }

  /** Whether a request is meant for this relay, which then carries it out. */
  concerns(request: NostrEvent): boolean {
    return this.#enabled && vanishesFrom(request, this.#addresses);
  }

  /** Takes a request inside the transaction that stores it; false: its key vanished up to there before. */
  take(request: NostrEvent): boolean {
    const { id, pubkey, created_at: until, content } = request;
    if (this.#isGone(pubkey, until)) return false;
    const at = this.#clock.seconds();
    const relays = relaysToVanishFrom(request).join(' ');
    this.#statements.put.run(pubkey, until);
    this.#statements.dropHeld.run(pubkey);
    this.#statements.request.run(id, pubkey, until, relays, at);
    this.#statements.audit.run(at, pubkey, 'vanish', pubkey, content.slice(0, 1_000));
    this.#remember(pubkey);
    this.#pending = true;
    return true;
  }

  /**
   * Removes the next slice, inside a transaction of its own. A request that is finished by it is told.
   * `index` brings the index up to the log; it is called when a request begins to be carried out.
   */
  slice(index: () => void): Vanished | null {
    if (this.#job === null) {
      this.#job = this.#nextJob();
      if (this.#job === null) {
        this.#pending = false;
        return null;
      }
      index();
    }
    const job = this.#job;
    const rows = this.#rows(job);
    let removed = 0;
    for (const { seq } of rows) if (this.#log.removeSeq(seq, 'vanished')) removed++;
    if (removed > 0) this.#statements.removed.run(removed, job.id);
    const last = rows.at(-1);
    if (last !== undefined) {
      job.createdAt = last.created_at;
      job.seq = last.seq;
    } else if (job.phase === 'author') {
      this.#job = { ...job, phase: 'recipient', ...startOf(job.until) };
    } else {
      this.#job = null;
      this.#statements.dropDecisions.run(job.pubkey);
      const row = this.#statements.done.get(this.#clock.seconds(), job.id) as { removed: number };
      return { id: job.id, pubkey: job.pubkey, until: job.until, removed: row.removed };
    }
    return null;
  }

  /** After a rollback: what was removed may not have been. */
  reset(): void {
    this.#job = null;
  }

  #nextJob(): Job | null {
    const row = this.#statements.next.get() as Omit<Job, 'phase'> | undefined;
    return row === undefined ? null : { ...row, phase: 'author', ...startOf(row.until) };
  }

  #rows(job: Job): { created_at: number; seq: number }[] {
    const { pubkey, phase, createdAt, seq } = job;
    const found =
      phase === 'author'
        ? this.#statements.byAuthor.all(
            this.#hasher.author(pubkey),
            createdAt,
            seq,
            pubkey,
            SLICE_EVENTS,
          )
        : this.#statements.byRecipient.all(
            this.#hasher.tag('p', pubkey),
            createdAt,
            seq,
            KIND_GIFT_WRAP,
            `["p","${pubkey}"`,
            SLICE_EVENTS,
          );
    return found as { created_at: number; seq: number }[];
  }

  #isGone(pubkey: string, createdAt: number): boolean {
    if (!isLowerHex(pubkey, 64)) return false;
    const until = this.#statements.until.get(pubkey) as number | undefined;
    return until !== undefined && createdAt <= until;
  }

  #remember(pubkey: string): void {
    this.#authors.add(this.#hasher.author(pubkey));
    this.#recipients.add(this.#hasher.tag('p', pubkey));
  }
}

function startOf(until: number): { createdAt: number; seq: number } {
  return { createdAt: until, seq: Number.MAX_SAFE_INTEGER };
}
