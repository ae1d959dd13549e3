import type { SearchPage, SearchParams } from '../../../admin/page-api/events.ts';
import type { Context } from './context.ts';

/** How long is looked for the first event before somebody is asked whether to go on. */
const PATIENCE_MILLISECONDS = 5_000;

/**
 * A page of a search. The relay ends a page after a bit of work; while there is nothing on it the search
 * goes on for a few seconds.
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
