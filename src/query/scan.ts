import type { UnpackedFilter } from '../mailbox/filters.ts';
import { isReplaceable } from '../protocol/kinds.ts';
import type { TermHasher } from '../storage/terms.ts';
import { type Cursor, ListCursor, MergedCursor, TermCursor } from './cursor.ts';
import { type IndexName, indexOfPlan } from './index-name.ts';
import { choosePlan, type Plan } from './plan.ts';
import { type Audience, Recheck } from './recheck.ts';
import { isEverything, type Snapshot, type Stored } from './snapshot.ts';
import type { Entry } from './window.ts';

/** What a piece of work costs, in rows: the unit of a slice's budget. */
const BODY_ROWS = 5;
const SEEK_ROWS = 25;
/** Rows looked at behind the last one given, to tell whether there is more. */
const LOOK_AHEAD_ROWS = 20;
/** Filters with at least so many authors are answered from the timeline first. */
const TIMELINE_AUTHORS = 8;
/** Entries taken from the timeline beyond the limit, for those whose event is gone. */
const TIMELINE_SPARE = 16;
/** What a stretch of the timeline costs: a pass over 100,000 entries is as dear as 1,000 rows. */
const TIMELINE_ROWS = 200;

/** Rows that a slice may still read before the clock is looked at again. */
export interface Budget {
  rows: number;
}

/**
 * Whether everything that matches was given: `finish`, or `more` was there; `unknown` where that was not
 * looked for, or where matches may be hidden from the readers.
 */
export type Completeness = 'finish' | 'more' | 'unknown';

/**
 * How many matches a filter may give. An answer that the relay's own cap cuts is completed to a whole
 * second beyond the cap: a client that pages by `until` misses nothing then (NIP-67), and one that counts
 * against `max_limit` of NIP-11 sees that there is more.
 */
export interface Share {
  /** No second is begun once so many were given; Infinity for COUNT. */
  limit: number;
  /** Most that are given in all, at least `limit`. */
  most: number;
  /** Whether the client asked for no more than `most`: then a second is cut there (NIP-01). */
  exact: boolean;
}

/** A filter without a limit of its own, or with a higher one, may go beyond the cap by this factor. */
const WHOLE_SECOND_FACTOR = 2;

/**
 * The share of a filter that asks for `asked` events.
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

/** COUNT gives everything. */
export const ALL: Share = {
  limit: Number.POSITIVE_INFINITY,
  most: Number.POSITIVE_INFINITY,
  exact: true,
};

export interface ScanOptions {
  share: Share;
  /** Whether the bodies are wanted; COUNT only wants to know that they match. */
  bodies: boolean;
  /** Events of the log up to this one are looked at, at most those of the snapshot. */
  upTo: number;
  audience: Audience;
}

const AGAIN = Symbol('the budget is used up');
export type Again = typeof AGAIN;
export { AGAIN };

/**
 * One filter over one snapshot: gives its matches newest first, a whole second at a time, because
 * within a second the order is by id (NIP-01), which the index does not know.
 *
 * The work can stop between any two rows when the budget is used up and goes on in a later slice.
 */
