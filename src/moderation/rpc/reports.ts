// RPC methods of the report queue (NIP-56).

import { z } from 'zod';
import { rpcMethod } from '../../rpc/method.ts';
import { jsonOf, type StoredBody } from '../../store/body/body.ts';
import * as sql from '../../store/database/sql.ts';
import type { Queued, QueuePage, Reported, ReportRow } from '../../web/api/moderation.ts';
import type { Author } from '../../web/api/people.ts';
import { authors } from '../authors.ts';
import type { ModerationContext, ModerationReads } from '../context.ts';
import { normalSubject } from '../list-subjects.ts';
import { putOnList } from '../lists.ts';
import { hiddenFrom, shownEvent } from '../private-events.ts';
import { findEvent } from '../removal.ts';
import { dismissReports, reported, reportedPage, reportsOf } from '../reports.ts';

const ROWS_MAX = 10_000;
const PAGE_MAX = 100;
const target = z.string().regex(/^[0-9a-f]{64}$/, 'an event id or a public key, 64 hex characters');

/** RPC method `mod.reports`: returns the report queue. */
export const reportsMethod = rpcMethod({
  params: z.strictObject({ limit: z.int().positive().max(ROWS_MAX).default(100) }),
  run: ({ limit }, context: ModerationReads): Reported[] => reported(context, limit),
});

/** RPC method `mod.report`: returns the reports about a target, with their authors and texts. */
export const reportMethod = rpcMethod({
  params: z.strictObject({ target, limit: z.int().positive().max(ROWS_MAX).default(100) }),
  run: ({ target, limit }, context: ModerationReads): ReportRow[] =>
    reportsOf(context, target, limit),
});

/** RPC method `mod.dismiss`: takes a target off the queue; `keep`: new reports are not queued. */
export const dismissMethod = rpcMethod({
  params: z.strictObject({
    target,
    reason: z.string().max(1000).default(''),
    keep: z.boolean().default(false),
  }),
  async run({ target: subject, reason, keep }, context: ModerationContext, { by }) {
    const act = { by, reason };
    if (keep) {
      await putOnList(context, { list: 'event', subject, stance: 'allow', expiresAt: 0, ...act });
    }
    return { reports: await dismissReports(context, subject, act) };
  },
});

/** RPC method `mod.queue`: returns a page of reports, with the events and author statistics. */
export const queueMethod = rpcMethod({
  params: z.strictObject({
    offset: z.int().nonnegative().max(10_000_000).default(0),
    limit: z.int().positive().max(PAGE_MAX).default(20),
  }),
  async run({ offset, limit }, context: ModerationReads, caller): Promise<QueuePage> {
    const hidden = hiddenFrom(caller, context);
    const page = reportedPage(context, limit, offset);
    const found = page.flatMap((one) => {
      const json = one.isEvent ? jsonFor(context, one) : '';
      return json === null ? [] : { one, json };
    });
    const keys = found.map(({ one, json }) =>
      one.isEvent ? (JSON.parse(json) as { pubkey: string }).pubkey : one.target,
    );
    const people = await authors(context, keys);
    const items = found.map(
      ({ one, json }, at): Queued => ({
        ...one,
        event: one.isEvent ? shownEvent(json, hidden) : null,
        author: people[at]!,
      }),
    );
    return { items, next: page.length === limit ? offset + limit : null };
  },
});

/** RPC method `mod.about`: returns the statistics of a public key. */
export const aboutMethod = rpcMethod({
  params: z.strictObject({ pubkey: z.string() }),
  async run({ pubkey }, context: ModerationReads): Promise<Author> {
    const [author] = await authors(context, [normalSubject('pubkey', pubkey)]);
    return author!;
  },
});

/** Returns the JSON of a reported event; null if the event is gone. */
function jsonFor(context: ModerationReads, { target }: Reported): string | null {
  const seq = findEvent(context, target);
  if (seq === null) return null;
  const body = context.db.prepare(sql.SELECT_BODY).pluck().get(seq) as StoredBody | undefined;
  return body === undefined ? null : jsonOf(body);
}
