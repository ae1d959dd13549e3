// RPC methods that explain refused reads and the fate of an event.

import { z } from 'zod';
import { type RefusedRead, refusedReads } from '../../metrics/refused-reads.ts';
import type { ListedRow, ListName } from '../../store/database/listed.ts';
import * as sql from '../../store/database/sql.ts';
import type { Why } from '../../web/api/events.ts';
import { verb } from '../context.ts';
import { findEvent } from '../removal.ts';
import { normalSubject } from '../subjects.ts';

/** RPC method `why.reads`: returns the newest REQs and COUNTs that were refused or cut short. */
export const whyReadsVerb = verb({
  name: 'why.reads',
  params: z.strictObject({
    connection: z.int().min(1).optional(),
    limit: z.int().min(1).max(1_000).default(50),
  }),
  run({ connection, limit }, { metrics }): RefusedRead[] {
    const all = refusedReads(metrics);
    const wanted = all.filter((one) => connection === undefined || one.connection === connection);
    return wanted.slice(0, limit);
  },
});

/** RPC method `why`: returns the fate of an event, with the deciding rules and times. */
export const whyVerb = verb({
  name: 'why',
  params: z.strictObject({ id: z.string() }),
  run({ id: text }, room): Why {
    const id = normalSubject('event', text);
    const seq = findEvent(room, id);
    const stored = (
      seq === null ? null : (room.db.prepare(sql.SELECT_STORED).get(seq) ?? null)
    ) as Why['stored'];
    const decisions = room.decisions.about(id);
    const pubkey = stored?.pubkey ?? decisions.find((one) => one.pubkey !== '')?.pubkey;
    const row = room.db.prepare(sql.SELECT_LIST_ROW);
    const asked: [ListName, string][] = [['event', id]];
    if (pubkey !== undefined) asked.push(['pubkey', pubkey], ['author', pubkey]);
    if (stored) asked.push(['kind', String(stored.kind)]);
    return {
      id,
      stored,
      decisions,
      listed: asked.flatMap(([list, subject]) => row.all(list, subject) as ListedRow[]),
      deletedBy: room.db
        .prepare(sql.SELECT_DELETED_BY)
        .pluck()
        .all(Buffer.from(id, 'hex')) as string[],
      leftOut: room.decisions.leftOut,
    };
  },
});