export class FilterScan {
  /** How the lists were chosen; null while the timeline answers. */
  plan: Plan | null = null;
  completeness: Completeness = 'unknown';
  /** The seq of a match that was not given, if `completeness` is `more`. */
  missed = 0;
  readonly #snapshot: Snapshot;
  readonly #recheck: Recheck;
  readonly #filter: UnpackedFilter;
  readonly #audience: Audience;
  /** Whether something that matches may be hidden from the readers. */
  readonly mayHide: boolean;
  readonly #hasher: TermHasher;
  readonly #since: number;
  /** What lies after this was given already, from the timeline. */
  #until: number;
  /** The head of the log when the query began. */
  readonly #head: number;
  /** The head of the index when the lists were chosen. */
  #indexed = 0;
  readonly #share: Share;
  /** The authors' pubkeys while the timeline answers, null when the lists do. */
  #authors: Uint8Array | null;
  readonly #bodies: boolean;
  #taken = 0;
  #left: number;
  #cursor = new MergedCursor();
  #opened = 0;
  /** The second that is being put together. */
  #second: number | null = null;
  #candidates: Entry[] = [];
  #seen = new Set<number>();
  #matches: Stored[] = [];
  #matched = 0;

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
    this.#until = filter.until ?? Number.MAX_SAFE_INTEGER;
    this.#filter = filter;
    this.#hasher = hasher;
    this.#head = Math.min(options.upTo, snapshot.head);
    this.mayHide = options.audience.privateKinds.mayHide(filter, options.audience.readers);
    this.#share = options.share;
    this.#left = options.share.limit;
    this.#bodies = options.bodies;
    this.#authors = isFeed(filter) ? filter.authorBytes : null;
    if (this.#authors === null) this.#choosePlan();
  }

  /** What it reads: the timeline, or the lists that were chosen behind it. */
  get index(): IndexName {
    return this.plan === null ? 'timeline' : indexOfPlan(this.plan.name);
  }

