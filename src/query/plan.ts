import type { Filter } from '../protocol/filter.ts';
import { isGiftWrap, kindClass } from '../protocol/kinds.ts';
import { TERM_ALL, type TermHasher } from '../storage/terms.ts';

/** What opening one list costs, in rows read (measured: a seek 8 µs, a row 0.3 µs). */
const SEEK_ROWS = 25;
/** What an entry costs whose body must tell whether it matches, in rows. */
const CANDIDATE_ROWS = 4;
/** Combinations beyond this are not made; single conditions serve instead. */
const COMBINATIONS_MAX = 4_096;
/** How many lists of an option are looked at to estimate it. */
const SAMPLES_MAX = 6;

/** A way to answer a filter: the lists whose union holds every match. */
export interface Plan {
  /** Named after the conditions that chose the lists, for metrics and the slow-query log. */
  name: string;
  terms: readonly number[];
  /** The lists hold matches only (but for hash collisions, removed events, and what others may not read). */
  exact: boolean;
}

/** Estimates how many entries of a term's list lie in [since, until]. */
export type Estimate = (term: number, since: number, until: number) => number;

/**
 * Chooses the lists that a filter reads by estimated cost: what it takes to open them, and the rows
 * that will be read: as many as the limit where every row matches, else all of them in the worst case.
 * `readers` are given where the filter asks for private kinds only: what they may read lies in their lists.
 */
export function choosePlan(
  filter: Filter,
  hasher: TermHasher,
  limit: number,
  estimate: Estimate,
  readers: readonly string[] | null = null,
): Plan {
  const plans = options(filter, hasher);
  if (readers !== null && plans[0]!.name !== 'ids') {
    plans.push({ name: 'readers', terms: readerTerms(filter, hasher, readers), exact: false });
  }
  // The first has the most conditions: as one list it is a part of every other.
  if (plans.length === 1 || (plans[0]!.exact && plans[0]!.terms.length === 1)) return plans[0]!;
  const since = filter.since ?? 0;
  const until = filter.until ?? Number.MAX_SAFE_INTEGER;
  let best = plans[0]!;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const plan of plans) {
    const opening = plan.terms.length * SEEK_ROWS;
    if (opening >= bestCost) continue;
    const rows = estimateRows(plan.terms, since, until, estimate);
    const cost = opening + (plan.exact ? Math.min(rows, limit) : rows * CANDIDATE_ROWS);
    if (cost < bestCost) {
      best = plan;
      bestCost = cost;
    }
  }
  return best;
}

function estimateRows(
  terms: readonly number[],
  since: number,
  until: number,
  estimate: Estimate,
): number {
  const step = Math.max(1, Math.floor(terms.length / SAMPLES_MAX));
  let rows = 0;
  let samples = 0;
  for (let i = 0; i < terms.length; i += step) {
    rows += estimate(terms[i]!, since, until);
    samples++;
  }
  return (rows / samples) * terms.length;
}

function options(filter: Filter, hasher: TermHasher): Plan[] {
  const { ids, authors, kinds, tags } = filter;
  if (ids) return [{ name: 'ids', terms: ids.map((id) => hasher.id(id)), exact: true }];
  const plans: Plan[] = [];
  const add = (name: string, terms: readonly number[], exact: boolean) =>
    plans.push({ name, terms, exact });
  const addresses = addressTerms(filter, hasher);
  if (addresses) return [{ name: 'addresses', terms: addresses, exact: tags.length === 1 }];
  const only = (conditions: number) =>
    (authors ? 1 : 0) + (kinds ? 1 : 0) + tags.length === conditions;
  if (authors && kinds && authors.length * kinds.length <= COMBINATIONS_MAX) {
    const terms = authors.flatMap((author) => kinds.map((kind) => hasher.authorKind(author, kind)));
    add('authors+kinds', terms, only(2));
  }
  for (const { letter, values } of tags) {
    const terms = values.map((value) => hasher.tag(letter, value));
    add(`#${letter}`, terms, only(1));
  }
  if (authors) {
    const terms = authors.map((author) => hasher.author(author));
    add('authors', terms, only(1));
  }
  if (kinds) {
    const terms = kinds.map((kind) => hasher.kind(kind));
    add('kinds', terms, only(1));
  }
  if (plans.length === 0) add('everything', [TERM_ALL], true);
  return plans;
}

/** All that somebody may read of private kinds: what they are tagged in, what they wrote (NIP-17). */
function readerTerms({ kinds }: Filter, hasher: TermHasher, readers: readonly string[]): number[] {
  const written = kinds!.filter((kind) => !isGiftWrap(kind));
  return readers.flatMap((reader) => [
    hasher.tag('p', reader),
    ...written.map((kind) => hasher.authorKind(reader, kind)),
  ]);
}

/** Authors, addressable kinds and d tags together name single events. */
function addressTerms({ authors, kinds, tags }: Filter, hasher: TermHasher): number[] | null {
  const d = tags.find(({ letter }) => letter === 'd');
  if (!authors || !kinds || !d) return null;
  if (authors.length * kinds.length * d.values.length > COMBINATIONS_MAX) return null;
  if (!kinds.every((kind) => kindClass(kind) === 'addressable')) return null;
  return authors.flatMap((author) =>
    kinds.flatMap((kind) => d.values.map((value) => hasher.address(kind, author, value))),
  );
}
