// RPC method of the quarantine page.

import { z } from 'zod';
import * as sql from '../../store/database/sql.ts';
import type { HeldPage } from '../../web/api/moderation.ts';
import { verb } from '../context.ts';
import { hiddenFrom, shownEvent } from '../private-events.ts';
import type { Quarantined } from './quarantine.ts';

const PAGE_MAX = 100;

/** RPC method `mod.held`: returns a page of quarantined events, the oldest first. */
export const heldVerb = verb({
  name: 'mod.held',
  params: z.strictObject({
    after: z
      .string()
      .regex(/^(\d{1,12}:[0-9a-f]{64})?$/, '`next` of the previous page')
      .default(''),
    limit: z.int().positive().max(PAGE_MAX).default(20),
  }),
  run({ after, limit }, room, caller): HeldPage {
    const hidden = hiddenFrom(caller, room);
    const [at = '0', id = ''] = after.split(':');
    const rows = room.db
      .prepare(sql.SELECT_QUARANTINED_AFTER)
      .all(Number(at), Number(at), id, limit) as Quarantined[];
    const last = rows.at(-1);
    return {
      items: rows.map(({ id, pubkey, at, why, json }) => {
        return { id, pubkey, at, why, event: shownEvent(json, hidden) };
      }),
      next: rows.length === limit && last ? `${last.at}:${last.id}` : null,
    };
  },
});
