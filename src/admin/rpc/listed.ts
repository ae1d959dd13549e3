// RPC method that pages and searches the moderation lists.

import { z } from 'zod';
import { eventIdIn, pubkeyIn } from '../../protocol/nip19.ts';
import type { ListedRow } from '../../store/database/listed.ts';
import { listNames } from '../../store/database/listed.ts';
import * as sql from '../../store/database/sql.ts';
import type { ListPage } from '../../web/api/moderation.ts';
import { verb } from '../context.ts';

const PAGE_MAX = 500;
/** Number of rows searched before the event loop runs other work. */
const SLICE_ROWS = 1_000;
/** Time after which a search returns the rows found so far. */
const SEARCH_MILLISECONDS = 500;

/** RPC method `mod.listed`: returns a page of a list, or of its matches, ordered by subject. */
export const listedVerb = verb({
  name: 'mod.listed',
  params: z.strictObject({
    list: z.enum(listNames),
    stance: z.enum(['ban', 'allow']),
    find: z.string().max(1_000).default(''),
    after: z.string().max(1_000).default(''),
    limit: z.int().positive().max(PAGE_MAX).default(100),
  }),
  async run({ list, stance, find, after, limit }, { db }): Promise<ListPage> {
    const select = db.prepare(sql.SELECT_LIST);
    const total = db.prepare(sql.COUNT_LISTED).pluck().get(list, stance) as number;
    const matches = matcher(find);
    const end = performance.now() + SEARCH_MILLISECONDS;
    const rows: ListedRow[] = [];
    for (let last = after; ; ) {
      const slice = select.all(list, stance, last, SLICE_ROWS) as ListedRow[];
      for (const row of slice) {
        last = row.subject;
        if (matches(row)) rows.push(row);
        if (rows.length > limit) {
          // One more than a page holds: there is a next page.
          rows.pop();
          return { rows, next: rows.at(-1)!.subject, total };
        }
      }
      if (slice.length < SLICE_ROWS) return { rows, next: null, total };
      if (performance.now() > end) return { rows, next: last, total };
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
});

function matcher(find: string): (row: ListedRow) => boolean {
  const text = find.trim();
  const wanted = (pubkeyIn(text) ?? eventIdIn(text) ?? text).toLowerCase();
  return ({ subject, reason }) =>
    subject.toLowerCase().includes(wanted) || reason.toLowerCase().includes(wanted);
}
