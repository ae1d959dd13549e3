// Selection of the events that the retention rules remove: generators of pages, read from the
// index. Other statements may run between two pages.

import type { AuthorClass } from '../config/retention-rule.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import { kindOfPosting } from '../store/index/posting-kind.ts';
import { AUTHOR_KIND_TERMS, TERM_ALL } from '../store/index/terms.ts';
import { IndexPostings, pagesOfLists } from '../store/read/index-postings.ts';
import type { RetentionRules } from './rules.ts';

/** Number of postings read at once, each time in a snapshot of its own. */
export const PAGE = 2_000;

/** Event to remove. */
export interface Candidate {
  seq: number;
  kind: number;
  createdAt: number;
  /** Size of its body, as stored. */
  bytes: number;
  /** Configuration entry by which it is removed, or `budget`. */
  rule: string;
}

/** Page of candidates, perhaps empty; the caller lets other work run before the next one. */
export type Page = readonly Candidate[];

interface Body {
  pubkey: string;
  bytes: number;
}

/** Returns the class of an author. */
export type ClassOf = (pubkey: string) => AuthorClass;

/** Yields the events that are too old for a rule, the oldest first. `now`: seconds since 1970. */
export function* tooOld(
  db: Db,
  rules: RetentionRules,
  classOf: ClassOf,
  now: number,
): Generator<Page> {
  const body = db.prepare(sql.SELECT_BODY_FACTS);
  const all = new IndexPostings(db, 'upwards');
  for (const page of all.pages(TERM_ALL, now - rules.ageMin, PAGE)) {
    const found: Candidate[] = [];
    for (const { seq, createdAt, kind: kept } of page) {
      const kind = kindOfPosting(kept);
      if (!rules.concerns(kind)) continue;
      const facts = body.get(seq) as Body | undefined;
      if (facts === undefined) continue;
      const rule = rules.ageOf(kind, classOf(facts.pubkey));
      if (rule === null || createdAt > now - rule.limit) continue;
      found.push({ seq, kind, createdAt, bytes: facts.bytes, rule: rule.text });
    }
    yield found;
  }
}

/** Yields events of non-members, the oldest first, except spared kinds; the caller stops it. */
export function* oldest(db: Db, rules: RetentionRules, classOf: ClassOf): Generator<Page> {
  const body = db.prepare(sql.SELECT_BODY_FACTS);
  const all = new IndexPostings(db, 'upwards');
  for (const page of all.pages(TERM_ALL, Number.MAX_SAFE_INTEGER, PAGE)) {
    const found: Candidate[] = [];
    for (const { seq, createdAt, kind: kept } of page) {
      const kind = kindOfPosting(kept);
      if (rules.spared.has(kind)) continue;
      const facts = body.get(seq) as Body | undefined;
      if (facts === undefined || classOf(facts.pubkey) === 'members') continue;
      found.push({ seq, kind, createdAt, bytes: facts.bytes, rule: 'budget' });
    }
    yield found;
  }
}

/** Yields the events of an author and a kind that exceed the number allowed by a rule. */
export function* tooMany(db: Db, rules: RetentionRules, classOf: ClassOf): Generator<Page> {
  let term: number | null = null;
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  for (const page of pagesOfLists(db, AUTHOR_KIND_TERMS, PAGE)) {
    const found: Candidate[] = [];
    for (const posting of page) {
      if (posting.term !== term) {
        if (term !== null && count > min) yield* surplus(db, rules, classOf, term);
        term = posting.term;
        count = 0;
        min = rules.countMin(kindOfPosting(posting.kind));
      }
      count++;
    }
    yield found;
  }
  if (term !== null && count > min) yield* surplus(db, rules, classOf, term);
}

/**
 * Yields the surplus of one posting list. Terms are hashes and may collide, so events are counted
 * by the kind and author in their bodies.
 */
function* surplus(db: Db, rules: RetentionRules, classOf: ClassOf, term: number): Generator<Page> {
  const body = db.prepare(sql.SELECT_BODY_FACTS);
  const counts = new Map<string, number>();
  for (const page of new IndexPostings(db, 'downwards').pages(term, 0, PAGE)) {
    const found: Candidate[] = [];
    for (const { seq, createdAt, kind: kept } of page) {
      const facts = body.get(seq) as Body | undefined;
      if (facts === undefined) continue;
      const { pubkey, bytes } = facts;
      const kind = kindOfPosting(kept);
      const key = `${kind}:${pubkey}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      const rule = rules.countOf(kind, classOf(pubkey));
      if (rule !== null && count > rule.limit) {
        found.push({ seq, kind, createdAt, bytes, rule: rule.text });
      }
    }
    yield found;
  }
}
