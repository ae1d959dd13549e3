// RPC methods that change and read the moderation lists and the audit log.

import { z } from 'zod';
import type { ListedRow } from '../../store/database/listed.ts';
import { listNames } from '../../store/database/listed.ts';
import * as sql from '../../store/database/sql.ts';
import type { AuditRow } from '../../web/api/moderation.ts';
import { verb } from '../context.ts';
import { banEvent, putOnList, removeAllOf, takeOffList } from '../moderation.ts';

const REASON_LENGTH_MAX = 1000;
const PAGE_MAX = 10_000;

const list = z.enum(listNames.filter((name) => name !== 'author') as ['pubkey']);
const stance = z.enum(['ban', 'allow']);
const reason = z.string().max(REASON_LENGTH_MAX).default('');

/** RPC method `mod.put`: bans or allows a subject, until a time or for good. */
export const putVerb = verb({
  name: 'mod.put',
  params: z.strictObject({
    list,
    subject: z.string(),
    stance,
    reason,
    expiresAt: z.int().nonnegative().default(0),
    /** True to also remove all events of a public key that is banned. */
    remove: z.boolean().default(false),
  }),
  async run({ remove, ...listing }, room, { by }) {
    if (listing.list === ('event' as string) && listing.stance === 'ban') {
      await banEvent(room, { ...listing, by });
      return { removed: null };
    }
    const subject = await putOnList(room, { ...listing, by });
    if (!remove || listing.stance !== 'ban' || listing.list !== 'pubkey') return { removed: 0 };
    return { removed: await removeAllOf(room, subject, { by, reason: listing.reason }) };
  },
});

/** RPC method `mod.take`: takes a subject off a list. */
export const takeVerb = verb({
  name: 'mod.take',
  params: z.strictObject({ list: z.enum(listNames), subject: z.string(), stance, reason }),
  async run(listing, room, { by }) {
    return { taken: await takeOffList(room, { ...listing, by }) };
  },
});

/** RPC method `mod.list`: returns a page of a list ordered by subject, past `after`. */
export const listVerb = verb({
  name: 'mod.list',
  params: z.strictObject({
    list: z.enum(listNames),
    stance,
    after: z.string().default(''),
    limit: z.int().positive().max(PAGE_MAX).default(1000),
  }),
  run({ list, stance, after, limit }, { db }): ListedRow[] {
    return db.prepare(sql.SELECT_LIST).all(list, stance, after, limit) as ListedRow[];
  },
});

/** RPC method `mod.remove`: bans and removes an event, or all that an author has written so far. */
export const removeVerb = verb({
  name: 'mod.remove',
  params: z.strictObject({ what: z.enum(['event', 'author']), subject: z.string(), reason }),
  async run({ what, subject, reason }, room, { by }) {
    if (what === 'author') return { removed: await removeAllOf(room, subject, { by, reason }) };
    await banEvent(room, { subject, reason, by, expiresAt: 0 });
    return { removed: null };
  },
});

/** RPC method `mod.audit`: returns the newest rows before `before`; those about IPs for admins. */
export const auditVerb = verb({
  name: 'mod.audit',
  params: z.strictObject({
    before: z.int().positive().default(Number.MAX_SAFE_INTEGER),
    limit: z.int().positive().max(PAGE_MAX).default(100),
    subject: z.string().default(''),
    by: z.string().default(''),
  }),
  run({ before, limit, subject, by }, { db }, { role }): AuditRow[] {
    const seesAddresses = role === 'admin' ? 1 : 0;
    const select = db.prepare(sql.SELECT_AUDIT);
    return select.all(before, subject, subject, by, by, seesAddresses, limit) as AuditRow[];
  },
});
