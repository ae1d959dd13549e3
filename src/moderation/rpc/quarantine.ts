// RPC methods of the spam quarantine.

import { z } from 'zod';
import { rpcMethod } from '../../rpc/method.ts';
import * as sql from '../../store/database/sql.ts';
import type { Held, HeldPage } from '../../web/api/moderation.ts';
import type { ModerationContext, ModerationReads } from '../context.ts';
import { hiddenFrom, shownEvent } from '../private-events.ts';

const ROWS_MAX = 10_000;
const PAGE_MAX = 100;

/** Quarantined event as stored, with its JSON. */
export type Quarantined = Omit<Held, 'event'> & { json: string };

/** RPC method `mod.quarantine`: returns the quarantined events, the oldest first. */
export const quarantineMethod = rpcMethod({
  params: z.strictObject({ limit: z.int().positive().max(ROWS_MAX).default(100) }),
  run: ({ limit }, { db }: ModerationReads): Quarantined[] =>
    db.prepare(sql.SELECT_QUARANTINED).all(limit) as Quarantined[],
});

/** RPC method `mod.held`: returns a page of quarantined events, the oldest first. */
export const heldMethod = rpcMethod({
  params: z.strictObject({
    after: z
      .string()
      .regex(/^(\d{1,12}:[0-9a-f]{64})?$/, '`next` of the previous page')
      .default(''),
    limit: z.int().positive().max(PAGE_MAX).default(20),
  }),
  run({ after, limit }, context: ModerationReads, caller): HeldPage {
    const hidden = hiddenFrom(caller, context);
    const [at = '0', id = ''] = after.split(':');
    const rows = context.db
      .prepare(sql.SELECT_QUARANTINED_AFTER)
      .all(Number(at), Number(at), id, limit) as Quarantined[];
    const last = rows.at(-1);
    return {
      items: rows.map(({ json, ...row }) => ({ ...row, event: shownEvent(json, hidden) })),
      next: rows.length === limit && last ? `${last.at}:${last.id}` : null,
    };
  },
});

/** RPC method `mod.release`: stores a quarantined event, or all of an author. */
export const releaseMethod = settling('release');

/** RPC method `mod.discard`: drops a quarantined event, or all of an author. */
export const discardMethod = settling('discard');

function settling(what: 'release' | 'discard') {
  return rpcMethod({
    params: z.strictObject({
      subject: z.string().regex(/^[0-9a-f]{64}$/, 'an event id or a public key, 64 hex characters'),
      reason: z.string().max(1000).default(''),
    }),
    async run({ subject, reason }, context: ModerationContext, { by }) {
      const select = context.db.prepare(sql.SELECT_QUARANTINED_OF).pluck();
      const ids = select.all(subject, subject) as string[];
      if (ids.length === 0) return { events: 0 };
      const at = context.clock.seconds();
      const action = `${what} quarantined`;
      const [events] = await context.change([
        { t: what, ids },
        { t: 'audit', at, by, action, subject, reason },
      ]);
      return { events };
    },
  });
}
