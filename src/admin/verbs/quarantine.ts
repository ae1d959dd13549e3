import { z } from 'zod';
import * as sql from '../../storage/sql.ts';
import { type Room, verb } from '../room.ts';

const PAGE_MAX = 10_000;
const subject = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'an event id or a public key, 64 hex characters');
const reason = z.string().max(1000).default('');

/** An event that the spam stage holds back. */
export interface Quarantined {
  id: string;
  pubkey: string;
  /** When it came, in seconds since 1970. */
  at: number;
  /** The points and what they are for. */
  why: string;
  /** The event. */
  json: string;
}

/** `mod.quarantine`: what waits for a release, the oldest first. */
export const quarantineVerb = verb({
  name: 'mod.quarantine',
  params: z.strictObject({ limit: z.int().positive().max(PAGE_MAX).default(100) }),
  run: ({ limit }, { db }): Quarantined[] =>
    db.prepare(sql.SELECT_QUARANTINED).all(limit) as Quarantined[],
});

/** `mod.release`: store an event that is held back, or all of an author. */
export const releaseVerb = verb({
  name: 'mod.release',
  params: z.strictObject({ subject, reason }),
  run: (params, room, { by }) => carryOut('release', params, room, by),
});

/** `mod.discard`: drop an event that is held back, or all of an author. */
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
