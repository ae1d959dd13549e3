// Names of the indexes that a query reads, for metrics and the slow-query ring.

import type { INDEXES } from '../../metrics/label-values.ts';

/** Name of the index that a query read, as in metrics and the slow-query ring. */
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

/** Returns the index name of a plan (`plan.ts`). */
export function indexOfPlan(name: string): IndexName {
  return name.startsWith('#') ? 'tag' : (PLANS[name] ?? 'several');
}

/** Returns one name for the indexes that several filters read. */
export function indexOfAll(names: readonly IndexName[]): IndexName {
  const [first = 'none'] = names;
  return names.every((name) => name === first) ? first : 'several';
}
