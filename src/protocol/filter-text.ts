// Filters as operators write them: one, or a list of them, as JSON.

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
