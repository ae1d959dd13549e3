// Search requests that continue until the first event.

import type { SearchPage, SearchParams } from '../../api/events.ts';
import type { Context } from './context.ts';

/** Time limit for finding the first event; then the page offers to go on. */
const PATIENCE_MILLISECONDS = 5_000;

/**
 * Returns a page of a search. The relay ends a page after a bounded amount of work, so empty pages
 * are followed for a few seconds. `looked` is the sum over all of them.
 */
export async function searchOn(
  { call, left }: Pick<Context, 'call' | 'left'>,
  params: SearchParams,
): Promise<SearchPage> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  let page = await call('search', params, left);
  let { looked } = page;
  while (page.events.length === 0 && page.next !== null && performance.now() < end) {
    page = await call('search', { ...params, cursor: page.next }, left);
    looked += page.looked;
  }
  return { ...page, looked };
}
