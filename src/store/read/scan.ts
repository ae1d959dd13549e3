// Scan of one filter over the index, the tail index and the recent columns. Its state belongs to a
// run of a query worker.

import type { UnpackedFilter } from '../../channel/packed-filters.ts';
import { element } from '../../lib/assert.ts';
import { isReplaceable } from '../../protocol/kinds.ts';
import type { TermHasher } from '../index/terms.ts';
import type { Body } from './body-cache.ts';
import { type Cursor, ListCursor, MergedCursor, TermCursor } from './cursor.ts';
import { type Entry, endOfSecond, type Position } from './entry.ts';
import { prefixOf } from './id-prefixes.ts';
import { type IndexName, indexOfPlan } from './index-name.ts';
import { choosePlan, type Plan } from './plan.ts';
import { type Audience, Recheck } from './recheck.ts';
import type { Match, Snapshot } from './snapshot.ts';

/** Cost of reading a body and of opening a list, in rows: the unit of a slice's budget. */
const BODY_ROWS = 5;
const SEEK_ROWS = 25;
/** Number of rows read after the last match sent, to tell if there are more matches. */
const LOOK_AHEAD_ROWS = 20;
/** Number of authors from which on a filter is answered from the recent columns first. */
const RECENT_AUTHORS = 8;
/** Entries taken from the recent columns beyond the limit, for those whose event is gone. */
const RECENT_SPARE = 16;
/**
 * Cost of a stretch of the recent columns, in rows: a pass over 100,000 entries is as expensive as
 * 1,000.
 */
const RECENT_ROWS = 200;
/** Number of entries of a stretch, at most. */
const RECENT_ENTRIES_MAX = 2_048;
/** Cost of making a plan, in rows: set for 18 estimates. */
const PLAN_ROWS = 100;
/**
 * Most and fewest rows of a page of a list, and most rows of the pages of all lists of a query
 * (more if all pages have the fewest).
 */
const PAGE_ROWS_MAX = 512;
const PAGE_ROWS_MIN = 8;
const PAGES_ROWS_MAX = 16_384;
/** Entries above which a second is crowded: its id prefixes are cached (`id-prefixes.ts`). */
const CROWDED_ENTRIES = 256;
/** Bytes that a match takes until it is sent (measured). */
const MATCH_BYTES = 160;

/** Rows that a slice may still read before the clock is checked again. */
export interface Budget {
  rows: number;
}

/**
 * Completeness of an answer: all matches were sent (`finish`), or there was `more`; `unknown` if
 * that was not checked, or if matches may be hidden from the readers.
 */
export type Completeness = 'finish' | 'more' | 'unknown';

/**
 * Number of matches that a filter may have. An answer that the relay's own cap cuts is completed to
 * a whole second beyond the cap: a client that pages by `until` misses nothing then (NIP-67), and
 * one that counts against `max_limit` of NIP-11 sees that there is more.
 */
interface Share {
  /** Number of matches from which on no second is begun; Infinity for COUNT. */
  limit: number;
  /** Number of matches at most, at least `limit`. */
  most: number;
  /** True if the client asked for no more than `most`: then a second is cut there (NIP-01). */
  exact: boolean;
}

/** Factor by which a filter without a limit, or with a higher one, may exceed the cap. */
const WHOLE_SECOND_FACTOR = 2;

/**
 * Returns the share of a filter that asks for `asked` events.
 *
 * @param asked null: the filter has no limit.
 */
export function shareOf(asked: number | null, limitDefault: number, limitMax: number): Share {
  if (asked !== null && asked <= limitMax) return { limit: asked, most: asked, exact: true };
  const limit = asked === null ? limitDefault : limitMax;
  const most = limit * WHOLE_SECOND_FACTOR;
  if (asked !== null && asked <= most) return { limit, most: asked, exact: true };
  return { limit, most, exact: false };
}

/** Share of a COUNT, without a bound. */
export const ALL: Share = {
  limit: Number.POSITIVE_INFINITY,
  most: Number.POSITIVE_INFINITY,
  exact: true,
};

interface ScanOptions {
  share: Share;
  /** Number of filters of the query. */
  filters: number;
  /** True if bodies are wanted; a COUNT only needs to know that they match. */
  bodies: boolean;
  /** Last event of the log that is read, but at most the head of the snapshot. */
  upTo: number;
  audience: Audience;
}

