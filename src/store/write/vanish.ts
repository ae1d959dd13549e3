// Requests to vanish (NIP-62). Owned by the writer thread, or by a command with the database.

import type { Config } from '../../config/options.ts';
import { element, present } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { isLowerHex } from '../../protocol/canonical.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { isGiftWrap, KIND_GIFT_WRAP, KIND_VANISH } from '../../protocol/kinds.ts';
import { relayAddress } from '../../protocol/relay-url.ts';
import { relaysToVanishFrom, vanishesFrom } from '../../protocol/vanish.ts';
import { eventOf, jsonOf, pubkeyOf } from '../body/body.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import type { StorableEvent } from '../event.ts';
import { kindOfPosting } from '../index/posting-kind.ts';
import { TERM_INDEX_AUTHOR, type TermHasher } from '../index/terms.ts';
import type { EventLog } from './event-log.ts';

/** Events removed in one transaction; between two of them the writer goes on with its commits. */
const SLICE_EVENTS = 200;
/** Number of requests carried out at the same time, a slice of each in turn. */
const JOBS_MAX = 16;

/** Sources of the events of a key, searched one after the other. */
type Phase = 'tail' | 'author' | 'recipient';

/** A request to vanish that is being carried out. */
interface Job {
  id: string;
  pubkey: string;
  until: number;
  phase: Phase;
  /** Position of the next slice in the list of the author or of the recipient. */
  createdAt: number;
  seq: number;
}

/** Condition that the OK to a request to vanish waits for. */
export interface Awaited {
  pubkey: string;
  until: number;
  /** Id of the request that removes all that this one covers; null: all of it is removed. */
  job: string | null;
}

/** Result of a request that was carried out. */
export interface Vanished {
  id: string;
  pubkey: string;
  until: number;
  removed: number;
}

/**
 * Requests to vanish (NIP-62): a tombstone of the key, from the moment that the request is
 * accepted, and the removal of everything dated up to it, its gift wraps included, in slices. A
 * removal that was not finished goes on at the next start, from the table `vanish_request`.
 */
export class Vanish {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #hasher: TermHasher;
  #enabled = false;
  #addresses: readonly string[] = [];
  /** Terms of vanished keys: as authors, and as recipients of gift wraps. */
  readonly #authors = new Set<number>();
  readonly #recipients = new Set<number>();
  #pending = true;
  /** Requests that are being carried out, in the order of their next slices. */
  #jobs: Job[] = [];
  /** True if there may be requests that have not been started. */
  #more = true;
  readonly #statements;

