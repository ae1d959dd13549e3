// Selection of stored events by filters, in order of time and without a bound on the result, for
// commands and the admin worker. It reads the database of a relay that may be running, with the
// planner and the cursors of the query workers. Their scan (`scan.ts`) is another: it answers one
// filter newest first, a whole second at a time, from the memory of its worker and within a budget.

import { present } from '../../lib/assert.ts';
import type { NostrEvent } from '../../protocol/event.ts';
import { isExpired } from '../../protocol/expiration.ts';
import { compileFilter, type Filter, type Matcher } from '../../protocol/filter.ts';
import { jsonOf, type StoredBody } from '../body/body.ts';
import type { Db } from '../database/open.ts';
import * as sql from '../database/sql.ts';
import { kindOfPosting, mayExpire, postingKind } from '../index/posting-kind.ts';
import type { TermHasher } from '../index/terms.ts';
import { ListCursor, MergedCursor, TermCursor } from './cursor.ts';
import {
  type Direction,
  type Entry,
  endOfSecond,
  newestFirst,
  type Order,
  oldestFirst,
  type Position,
  startOfSecond,
} from './entry.ts';
import { IndexPostings } from './index-postings.ts';
import { choosePlan } from './plan.ts';

/** Default of `entriesHeld`, for commands, which have a process to themselves. */
const ENTRIES_HELD = 200_000;
const PAGE_ROWS_MIN = 16;
const PAGE_ROWS_MAX = 2_000;
/** Number of entries up to which a posting list is counted to estimate its length. */
const ESTIMATE_ROWS = 10_000;

/** Stored event that matches. */
export interface Selected {
  seq: number;
  createdAt: number;
  kind: number;
  /** Body as it is stored. */
  body: StoredBody;
  /** The same as canonical JSON. */
  json: string;
}

/** Description of a selection: database, filters and order. */
export interface Selection {
  db: Db;
  hasher: TermHasher;
  /**
   * Filters of which an event has to match one; each selects at most as many events as its limit.
   */
  filters: readonly Filter[];
  direction: Direction;
  /** Time in seconds since 1970; events that have expired by then are left out. null: none is. */
  nowSeconds: number | null;
  /** Position after which to begin, in the order of `direction`. */
  behind?: Position;
  /** Number of entries that all cursors together hold in memory; it determines the page size. */
  entriesHeld?: number;
}

/** Entry of the index that was examined, and its event if that matches. */
export interface Looked extends Position {
  selected: Selected | null;
}

/** Filter with the rest of its limit. */
interface Wanted {
  filter: Filter;
  matches: Matcher;
  /** True if the index alone tells what matches: there are no conditions but time and kinds. */
  any: boolean;
  left: number;
}

/**
 * Returns the stored events that match, in order. It sees the log as of its start, except for
 * events that are removed meanwhile, and takes a snapshot for a page at a time, so that a running
 * relay is not blocked.
 */
export function* select(selection: Selection): Generator<Selected> {
  for (const { selected } of look(selection)) if (selected !== null) yield selected;
}

/**
 * Does the same entry by entry, so that a caller with other work can pause even while no event
 * matches.
 */
export function* look(selection: Selection): Generator<Looked> {
  const { db, filters, direction, nowSeconds, behind } = selection;
  const { head, indexed } = db.prepare(sql.SELECT_HEADS).get() as { head: number; indexed: number };
  const wanted: Wanted[] = filters
    .filter(({ matchesNothing }) => !matchesNothing)
    .map((filter) => ({
      filter,
      matches: compileFilter(filter),
      any: isOfIndex(filter),
      left: filter.limit ?? Number.POSITIVE_INFINITY,
    }));
  const order = orderOf(direction);
  const tail = tailEntries(db, indexed, head).filter(
    (entry) => behind === undefined || order(behind, entry) < 0,
  );
  const merged = new MergedCursor(order);
  merged.add(new ListCursor(tail.sort(order)));
  for (const cursor of cursorsOf(selection, wanted, indexed)) merged.add(cursor);
  const body = db.prepare(sql.SELECT_BODY).pluck();
  for (let last = -1, entry = merged.head; entry !== null; entry = merged.head) {
    merged.advance();
    if (entry.seq === last) continue;
    last = entry.seq;
    if (!wanted.some((one) => one.left > 0)) return;
    const { seq, createdAt } = entry;
    const may = wanted.some((one) => one.left > 0 && mayMatch(one.filter, entry));
    const stored = may ? (body.get(seq) as StoredBody | undefined) : undefined;
    const selected = stored === undefined ? null : selectedOf(entry, stored);
    const matches = selected !== null && take(wanted, entry, selected.json, nowSeconds);
    yield { seq, createdAt, selected: matches ? selected : null };
  }
}

