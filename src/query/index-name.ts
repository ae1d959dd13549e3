import type { INDEXES } from '../metrics/label-values.ts';

/** What a query read, as metrics and the slow-query ring call it. */
export type IndexName = (typeof INDEXES)[number];

const PLANS: Readonly<Record<string, IndexName>> = {
  ids: 'id',
  addresses: 'address',
  authors: 'author',
  'authors+kinds': 'author_kind',
  kinds: 'kind',
  readers: 'tag',
  everything: 'all',
};

/** The name of a plan (`plan.ts`). */
export function indexOfPlan(name: string): IndexName {
  return name.startsWith('#') ? 'tag' : (PLANS[name] ?? 'several');
}

/** The one name of what several filters read. */
export function indexOfAll(names: readonly IndexName[]): IndexName {
  const [first = 'none'] = names;
  return names.every((name) => name === first) ? first : 'several';
}
