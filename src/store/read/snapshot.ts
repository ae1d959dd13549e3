// Read snapshot of the database for one slice, with the caches of a query worker.

import type { Removals } from '../../channel/removals.ts';
import { element } from '../../lib/assert.ts';
import { bodyOfRow, eventOf, jsonBytesOf, type StoredBody } from '../body/body.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import { mayExpire, postingKind } from '../index/posting-kind.ts';
import { TERM_ALL, type TermHasher } from '../index/terms.ts';
import { type Body, BodyCache, bodyOf } from './body-cache.ts';
import type { Entry } from './entry.ts';
import { IdPrefixes } from './id-prefixes.ts';
import { IndexPostings } from './index-postings.ts';
import { type ListHead, PostingsCache } from './postings-cache.ts';
import type { TailIndex } from './tail-index.ts';

/** Number of events of the log read at once to close a gap of the tail index. */
const CATCH_UP_ROWS = 1_000;
/** Number of rows of a list read at once, at least: a row costs 0.3 µs, beginning to read 8 µs. */
const LIST_ROWS_MIN = 32;
/**
 * Bytes of the body cache for each cached list entry. An entry takes about 80 bytes, so a
 * generation of lists takes up to a quarter of the bytes of bodies.
 */
const LIST_ENTRY_BYTES = 320;

/** Stored event that matches: its place and its order. */
export interface Match extends Entry {
  id: string;
}

/**
 * Consistent view of the on-disk index, of the log, and of the tail index over the events that the
 * on-disk index does not hold yet. A snapshot is open only for one slice of work (`enter`,
 * `leave`), so that no query pins the WAL.
 *
 * Reads are cached for later queries: heads of lists until the index grows, bodies until their
 * event is removed. The writer counts removals before it commits them and names them afterwards;
 * while the worker has not been told all names that the count announces, bodies are read from the
 * log.
 */
export class Snapshot {
  /** Last event that this snapshot sees. */
  head = 0;
  /** Last event that its index holds. */
  indexed = 0;
  readonly window: TailIndex;
  /** Id prefixes of events in crowded seconds. */
  readonly prefixes = new IdPrefixes();
  readonly #bodies: BodyCache;
  readonly #lists: PostingsCache;
  readonly #removals: Removals;
  readonly #hasher: TermHasher;
  readonly #now: () => number;
  readonly #db: Db;
  readonly #index: IndexPostings;
  readonly #statements;
  #openedAt = 0;
  /** True if every removal that this snapshot may see is known by name. */
  #current = false;
  /** Number of removals known by name; -1 until the writer has said from where on it names them. */
  #removed = -1;

