// RPC methods of the spam quarantine.

import { z } from 'zod';
import * as sql from '../../store/database/sql.ts';
import { type Room, verb } from '../context.ts';

const PAGE_MAX = 10_000;
const subject = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'an event id or a public key, 64 hex characters');
const reason = z.string().max(1000).default('');

/** Event quarantined by the spam stage. */
export interface Quarantined {
  id: string;
  pubkey: string;
  /** Time of receipt, in seconds since 1970. */
  at: number;
  /** Spam points and their reasons. */
  why: string;
  /** JSON of the event. */
  json: string;
}

/** RPC method `mod.quarantine`: returns the quarantined events, the oldest first. */
export const quarantineVerb = verb({
  name: 'mod.quarantine',
  params: z.strictObject({ limit: z.int().positive().max(PAGE_MAX).default(100) }),
  run: ({ limit }, { db }): Quarantined[] =>
    db.prepare(sql.SELECT_QUARANTINED).all(limit) as Quarantined[],
});

/** RPC method `mod.release`: stores a quarantined event, or all of an author. */
export const releaseVerb = verb({
  name: 'mod.release',
  params: z.strictObject({ subject, reason }),
  run: (params, room, { by }) => carryOut('release', params, room, by),
});

/** RPC method `mod.discard`: drops a quarantined event, or all of an author. */
export const discardVerb = verb({
  name: 'mod.discard',
  params: z.strictObject({ subject, reason }),
  run: (params, room, { by }) => carryOut('discard', params, room, by),
});

async function carryOut(
  what: 'release' | 'discard',
  { subject, reason }: { subject: string; reason: string },
  room: Room,
  by: string,
): Promise<{ events: number }> {
  const select = room.db.prepare(sql.SELECT_QUARANTINED_OF).pluck();
  const ids = select.all(subject, subject) as string[];
  if (ids.length === 0) return { events: 0 };
  const at = room.clock.seconds();
  const action = `${what} quarantined`;
  const [events] = await room.change([
    { t: what, ids },
    { t: 'audit', at, by, action, subject, reason },
  ]);
  return { events: events! };
}
