// RPC method of `wok why`: the fate of an event.

import { z } from 'zod';
import { rpcMethod } from '../../rpc/method.ts';
import type { ListedRow, ListName } from '../../store/database/listed.ts';
import * as sql from '../../store/database/sql.ts';
import type { Why } from '../../web/api/events.ts';
import type { ModerationReads } from '../context.ts';
import { normalSubject } from '../list-subjects.ts';
import type { RejectionLog } from '../rejections.ts';
import { findEvent } from '../removal.ts';

/** Context of `why`. */
export interface WhyContext extends ModerationReads {
  /** Rejection log. */
  readonly rejections: RejectionLog;
}

/** RPC method `why`: returns the fate of an event, with the deciding rules and times. */
export const whyMethod = rpcMethod({
  params: z.strictObject({ id: z.string() }),
  run({ id: text }, context: WhyContext): Why {
    const id = normalSubject('event', text);
    const seq = findEvent(context, id);
    const found = seq === null ? null : context.db.prepare(sql.SELECT_STORED).get(seq);
    const stored = (found ?? null) as Why['stored'];
    const rejections = context.rejections.about(id);
    const pubkey = stored?.pubkey ?? rejections.find((one) => one.pubkey !== '')?.pubkey;
    const row = context.db.prepare(sql.SELECT_LIST_ROW);
    const deletedBy = context.db.prepare(sql.SELECT_DELETED_BY).pluck();
    const asked: [ListName, string][] = [['event', id]];
    if (pubkey !== undefined) asked.push(['pubkey', pubkey], ['author', pubkey]);
    if (stored) asked.push(['kind', String(stored.kind)]);
    return {
      id,
      stored,
      rejections,
      listed: asked.flatMap(([list, subject]) => row.all(list, subject) as ListedRow[]),
      deletedBy: deletedBy.all(Buffer.from(id, 'hex')) as string[],
      omitted: context.rejections.omitted,
    };
  },
});