  constructor(
    db: Db,
    hasher: TermHasher,
    window: TailIndex,
    now: () => number,
    { removals, cacheBytes }: { removals: Removals; cacheBytes: number },
  ) {
    this.window = window;
    this.#removals = removals;
    this.#bodies = new BodyCache(cacheBytes);
    this.#lists = new PostingsCache(Math.floor(cacheBytes / LIST_ENTRY_BYTES));
    this.#hasher = hasher;
    this.#now = now;
    this.#db = db;
    this.#index = new IndexPostings(db, 'downwards');
    this.#statements = {
      begin: db.prepare('BEGIN'),
      commit: db.prepare('COMMIT'),
      rollback: db.prepare('ROLLBACK'),
      heads: db.prepare(sql.SELECT_HEADS).raw(),
      log: db.prepare(sql.SELECT_LOG).raw(),
      body: db.prepare(sql.SELECT_BODY).pluck(),
      expiry: db.prepare(sql.SELECT_EXPIRY).pluck(),
      newest: db.prepare(sql.SELECT_NEWEST).raw(),
    };
  }

  /** Releases the memory of cached bodies, between two slices; returns false if there was none. */
  release(): boolean {
    return this.#bodies.release();
  }

  /** Fills the recent columns with the newest events of the index; once, before any other call. */
  load(): void {
    this.#statements.begin.run();
    const [, indexed] = this.#statements.heads.get() as [number, number];
    const { recentColumns } = this.window;
    const rows = this.#statements.newest.all(TERM_ALL, recentColumns.eventsMax) as [
      createdAt: number,
      seq: number,
      kind: number,
      pubkey: string,
    ][];
    for (const [createdAt, seq, kind, pubkey] of rows.reverse()) {
      recentColumns.add(createdAt, seq, kind, Buffer.from(pubkey, 'hex'));
    }
    // The second where the index was cut may be incomplete.
    if (rows.length > 0 && rows.length === recentColumns.eventsMax)
      recentColumns.raiseFloor(element(rows[0])[0]);
    this.window.begin(indexed);
    this.#statements.commit.run();
  }

  enter(): void {
    this.#statements.begin.run();
    const [head, indexed] = this.#statements.heads.get() as [number, number];
    this.head = Math.max(head, indexed);
    this.indexed = indexed;
    this.#openedAt = this.#now();
    this.window.advance(indexed);
    this.#lists.begin(indexed);
    // After the heads were read: all removals that this snapshot sees are counted by now.
    this.#current = this.#removals.count === this.#removed;
    if (this.window.head < this.head) this.#catchUp();
  }

  leave(): void {
    try {
      this.#statements.commit.run();
    } catch {
      // After a page that cannot be read SQLite refuses to commit even a read transaction.
      if (this.#db.inTransaction) this.#statements.rollback.run();
    }
  }

  /** Evicts events that the writer has removed; `removals` is the total number of removals. */
  forget(seqs: Float64Array, removals: number): void {
    for (const seq of seqs) this.#bodies.delete(seq);
    this.#removed = removals;
  }

  /** Returns a page of a term's list in the index, after (createdAt, seq), newest first. */
  postings(term: number, createdAt: number, seq: number, since: number, rows: number): Entry[] {
    return this.#index.postings(term, createdAt, seq, since, rows);
  }

  /**
   * Returns the head of a term's list from the index, newest first: `rows` entries or more, or all
   * that there are. Callers must not change it.
   */
  newest(term: number, rows: number): ListHead {
    const known = this.#lists.get(term);
    if (known !== undefined && (known.complete || known.entries.length >= rows)) return known;
    const wanted = Math.max(rows, LIST_ROWS_MIN);
    const entries = this.postings(
      term,
      Number.MAX_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
      0,
      wanted,
    );
    return this.#lists.put(term, { entries, complete: entries.length < wanted });
  }

  /**
   * Returns the event of an entry, or null if it was removed or has expired (NIP-40). Its memory is
   * valid until the next one is read; `keep` is true if the body will be needed again.
   */
  read(entry: Entry, keep: boolean): Body | null {
    const { seq, kind } = entry;
    if (mayExpire(kind)) {
      const expiresAt = this.#statements.expiry.get(seq) as number | undefined;
      if (expiresAt === undefined || expiresAt <= this.#openedAt) return null;
    }
    return this.body(seq, keep);
  }

  /** Returns the body of an event, or null if it was removed. */
  body(seq: number, keep = true): Body | null {
    const known = this.#current ? this.#bodies.get(seq) : undefined;
    if (known !== undefined) return known;
    const stored = bodyOfRow(this.#statements.body.get(seq));
    if (stored === null) return null;
    return keep && this.#current ? this.#bodies.put(seq, stored) : bodyOf(jsonBytesOf(stored));
  }

  /**
   * Returns the events of the log in (after, upTo], in order, at most `rows`, without removed and
   * expired ones.
   */
  log(after: number, upTo: number, rows: number): { seq: number; body: StoredBody }[] {
    const found = this.#statements.log.all(after, upTo, rows) as LogRow[];
    return found
      .filter(([, , , expiresAt]) => expiresAt === null || expiresAt > this.#openedAt)
      .map(([seq, , , , body]) => ({ seq, body }));
  }

  #catchUp(): void {
    const { window } = this;
    for (;;) {
      const rows = this.#statements.log.all(window.head, this.head, CATCH_UP_ROWS) as LogRow[];
      for (const [seq, createdAt, kind, expiresAt, body] of rows) {
        const event = eventOf(body);
        window.addFromLog({
          seq,
          createdAt,
          kind: postingKind(kind, expiresAt ?? 0),
          pubkey: Buffer.from(event.pubkey, 'hex'),
          terms: Float64Array.from(this.#hasher.ofEvent(event)),
        });
      }
      if (rows.length < CATCH_UP_ROWS) break;
    }
    window.reached(this.head);
  }
}

type LogRow = [number, number, number, number | null, StoredBody];
