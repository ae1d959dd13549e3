// RPC methods of the moderation lists and the audit log, with the limits of moderators.

import { z } from 'zod';
import type { Config } from '../../config/options.ts';
import { eventIdIn, pubkeyIn } from '../../protocol/nip19.ts';
import { type Restriction, rpcMethod } from '../../rpc/method.ts';
import type { ListedRow } from '../../store/database/listed.ts';
import { listNames } from '../../store/database/listed.ts';
import * as sql from '../../store/database/sql.ts';
import type { AuditRow, ListPage } from '../../web/api/moderation.ts';
import type { ModerationContext, ModerationReads } from '../context.ts';
import { banEvent, putOnList, removeAllOf, takeOffList } from '../lists.ts';

const REASON_LENGTH_MAX = 1000;
const ROWS_MAX = 10_000;
const PAGE_MAX = 500;
/** Number of rows searched before the event loop runs other work. */
const SLICE_ROWS = 1_000;
/** Time after which a search returns the rows found so far. */
const SEARCH_MILLISECONDS = 500;

const list = z.enum(listNames.filter((name) => name !== 'author') as ['pubkey']);
const stance = z.enum(['ban', 'allow']);
const reason = z.string().max(REASON_LENGTH_MAX).default('');

const ofModerators: Restriction = ({ list }) =>
  ['pubkey', 'author', 'event'].includes(String(list))
    ? null
    : 'Moderators see and change the lists pubkey, author and event; the others are for admins only.';

/** RPC method `mod.put`: bans or allows a subject, until a time or for good. */
export const putMethod = rpcMethod({
  params: z.strictObject({
    list,
    subject: z.string(),
    stance,
    reason,
    expiresAt: z.int().nonnegative().default(0),
    /** True to also remove all events of a public key that is banned. */
    remove: z.boolean().default(false),
  }),
  restriction: (params, config) =>
    ofModerators(params, config) ?? (params.remove === true ? removingAll(config) : null),
  async run({ remove, ...listing }, context: ModerationContext, { by }) {
    if (listing.list === ('event' as string) && listing.stance === 'ban') {
      await banEvent(context, { ...listing, by });
      return { removed: null };
    }
    const subject = await putOnList(context, { ...listing, by });
    if (!remove || listing.stance !== 'ban' || listing.list !== 'pubkey') return { removed: 0 };
    return { removed: await removeAllOf(context, subject, { by, reason: listing.reason }) };
  },
});

/** RPC method `mod.take`: takes a subject off a list. */
export const takeMethod = rpcMethod({
  params: z.strictObject({ list: z.enum(listNames), subject: z.string(), stance, reason }),
  restriction: ofModerators,
  async run(listing, context: ModerationContext, { by }) {
    return { taken: await takeOffList(context, { ...listing, by }) };
  },
});

/** RPC method `mod.list`: returns a page of a list ordered by subject, past `after`. */
export const listMethod = rpcMethod({
  params: z.strictObject({
    list: z.enum(listNames),
    stance,
    after: z.string().default(''),
    limit: z.int().positive().max(ROWS_MAX).default(1000),
  }),
  run({ list, stance, after, limit }, { db }: ModerationReads): ListedRow[] {
    return db.prepare(sql.SELECT_LIST).all(list, stance, after, limit) as ListedRow[];
  },
});

/** RPC method `mod.listed`: returns a page of a list, or of its matches, ordered by subject. */
export const listedMethod = rpcMethod({
  params: z.strictObject({
    list: z.enum(listNames),
    stance,
    find: z.string().max(1_000).default(''),
    after: z.string().max(1_000).default(''),
    limit: z.int().positive().max(PAGE_MAX).default(100),
  }),
  restriction: ofModerators,
  async run({ list, stance, find, after, limit }, { db }: ModerationReads): Promise<ListPage> {
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

/** RPC method `mod.remove`: bans and removes an event, or all that an author has written so far. */
export const removeMethod = rpcMethod({
  params: z.strictObject({ what: z.enum(['event', 'author']), subject: z.string(), reason }),
  restriction: ({ what }, config) => (what === 'author' ? removingAll(config) : null),
  async run({ what, subject, reason }, context: ModerationContext, { by }) {
    if (what === 'author') return { removed: await removeAllOf(context, subject, { by, reason }) };
    await banEvent(context, { subject, reason, by, expiresAt: 0 });
    return { removed: null };
  },
});

/** RPC method `mod.audit`: returns the newest rows before `before`; those about IPs for admins. */
export const auditMethod = rpcMethod({
  params: z.strictObject({
    before: z.int().positive().default(Number.MAX_SAFE_INTEGER),
    limit: z.int().positive().max(ROWS_MAX).default(100),
    subject: z.string().default(''),
    by: z.string().default(''),
  }),
  run({ before, limit, subject, by }, { db }: ModerationReads, { role }): AuditRow[] {
    const seesAddresses = role === 'admin' ? 1 : 0;
    const select = db.prepare(sql.SELECT_AUDIT);
    return select.all(before, subject, subject, by, by, seesAddresses, limit) as AuditRow[];
  },
});

/** Objection to removing all events of an author, by the same rule as `banpubkey` of NIP-86. */
function removingAll({ moderation }: Config): string | null {
  return moderation.ban_removes
    ? null
    : 'Removing all of an author is for admins only on this relay (moderation.ban_removes).';
}

function matcher(find: string): (row: ListedRow) => boolean {
  const text = find.trim();
  const wanted = (pubkeyIn(text) ?? eventIdIn(text) ?? text).toLowerCase();
  return ({ subject, reason }) =>
    subject.toLowerCase().includes(wanted) || reason.toLowerCase().includes(wanted);
}
