import { z } from 'zod';
import type { Decision } from '../../policy/decisions.ts';
import type { ListName } from '../../policy/lists.ts';
import type { ListedRow } from '../../storage/lists.ts';
import * as sql from '../../storage/sql.ts';
import { findEvent } from '../removal.ts';
import { verb } from '../room.ts';
import { normalSubject } from '../subjects.ts';

/** What `why` tells about an event. */
export interface Why {
  id: string;
  /** Where and when it was accepted, if it is here. */
  stored: {
    seq: number;
    pubkey: string;
    kind: number;
    created_at: number;
    /** Seconds since 1970; null for what was stored before wok remembered that. */
    received_at: number | null;
    expires_at: number | null;
  } | null;
  /** What was decided about it, the newest last. */
  decisions: Decision[];
  /** The lists that it, its author or its kind is on. */
  listed: ListedRow[];
  /** The public keys that asked to delete it (NIP-09). */
  deletedBy: string[];
  /** Decisions about any event that were not kept since the room opened. */
  leftOut: number;
}

/** `why`: what became of an event, by which rule, when. */
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