  /** The next second that has matches, sorted by id; AGAIN when the budget is used up; null at the end. */
  next(budget: Budget): Stored[] | Again | null {
    while (this.#left > 0) {
      if (this.#second === null) {
        if (!this.#open(budget)) return AGAIN;
        if (!this.#beginSecond()) return null;
      }
      if (!this.#collect(budget) || !this.#read(budget)) return AGAIN;
      const matches = this.#endSecond();
      if (matches.length > 0) return matches;
    }
    return null;
  }

  /** Sees to it that the cursor has what comes next. */
  #open(budget: Budget): boolean {
    while (this.#authors !== null && this.#cursor.head === null) {
      if (budget.rows <= 0) return false;
      this.#readTimeline(this.#authors, budget);
    }
    if (this.plan === null) return true;
    const { terms } = this.plan;
    const firstRows = terms.length > 16 ? 8 : Math.max(16, this.#left + 1);
    while (this.#opened < terms.length) {
      if (budget.rows <= 0) return false;
      budget.rows -= SEEK_ROWS;
      const list = {
        snapshot: this.#snapshot,
        term: terms[this.#opened++]!,
        since: this.#since,
        until: this.#until,
        indexed: this.#indexed,
      };
      this.#cursor.add(new TermCursor(list, firstRows));
    }
    return true;
  }

  /** Takes the next stretch of the timeline; at its old end the lists take over. */
  #readTimeline(authors: Uint8Array, budget: Budget): void {
    const { timeline } = this.#snapshot.window;
    if (this.#until <= timeline.floor) {
      this.#authors = null;
      this.#choosePlan();
      return;
    }
    const { entries, rest } = timeline.collect({
      authors,
      kinds: this.#recheck.kinds,
      since: this.#since,
      until: this.#until,
      head: this.#head,
      want: this.#left + TIMELINE_SPARE,
    });
    budget.rows -= TIMELINE_ROWS;
    this.#cursor.add(new ListCursor(entries));
    if (rest === null) this.#authors = null;
    else this.#until = rest;
  }

  #choosePlan(): void {
    const snapshot = this.#snapshot;
    const { privateKinds, readers } = this.#audience;
    this.plan = choosePlan(
      this.#filter,
      this.#hasher,
      this.#share.limit,
      (term, since, until) => estimateRows(snapshot, term, since, until),
      privateKinds.areAllOf(this.#filter) ? readers : null,
    );
    const terms = isEverything(this.plan.terms) ? null : this.plan.terms;
    // From here on index and window share the log at this place, whatever the index holds later.
    this.#indexed = Math.min(snapshot.indexed, this.#head);
    const unindexed = snapshot.window.list(terms, this.#head, this.#since, this.#until);
    this.#cursor.add(new ListCursor(unindexed));
    if (this.#since > this.#until) this.#opened = this.plan.terms.length;
  }

  #beginSecond(): boolean {
    const { head } = this.#cursor as Cursor;
    if (head === null) {
      if (this.completeness === 'unknown') this.#finish();
      return false;
    }
    this.#second = head.createdAt;
    this.#candidates = [];
    this.#matches = [];
    this.#matched = 0;
    this.#seen.clear();
    return true;
  }

  /** Takes all entries of the second; an event that is in several lists is taken once. */
  #collect(budget: Budget): boolean {
    for (;;) {
      const head: Entry | null = this.#cursor.head;
      if (head === null || head.createdAt !== this.#second) return true;
      if (budget.rows-- <= 0) return false;
      this.#cursor.advance();
      if (!this.#recheck.entry(head) || this.#seen.has(head.seq)) continue;
      this.#seen.add(head.seq);
      this.#candidates.push(head);
    }
  }

  /** Reads what was taken and keeps the matches, but never many more than can still be given. */
  #read(budget: Budget): boolean {
    while (this.#candidates.length > 0) {
      if (budget.rows <= 0) return false;
      budget.rows -= BODY_ROWS;
      const entry = this.#candidates.pop()!;
      const body = this.#snapshot.read(entry, this.#bodies);
      if (body === null || !this.#recheck.body(entry, body)) continue;
      this.#matched++;
      const { createdAt, seq, kind } = entry;
      this.#matches.push({ createdAt, seq, kind, id: body.id });
      const room = this.#share.most - this.#taken;
      if (this.#matches.length > 2 * room + 64) {
        this.#matches.sort(byId);
        // One more than can be given, to name what is missed.
        this.#matches.length = room + 1;
      }
    }
    return true;
  }

  #endSecond(): Stored[] {
    this.#second = null;
    const { limit, most, exact } = this.#share;
    const room = most - this.#taken;
    this.#matches.sort(byId);
    if (this.#matched > room) {
      this.completeness = 'more';
      this.missed = this.#matches.at(-1)!.seq;
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

  /** Everything was read; that is the end unless something may be hidden from the readers. */
  #finish(): void {
    const { ids } = this.#filter;
    const foundAll = ids !== null && this.#taken === ids.length;
    if (!this.mayHide || foundAll) this.completeness = 'finish';
  }

  /** Whether there is more, where that can be told cheaply. */
  #lookAhead(): void {
    const tries = this.plan === null || this.plan.exact ? LOOK_AHEAD_ROWS : 1;
    for (let i = 0; i < tries; i++) {
      const { head } = this.#cursor as Cursor;
      if (head === null) {
        // The timeline's end is not the end of all.
        if (this.#authors === null) this.#finish();
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

/** The first rows of a list tell how dense it is, and so how long. */
const ESTIMATE_ROWS = 32;

function estimateRows(snapshot: Snapshot, term: number, since: number, until: number): number {
  const recent = snapshot.window.count(term);
  const { entries, complete } = snapshot.newest(term, ESTIMATE_ROWS);
  if (complete || entries.at(-1)!.createdAt < since) {
    return entries.filter(({ createdAt }) => createdAt >= since).length + recent;
  }
  const rows =
    entries[0]!.createdAt <= until
      ? entries
      : snapshot.postings(term, until, Number.MAX_SAFE_INTEGER, since, ESTIMATE_ROWS);
  if (rows.length < ESTIMATE_ROWS) return rows.length + recent;
  const newest = rows[0]!.createdAt;
  const oldest = rows.at(-1)!.createdAt;
  const seconds = Math.max(1, newest - oldest);
  const span = Math.max(seconds, newest - since);
  return (rows.length / seconds) * span + recent;
}

export function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** A filter by many authors; profiles and the like are seldom among the newest events. */
function isFeed({ ids, authorCount, kinds, tags }: UnpackedFilter): boolean {
  if (ids !== null || tags.length > 0 || authorCount < TIMELINE_AUTHORS) return false;
  return !kinds?.every(isReplaceable);
}
