import type { Filter } from '../protocol/filter.ts';
import type { TermHasher } from '../storage/terms.ts';
import { type Cursor, ListCursor, MergedCursor, TermCursor } from './cursor.ts';
import { choosePlan, type Plan } from './plan.ts';
import { Recheck } from './recheck.ts';
import { isEverything, type Snapshot, type Stored } from './snapshot.ts';
import type { Entry } from './window.ts';

/** What a piece of work costs, in rows: the unit of a slice's budget. */
const BODY_ROWS = 5;
const SEEK_ROWS = 25;
/** Rows looked at behind the last one given, to tell whether there is more. */
const LOOK_AHEAD_ROWS = 20;

/** Rows that a slice may still read before the clock is looked at again. */
export interface Budget {
  rows: number;
}

/** Whether everything that matches was given: `finish`, `more` was there, or nobody looked. */
export type Completeness = 'finish' | 'more' | 'unknown';

export interface ScanOptions {
  /** Matches to give at most; Infinity for COUNT. */
  limit: number;
  /** The relay's cap cut the limit, not the client: then whole seconds are given (NIP-67). */
  capped: boolean;
  /** Whether the bodies are wanted; COUNT only wants to know that they match. */
  bodies: boolean;
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
  readonly plan: Plan;
  completeness: Completeness = 'unknown';
  /** The seq of a match that was not given, if `completeness` is `more`. */
  missed = 0;
  readonly #snapshot: Snapshot;
  readonly #recheck: Recheck;
  readonly #since: number;
  readonly #until: number;
  readonly #indexed: number;
  readonly #capped: boolean;
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

  constructor(filter: Filter, snapshot: Snapshot, hasher: TermHasher, options: ScanOptions) {
    this.#snapshot = snapshot;
    this.#recheck = new Recheck(filter);
    this.#since = filter.since ?? 0;
    this.#until = filter.until ?? Number.MAX_SAFE_INTEGER;
    this.#indexed = snapshot.indexed;
    this.#left = options.limit;
    this.#capped = options.capped;
    this.#bodies = options.bodies;
    this.plan = choosePlan(filter, hasher, options.limit, (term, since, until) =>
      estimateRows(snapshot, term, since, until),
    );
    const terms = isEverything(this.plan.terms) ? null : this.plan.terms;
    const recent = snapshot.window.list(terms, snapshot.head, this.#since, this.#until);
    if (recent.length > 0) this.#cursor.add(new ListCursor(recent));
    if (this.#since > this.#until) this.#opened = this.plan.terms.length;
  }

  /** The next second that has matches, sorted by id; AGAIN when the budget is used up; null at the end. */
  next(budget: Budget): Stored[] | Again | null {
    if (!this.#open(budget)) return AGAIN;
    while (this.#left > 0) {
      if (this.#second === null && !this.#beginSecond()) return null;
      if (!this.#collect(budget) || !this.#read(budget)) return AGAIN;
      const matches = this.#endSecond();
      if (matches.length > 0) return matches;
    }
    return null;
  }

  #open(budget: Budget): boolean {
    const { terms, exact } = this.plan;
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
        withBodies: this.#bodies && exact && terms.length === 1,
      };
      this.#cursor.add(new TermCursor(list, firstRows));
    }
    return true;
  }

  #beginSecond(): boolean {
    const { head } = this.#cursor as Cursor;
    if (head === null) {
      if (this.completeness === 'unknown') this.completeness = 'finish';
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
      const stored = this.#snapshot.read(this.#candidates.pop()!);
      if (stored === null || !this.#recheck.body(stored)) continue;
      this.#matched++;
      if (!this.#bodies) stored.json = '';
      this.#matches.push(stored);
      if (this.#matches.length > 2 * this.#left + 64) {
        this.#matches.sort(byId);
        // One more than can be given, to name what is missed.
        this.#matches.length = this.#left + 1;
      }
    }
    return true;
  }

  #endSecond(): Stored[] {
    this.#second = null;
    const first = this.#taken === 0;
    this.#matches.sort(byId);
    if (this.#matched > this.#left) {
      this.completeness = 'more';
      this.missed = this.#matches.at(-1)!.seq;
      if (this.#capped && !first) {
        this.#left = 0;
        return [];
      }
      this.#matches.length = this.#left;
    }
    this.#left -= this.#matches.length;
    this.#taken += this.#matches.length;
    if (this.#left === 0 && this.completeness === 'unknown') this.#lookAhead();
    return this.#matches;
  }

  /** Whether there is more, where that can be told cheaply. */
  #lookAhead(): void {
    const tries = this.plan.exact ? LOOK_AHEAD_ROWS : 1;
    for (let i = 0; i < tries; i++) {
      const { head } = this.#cursor as Cursor;
      if (head === null) {
        this.completeness = 'finish';
        return;
      }
      const stored = this.#recheck.entry(head) ? this.#snapshot.read(head) : null;
      if (stored !== null && this.#recheck.body(stored)) {
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
  const rows = snapshot.postings(term, until, Number.MAX_SAFE_INTEGER, since, ESTIMATE_ROWS);
  const recent = snapshot.window.count(term);
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