function selectedOf({ seq, createdAt, kind }: Entry, body: StoredBody): Selected {
  return { seq, createdAt, kind: kindOfPosting(kind), body, json: jsonOf(body) };
}

/**
 * Returns true if a filter selects the event; subtracts it from the limits of all filters that
 * match.
 */
function take(
  wanted: readonly Wanted[],
  entry: Entry,
  json: string,
  nowSeconds: number | null,
): boolean {
  const expires = nowSeconds !== null && mayExpire(entry.kind);
  const isParsed = expires || wanted.some(({ any }) => !any);
  const event = isParsed ? (JSON.parse(json) as NostrEvent) : null;
  if (expires && event !== null && isExpired(event, nowSeconds)) return false;
  let matched = false;
  for (const one of wanted) {
    if (one.left <= 0) continue;
    if (
      one.any
        ? !mayMatch(one.filter, entry)
        : !one.matches(present(event, 'event that some filter is matched with'))
    )
      continue;
    one.left--;
    matched = true;
  }
  return matched;
}

function isOfIndex({ ids, authors, tags }: Filter): boolean {
  return ids === null && authors === null && tags.length === 0;
}

/** Returns true if the event may match, as far as the index tells. */
function mayMatch({ kinds, since, until }: Filter, { createdAt, kind }: Entry): boolean {
  return (
    (since === null || createdAt >= since) &&
    (until === null || createdAt <= until) &&
    (kinds === null || kinds.includes(kindOfPosting(kind)))
  );
}

/** Returns the entries of the log that are not in the index yet. */
function tailEntries(db: Db, indexed: number, head: number): Entry[] {
  const rows = db.prepare(sql.SELECT_LOG_ENTRIES).all(indexed, head) as {
    seq: number;
    created_at: number;
    kind: number;
    expires_at: number | null;
  }[];
  return rows.map(({ seq, created_at: createdAt, kind, expires_at: expiresAt }) => ({
    seq,
    createdAt,
    kind: postingKind(kind, expiresAt ?? 0),
  }));
}

/**
 * Returns one cursor for each posting list that has to be read, over the widest time span that
 * filters ask for.
 */
function cursorsOf(selection: Selection, wanted: readonly Wanted[], indexed: number): TermCursor[] {
  const { db, hasher, direction, behind, entriesHeld = ENTRIES_HELD } = selection;
  const count = db.prepare(sql.COUNT_POSTINGS).pluck();
  const estimate = (term: number, since: number, until: number) =>
    count.get(term, since, until, ESTIMATE_ROWS) as number;
  const spans = new Map<number, { since: number; until: number }>();
  for (const { filter } of wanted) {
    const since = filter.since ?? 0;
    const until = filter.until ?? Number.MAX_SAFE_INTEGER;
    const limit = filter.limit ?? ESTIMATE_ROWS;
    const plan = choosePlan(filter, {
      hasher,
      limit,
      estimate,
      readers: null,
      filters: wanted.length,
    });
    for (let list = 0; list < plan.lists; list++) {
      const term = plan.term(list);
      const span = spans.get(term) ?? { since, until };
      spans.set(term, {
        since: Math.min(span.since, since),
        until: Math.max(span.until, until),
      });
    }
  }
  const rows = Math.floor(entriesHeld / Math.max(spans.size, 1));
  const pageRows = Math.min(Math.max(rows, PAGE_ROWS_MIN), PAGE_ROWS_MAX);
  const source = new IndexPostings(db, direction);
  const order = orderOf(direction);
  const upwards = direction === 'upwards';
  return [...spans].map(([term, { since, until }]) => {
    const start = upwards ? startOfSecond(since) : endOfSecond(until);
    const list = {
      source,
      term,
      last: upwards ? until : since,
      behind: behind !== undefined && order(start, behind) < 0 ? behind : start,
      indexed,
      pageRows,
    };
    return new TermCursor(list, pageRows);
  });
}

function orderOf(direction: Direction): Order {
  return direction === 'upwards' ? oldestFirst : newestFirst;
}