const AGAIN = Symbol('the budget is used up');
export type Again = typeof AGAIN;
export { AGAIN };

/**
 * Scan of one filter. `next` returns its matches newest first, a whole second at a time, because
 * within a second the order is by id (NIP-01), which the index does not know; `entry` returns them
 * one by one in the order of the index, for counting. Of a second no more matches are kept than can
 * still be sent.
 *
 * The work can stop between any two rows when the budget is used up, and goes on in a later slice.
 */
export class FilterScan {
  /** Choice of the lists; null while the recent columns answer. */
  plan: Plan | null = null;
  completeness: Completeness = 'unknown';
  /** Seq of a match that was not sent, if `completeness` is `more`. */
  missed = 0;
  /** Id of the match that `entry` returned last. */
  entryId = '';
  readonly #snapshot: Snapshot;
  readonly #recheck: Recheck;
  readonly #filter: UnpackedFilter;
  readonly #audience: Audience;
  /** True if a match may be hidden from the readers. */
  readonly mayHide: boolean;
  readonly #hasher: TermHasher;
  readonly #since: number;
  /**
   * Exclusive start of further reading: the end of the filter's range, then the last place read
   * from the recent columns.
   */
  #behind: Position;
  /** Head of the log when the query began. */
  readonly #head: number;
  readonly #share: Share;
  readonly #filters: number;
  /** Pubkeys of the authors while the recent columns answer; null when the lists do. */
  #authors: Uint8Array | null;
  readonly #bodies: boolean;
  #taken = 0;
  #left: number;
  #cursor = new MergedCursor();
  #opened = 0;
  /** True if the recent columns reached as far back as the filter. */
  #recentWasAll = false;
  /** Seq of the last entry: one that is in several lists comes several times in a row. */
  #last = -1;
  /** Second that is being collected, and the number of its entries read so far. */
  #second: number | null = null;
  #entries = 0;
  #matches: Match[] = [];
  #matched = 0;
  /** Largest id prefix that can still be sent of this second. */
  #prefixMax = Number.POSITIVE_INFINITY;

  constructor(
    filter: UnpackedFilter,
    snapshot: Snapshot,
    hasher: TermHasher,
    options: ScanOptions,
  ) {
    this.#snapshot = snapshot;
    this.#recheck = new Recheck(filter, options.audience);
    this.#audience = options.audience;
    this.#since = filter.since ?? 0;
    this.#behind = endOfSecond(filter.until ?? Number.MAX_SAFE_INTEGER);
    this.#filter = filter;
    this.#hasher = hasher;
    this.#head = Math.min(options.upTo, snapshot.head);
    this.mayHide = options.audience.privateKinds.mayHide(filter, options.audience.readers);
    this.#share = options.share;
    this.#filters = options.filters;
    this.#left = options.share.limit;
    this.#bodies = options.bodies;
    this.#authors = isFeed(filter) ? filter.authorBytes : null;
  }

  /** Index that it reads: the recent columns, or the lists chosen after them. */
  get index(): IndexName {
    if (this.plan !== null) return indexOfPlan(this.plan.name);
    return this.#authors === null && !this.#recentWasAll ? 'none' : 'timeline';
  }

  /** Bytes that it holds, estimated. */
  get held(): number {
    return this.#cursor.held + this.#matches.length * MATCH_BYTES;
  }

