// Filters as operators write them: one, or a list of them, as JSON; and filters as keys.

import { type Filter, parseFilter } from './filter.ts';

/** Bounds of filters that operators write, which may be wider than those of clients. */
export const OPERATOR_LIMITS = { filterValuesMax: 10_000_000, filterTagsMax: 52 };

/** Parses a filter or a non-empty list of filters; returns undefined if the text is neither. */
export function parseFilters(json: string): Filter[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const filters = (Array.isArray(value) ? value : [value]).map((one) =>
    parseFilter(one, OPERATOR_LIMITS),
  );
  const valid = filters.filter((one) => typeof one !== 'string');
  return valid.length > 0 && valid.length === filters.length ? valid : undefined;
}

/** Conditions of a filter that do not depend on time, ids or a limit. */
type Conditions = Pick<Filter, 'authors' | 'kinds' | 'tags'>;

/**
 * Returns a text that is the same for filters with the same authors, kinds and tags, in whatever
 * order they are written; '' for a filter without these conditions.
 */
export function conditionsKey({ authors, kinds, tags }: Conditions): string {
  if (authors === null && kinds === null && tags.length === 0) return '';
  const sortedTags = tags
    .map(({ letter, values }) => [letter, values.toSorted()] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    authors === null ? null : authors.toSorted(),
    kinds === null ? null : kinds.toSorted((a, b) => a - b),
    sortedTags,
  ]);
}

/** Parses a filter of authors, kinds and tags; returns undefined if it is not of these alone. */
export function parseConditions(json: string): Filter | undefined {
  const [filter, ...others] = parseFilters(json) ?? [];
  if (filter === undefined || others.length > 0 || filter.matchesNothing) return undefined;
  const { ids, since, until, limit } = filter;
  const isTimeless = ids === null && since === null && until === null && limit === null;
  return isTimeless && conditionsKey(filter) !== '' ? filter : undefined;
}