  constructor(db: Db, log: EventLog, hasher: TermHasher, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#hasher = hasher;
    this.#statements = {
      until: db.prepare(sql.SELECT_VANISHED).pluck(),
      put: db.prepare(sql.UPSERT_VANISHED),
      dropHeld: db.prepare(sql.DELETE_QUARANTINED_OF),
      request: db.prepare(sql.INSERT_VANISH_REQUEST),
      next: db.prepare(sql.SELECT_VANISH_REQUESTS),
      undone: db.prepare(sql.SELECT_UNDONE_VANISH_REQUEST).pluck(),
      isRequest: db.prepare(sql.SELECT_IS_VANISH_REQUEST).pluck(),
      removed: db.prepare(sql.COUNT_VANISH_REMOVED),
      done: db.prepare(sql.FINISH_VANISH_REQUEST),
      byAuthor: db.prepare(sql.SELECT_VANISHING_AUTHOR),
      byRecipient: db.prepare(sql.SELECT_VANISHING_WRAPS),
      audit: db.prepare(sql.INSERT_AUDIT),
      dropRejections: db.prepare(sql.DELETE_REJECTIONS_OF),
    };
    for (const pubkey of db.prepare(sql.SELECT_ALL_VANISHED).pluck().iterate()) {
      this.#remember(pubkey as string);
    }
  }

  reconfigure({ identity }: Config): void {
    this.#enabled = identity.vanish;
    this.#addresses = identity.urls.map(relayAddress);
  }

  /** True if there may be something left to remove. */
  get pending(): boolean {
    return this.#pending;
  }

  /** Returns true if an event is by a vanished key, or is a gift wrap for one. */
  covers({ pubkey, body, kind, createdAt, terms }: StorableEvent): boolean {
    if (this.#authors.size === 0) return false;
    if (this.#authors.has(element(terms[TERM_INDEX_AUTHOR])) && this.#isGone(pubkey, createdAt)) {
      return true;
    }
    if (!isGiftWrap(kind) || !terms.some((term) => this.#recipients.has(term))) return false;
    const { tags } = eventOf(body);
    return tags.some(([name, value = '']) => name === 'p' && this.#isGone(value, createdAt));
  }

  /** Returns true if a request is meant for this relay, which then carries it out. */
  concerns(request: NostrEvent): boolean {
    return this.#enabled && vanishesFrom(request, this.#addresses);
  }

  /**
   * Takes a request inside the transaction that stores it. Returns false if its key had vanished up
   * to there before.
   */
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
    this.#more = true;
    return true;
  }

  /**
   * Returns the condition that the OK to an accepted event waits for; null: it is no request to
   * vanish, or none that is carried out here. The same request again, or one that reaches less far,
   * waits as well.
   */
  awaited({ pubkey, kind, createdAt: until }: StorableEvent): Awaited | null {
    if (kind !== KIND_VANISH || !this.#isGone(pubkey, until)) return null;
    const job = this.#statements.undone.get(pubkey, until) as string | undefined;
    return { pubkey, until, job: job ?? null };
  }

  /**
   * Removes the next slice, inside a transaction of its own. Returns the request that it finished.
   */
  slice(): Vanished | null {
    if (this.#more) this.#begin();
    const job = this.#jobs.shift();
    if (job === undefined) {
      this.#pending = false;
      return null;
    }
    for (let left = SLICE_EVENTS; left > 0; ) {
      const { phase } = job;
      const seqs = phase === 'tail' ? this.#inTail(job, left) : this.#indexed(job, phase, left);
      this.#remove(seqs, job);
      // A full slice: there may be more.
      if (seqs.length === left) break;
      if (phase === 'recipient') return this.#finish(job);
      left -= seqs.length;
      Object.assign(job, { phase: phase === 'tail' ? 'author' : 'recipient', ...startOf(job) });
    }
    this.#jobs.push(job);
    return null;
  }

  /** Forgets all progress after a rollback: removals may have been undone. */
  reset(): void {
    this.#jobs = [];
    this.#more = true;
  }

  /** Starts requests that are not being carried out, the oldest first. */
  #begin(): void {
    const rows = this.#statements.next.all(JOBS_MAX) as Pick<Job, 'id' | 'pubkey' | 'until'>[];
    const known = new Set(this.#jobs.map(({ id }) => id));
    for (const row of rows) {
      if (!known.has(row.id)) this.#jobs.push({ ...row, phase: 'tail', ...startOf(row) });
    }
    this.#more = false;
  }

  #remove(seqs: readonly number[], { id }: Job): void {
    for (const seq of seqs) this.#log.removeSeq(seq, 'vanished');
    if (seqs.length > 0) this.#statements.removed.run(seqs.length, id);
  }

  #finish({ id, pubkey, until }: Job): Vanished {
    this.#more = true;
    this.#statements.dropRejections.run(pubkey);
    const { removed } = this.#statements.done.get(this.#clock.seconds(), id) as { removed: number };
    return { id, pubkey, until, removed };
  }

  /**
   * Returns events that the index does not hold yet. Those that enter it meanwhile are found there:
   * its lists are read when the tail has nothing left.
   */
  #inTail({ pubkey, until }: Job, max: number): number[] {
    const author = this.#hasher.author(pubkey);
    const recipient = this.#hasher.tag('p', pubkey);
    const found: number[] = [];
    for (const { seq, kind, createdAt, terms, id } of this.#log.tail.values()) {
      if (createdAt > until) continue;
      const byAuthor = terms[TERM_INDEX_AUTHOR] === author;
      const isWrap = kindOfPosting(kind) === KIND_GIFT_WRAP && has(terms, recipient);
      if (!byAuthor && !isWrap) continue;
      const body = present(this.#log.bodyOf(seq), 'body of an event in the tail');
      const isTheirs = byAuthor && pubkeyOf(body) === pubkey && !this.#isRequest(kind, id);
      if (!isTheirs && !(isWrap && jsonOf(body).includes(`["p","${pubkey}"`))) continue;
      if (found.push(seq) === max) break;
    }
    return found;
  }

  /** Returns a page of a list in the index and moves the job past it. */
  #indexed(job: Job, phase: Exclude<Phase, 'tail'>, max: number): number[] {
    const { pubkey, createdAt, seq } = job;
    const rows = (
      phase === 'author'
        ? this.#statements.byAuthor.all(this.#hasher.author(pubkey), createdAt, seq, pubkey, max)
        : this.#statements.byRecipient.all(
            this.#hasher.tag('p', pubkey),
            createdAt,
            seq,
            KIND_GIFT_WRAP,
            `["p","${pubkey}"`,
            max,
          )
    ) as { created_at: number; seq: number }[];
    const last = rows.at(-1);
    if (last !== undefined) Object.assign(job, { createdAt: last.created_at, seq: last.seq });
    return rows.map((row) => row.seq);
  }

  /** Returns true for a request that is or was carried out; those stay. */
  #isRequest(kind: number, id: string): boolean {
    return kindOfPosting(kind) === KIND_VANISH && this.#statements.isRequest.get(id) !== undefined;
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

function has(terms: ArrayLike<number>, term: number): boolean {
  for (let i = 0; i < terms.length; i++) if (terms[i] === term) return true;
  return false;
}

function startOf({ until }: { until: number }): { createdAt: number; seq: number } {
  return { createdAt: until, seq: Number.MAX_SAFE_INTEGER };
}
