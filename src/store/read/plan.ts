// Query planner: chooses the posting lists that answer a filter, by estimated cost.

import { element, present } from '../../lib/assert.ts';
import type { Filter } from '../../protocol/filter.ts';
import { isGiftWrap, kindClass } from '../../protocol/kinds.ts';
import { TERM_ALL, type TermHasher } from '../index/terms.ts';

/** Cost of opening one list, in rows read (measured: a seek 8 µs, a row 0.3 µs). */
const SEEK_ROWS = 25;
/** Cost of an entry that is matched by its body, in rows. */
const CANDIDATE_ROWS = 4;
/**
 * Number of combinations of a filter, and of all filters of a query, up to which combinations are
 * used; with more, single conditions are: opening a list takes 8 µs, and some 400 bytes while the
 * query lasts.
 */
const COMBINATIONS_MAX = 4_096;
const COMBINATIONS_OF_ALL_MAX = 65_536;
/** Lists of a plan sampled for its estimate (up to 11, because the step is rounded down). */
const SAMPLES_MAX = 6;

/** Way to answer a filter: the lists whose union holds every match. */
export interface Plan {
  /** Named after the conditions that chose the lists, for metrics and the slow-query log. */
  name: string;
  /** Number of lists. */
  lists: number;
  /** Returns the term of a list, hashed on demand: a plan may name 4,096 of them, 1 µs each. */
  term(list: number): number;
  /**
   * True if the lists hold matches only (but for hash collisions, removed events, and events that
   * the readers may not read).
   */
  exact: boolean;
}

/** Estimates the number of entries of a term's list in [since, until]. */
type Estimate = (term: number, since: number, until: number) => number;

/** Input of the planner, beside the filter. */
interface Planning {
  hasher: TermHasher;
  /** Number of events wanted. */
  limit: number;
  estimate: Estimate;
  /** Readers of a filter by private kinds only (their lists hold all they may read), else null. */
  readers: readonly string[] | null;
  /** Number of filters of the query. */
  filters: number;
}

/**
 * Chooses the lists that a filter reads by estimated cost: that of opening them, and that of the
 * rows to be read, which are as many as the limit where every row matches, else all of them in the
 * worst case.
 */
export function choosePlan(filter: Filter, planning: Planning): Plan {
  const { hasher, limit, estimate, readers } = planning;
  const plans = options(filter, hasher, combinationsMax(planning.filters));
  const first = element(plans[0]);
  if (readers !== null && first.name !== 'ids') {
    plans.push(readersPlan(filter, hasher, readers));
  }
  // The first has the most conditions: as one list it is a part of every other.
  if (plans.length === 1 || (first.exact && first.lists === 1)) return first;
  const since = filter.since ?? 0;
  const until = filter.until ?? Number.MAX_SAFE_INTEGER;
  let best = first;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const plan of plans) {
    const opening = plan.lists * SEEK_ROWS;
    if (opening >= bestCost) continue;
    const rows = estimateRows(plan, since, until, estimate);
    const cost = opening + (plan.exact ? Math.min(rows, limit) : rows * CANDIDATE_ROWS);
    if (cost < bestCost) {
      best = plan;
      bestCost = cost;
    }
  }
  return best;
}

function combinationsMax(filters: number): number {
  return Math.min(COMBINATIONS_MAX, Math.floor(COMBINATIONS_OF_ALL_MAX / filters));
}

function estimateRows(plan: Plan, since: number, until: number, estimate: Estimate): number {
  const { lists } = plan;
  const step = Math.max(1, Math.floor(lists / SAMPLES_MAX));
  let rows = 0;
  let samples = 0;
  for (let i = 0; i < lists; i += step) {
    rows += estimate(plan.term(i), since, until);
    samples++;
  }
  return (rows / samples) * lists;
}

function options(filter: Filter, hasher: TermHasher, combinationsMax: number): Plan[] {
  const { ids, authors, kinds, tags } = filter;
  if (ids) return [planOf('ids', ids, (id) => hasher.id(id), true)];
  const addresses = addressesPlan(filter, hasher, combinationsMax);
  if (addresses !== null) return [addresses];
  const plans: Plan[] = [];
  const only = (conditions: number) =>
    (authors ? 1 : 0) + (kinds ? 1 : 0) + tags.length === conditions;
  if (authors && kinds && authors.length * kinds.length <= combinationsMax) {
    plans.push({
      name: 'authors+kinds',
      lists: authors.length * kinds.length,
      term: (list) => {
        const author = element(authors[Math.floor(list / kinds.length)]);
        return hasher.authorKind(author, element(kinds[list % kinds.length]));
      },
      exact: only(2),
    });
  }
  for (const { letter, values } of tags) {
    plans.push(planOf(`#${letter}`, values, (value) => hasher.tag(letter, value), only(1)));
  }
  if (authors) {
    plans.push(planOf('authors', authors, (author) => hasher.author(author), only(1)));
  }
  if (kinds) plans.push(planOf('kinds', kinds, (kind) => hasher.kind(kind), only(1)));
  if (plans.length === 0) plans.push(planOf('everything', [TERM_ALL], (term) => term, true));
  return plans;
}

function planOf<Value>(
  name: string,
  values: readonly Value[],
  termOf: (value: Value) => number,
  exact: boolean,
): Plan {
  return { name, lists: values.length, term: (list) => termOf(element(values[list])), exact };
}

/**
 * Returns the plan for all private events that readers may read: those that they are tagged in, and
 * those that they wrote (NIP-17).
 */
function readersPlan({ kinds }: Filter, hasher: TermHasher, readers: readonly string[]): Plan {
  const kindsAsked = present(kinds, 'kinds of a filter by private kinds only');
  const written = kindsAsked.filter((kind) => !isGiftWrap(kind));
  const terms = readers.flatMap((reader) => [
    hasher.tag('p', reader),
    ...written.map((kind) => hasher.authorKind(reader, kind)),
  ]);
  return planOf('readers', terms, (term) => term, false);
}

/**
 * Returns the plan for a filter by authors, addressable kinds and d tags, which together name
 * single events; null for any other filter.
 */
function addressesPlan(
  { authors, kinds, tags }: Filter,
  hasher: TermHasher,
  combinationsMax: number,
): Plan | null {
  const d = tags.find(({ letter }) => letter === 'd');
  if (!authors || !kinds || !d) return null;
  if (authors.length * kinds.length * d.values.length > combinationsMax) return null;
  if (!kinds.every((kind) => kindClass(kind) === 'addressable')) return null;
  const { values } = d;
  return {
    name: 'addresses',
    lists: authors.length * kinds.length * values.length,
    term: (list) => {
      const kind = element(kinds[Math.floor(list / values.length) % kinds.length]);
      const author = element(authors[Math.floor(list / values.length / kinds.length)]);
      return hasher.address(kind, author, element(values[list % values.length]));
    },
    exact: tags.length === 1,
  };
}