  /**
   * Returns the next second that has matches, sorted by id; AGAIN when the budget is used up; null
   * at the end.
   */
  next(budget: Budget): Match[] | Again | null {
    while (this.#left > 0) {
      if (!this.#open(budget)) return AGAIN;
      if (this.#second === null && !this.#beginSecond()) return null;
      if (!this.#gather(budget)) return AGAIN;
      const matches = this.#endSecond();
      if (matches.length > 0) return matches;
    }
    return null;
  }

  /** Returns the next match in index order; AGAIN when the budget is used up; null at the end. */
  entry(budget: Budget): Entry | Again | null {
    for (;;) {
      if (!this.#open(budget)) return AGAIN;
      const { head } = this.#cursor as Cursor;
      if (head === null) return null;
      if (budget.rows <= 0) return AGAIN;
      this.#cursor.advance();
      const body = this.#body(head, budget);
      if (body === null) continue;
      this.entryId = body.id;
      return head;
    }
  }

  /** Opens the lists needed for the next entry; returns false when the budget is used up. */
  #open(budget: Budget): boolean {
    while (this.#authors !== null && this.#cursor.head === null) {
      if (budget.rows <= 0) return false;
      this.#readRecentColumns(this.#authors, budget);
    }
    if (this.#authors !== null) return true;
    if (this.plan === null) {
      if (this.#recentWasAll) return true;
      if (budget.rows <= 0) return false;
      budget.rows -= PLAN_ROWS;
      this.plan = this.#choosePlan();
      if (this.#since > this.#behind.createdAt) this.#opened = this.plan.lists;
    }
    const { lists } = this.plan;
    if (this.#opened === lists) return true;
    const firstRows = lists > 16 ? 8 : Math.max(16, this.#left + 1);
    while (this.#opened < lists) {
      if (budget.rows <= 0) return false;
      budget.rows -= SEEK_ROWS;
      this.#openList(this.plan, this.#opened++, firstRows);
    }
    return true;
  }

  /** Opens a list in the index and, of the same moment, in the tail index. */
  #openList(plan: Plan, index: number, firstRows: number): void {
    const snapshot = this.#snapshot;
    const [behind, since] = [this.#behind, this.#since];
    const isEverything = plan.name === 'everything';
    const term = plan.term(index);
    const unindexed = snapshot.window.list(isEverything ? null : term, this.#head, since, behind);
    if (unindexed.length > 0) this.#cursor.add(new ListCursor(unindexed));
    const indexed = Math.min(snapshot.indexed, this.#head);
    const pageRows = Math.min(
      PAGE_ROWS_MAX,
      Math.max(PAGE_ROWS_MIN, Math.floor(PAGES_ROWS_MAX / plan.lists / this.#filters)),
    );
    const list = { source: snapshot, term, last: since, behind, indexed, pageRows };
    this.#cursor.add(new TermCursor(list, firstRows));
  }

  /** Reads the next stretch of the recent columns; at their old end the lists take over. */
  #readRecentColumns(authors: Uint8Array, budget: Budget): void {
    const { recentColumns } = this.#snapshot.window;
    if (this.#behind.createdAt <= recentColumns.floor) {
      this.#authors = null;
      return;
    }
    const { entries, rest } = recentColumns.collect({
      authors,
      kinds: this.#recheck.kinds,
      since: this.#since,
      behind: this.#behind,
      head: this.#head,
      want: Math.min(this.#left + RECENT_SPARE, RECENT_ENTRIES_MAX),
    });
    budget.rows -= RECENT_ROWS;
    this.#cursor.add(new ListCursor(entries));
    if (rest !== null) this.#behind = rest;
    else {
      this.#authors = null;
      this.#recentWasAll = true;
    }
  }

  #choosePlan(): Plan {
    const snapshot = this.#snapshot;
    const { privateKinds, readers } = this.#audience;
    return choosePlan(this.#filter, {
      hasher: this.#hasher,
      limit: this.#share.limit,
      estimate: (term, since, until) => estimateRows(snapshot, term, since, until),
      readers: privateKinds.areAllOf(this.#filter) ? readers : null,
      filters: this.#filters,
    });
  }

  #beginSecond(): boolean {
    const { head } = this.#cursor as Cursor;
    if (head === null) {
      if (this.completeness === 'unknown') this.#finish();
      return false;
    }
    this.#second = head.createdAt;
    this.#entries = 0;
    this.#matches = [];
    this.#matched = 0;
    this.#prefixMax = Number.POSITIVE_INFINITY;
    return true;
  }

  /** Reads all entries of the second; returns false when the budget is used up. */
  #gather(budget: Budget): boolean {
    for (;;) {
      if (!this.#open(budget)) return false;
      const head: Entry | null = this.#cursor.head;
      if (head === null || head.createdAt !== this.#second) return true;
      if (budget.rows <= 0) return false;
      this.#cursor.advance();
      this.#entries++;
      if (this.#comesTooLate(head.seq)) {
        budget.rows--;
        continue;
      }
      const body = this.#body(head, budget);
      if (body !== null) this.#take(head, body);
    }
  }

  /** Returns true if enough events of the second certainly sort before this one. */
  #comesTooLate(seq: number): boolean {
    const max = this.#prefixMax;
    return max < Number.POSITIVE_INFINITY && this.#snapshot.prefixes.get(seq) > max;
  }

  /** Returns the body of an entry that matches and was not returned before, or null. */
  #body(entry: Entry, budget: Budget): Body | null {
    budget.rows--;
    if (entry.seq === this.#last) return null;
    this.#last = entry.seq;
    if (!this.#recheck.entry(entry)) return null;
    budget.rows -= BODY_ROWS;
    const body = this.#snapshot.read(entry, this.#bodies);
    return body !== null && this.#recheck.body(entry, body) ? body : null;
  }

  /** Keeps a match, but not many more than can still be sent: those with the first ids. */
  #take({ createdAt, seq, kind }: Entry, { id }: Body): void {
    this.#matched++;
    this.#matches.push({ createdAt, seq, kind, id });
    if (this.#entries > CROWDED_ENTRIES) this.#snapshot.prefixes.set(seq, prefixOf(id));
    const room = this.#share.most - this.#taken;
    if (this.#matches.length <= 2 * room + 64) return;
    this.#matches.sort(byId);
    // One more than can be sent, to name the match that is missed.
    this.#matches.length = room + 1;
    this.#prefixMax = prefixOf(element(this.#matches[room]).id);
  }

  #endSecond(): Match[] {
    this.#second = null;
    const { limit, most, exact } = this.#share;
    const room = most - this.#taken;
    this.#matches.sort(byId);
    if (this.#matched > room) {
      this.completeness = 'more';
      this.missed = element(this.#matches.at(-1)).seq;
      if (!exact && this.#taken > 0) {
        this.#left = 0;
        return [];
      }
      this.#matches.length = exact ? room : limit;
    }
    this.#taken += this.#matches.length;
    this.#left = Math.max(0, limit - this.#taken);
    if (this.#left === 0 && this.completeness === 'unknown') this.#lookAhead();
    return this.#matches;
  }

  /** Marks the answer as complete, unless matches may be hidden from the readers. */
  #finish(): void {
    const { ids } = this.#filter;
    const foundAll = ids !== null && this.#taken === ids.length;
    if (!this.mayHide || foundAll) this.completeness = 'finish';
  }

  /** Checks if there are more matches, where that is cheap. */
  #lookAhead(): void {
    const tries = this.plan === null || this.plan.exact ? LOOK_AHEAD_ROWS : 1;
    for (let i = 0; i < tries; i++) {
      const { head } = this.#cursor as Cursor;
      if (head === null) {
        // The end of a stretch of the recent columns is not the end of all.
        if (this.#authors === null && (this.plan !== null || this.#recentWasAll)) this.#finish();
        return;
      }
      const body = this.#recheck.entry(head) ? this.#snapshot.read(head, false) : null;
      if (body !== null && this.#recheck.body(head, body)) {
        this.completeness = 'more';
        this.missed = head.seq;
        return;
      }
      this.#cursor.advance();
    }
  }
}

/** Number of first rows of a list that tell its density, and so its length. */
const ESTIMATE_ROWS = 32;

function estimateRows(snapshot: Snapshot, term: number, since: number, until: number): number {
  const recent = snapshot.window.count(term);
  const { entries, complete } = snapshot.newest(term, ESTIMATE_ROWS);
  if (complete || element(entries.at(-1)).createdAt < since) {
    return entries.filter(({ createdAt }) => createdAt >= since).length + recent;
  }
  const rows =
    element(entries[0]).createdAt <= until
      ? entries
      : snapshot.postings(term, until, Number.MAX_SAFE_INTEGER, since, ESTIMATE_ROWS);
  if (rows.length < ESTIMATE_ROWS) return rows.length + recent;
  const newest = element(rows[0]).createdAt;
  const oldest = element(rows.at(-1)).createdAt;
  const seconds = Math.max(1, newest - oldest);
  const span = Math.max(seconds, newest - since);
  return (rows.length / seconds) * span + recent;
}

export function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Returns true for filters by many authors; the newest events seldom are profiles and the like. */
function isFeed({ ids, authorCount, kinds, tags }: UnpackedFilter): boolean {
  if (ids !== null || tags.length > 0 || authorCount < RECENT_AUTHORS) return false;
  return !kinds?.every(isReplaceable);
}
