// Per-author statistics for moderators: stored events, lists, roles, reports.

import type { ListedRow } from '../store/database/listed.ts';
import * as sql from '../store/database/sql.ts';
import type { Author } from '../web/api/people.ts';
import type { ModerationReads } from './context.ts';

/** Maximum number of events counted per author. */
const COUNTED_MAX = 1_000;

interface Row {
  created_at: number;
  received_at: number | null;
}

/**
 * Returns the statistics of each key, in the order of `pubkeys`. Events that the index does not
 * hold yet are read once for all keys; the event loop runs other work between two keys.
 */
export async function authors(
  context: ModerationReads,
  pubkeys: readonly string[],
): Promise<Author[]> {
  const { db } = context;
  const wanted = [...new Set(pubkeys)];
  const tail = db.prepare(sql.SELECT_AUTHORS_IN_TAIL).all(JSON.stringify(wanted)) as (Row & {
    pubkey: string;
  })[];
  const byKey = new Map<string, Author>();
  for (const pubkey of wanted) {
    const own = tail.filter((row) => row.pubkey === pubkey);
    byKey.set(pubkey, about(context, pubkey, own));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return pubkeys.map((pubkey) => byKey.get(pubkey)!);
}

function about(context: ModerationReads, pubkey: string, tail: readonly Row[]): Author {
  const { db, hasher } = context;
  const indexed = db
    .prepare(sql.SELECT_AUTHOR_OLDEST)
    .all(hasher.author(pubkey), pubkey, COUNTED_MAX + 1) as Row[];
  const rows = [...indexed, ...tail];
  const newest = db
    .prepare(sql.SELECT_AUTHOR_IN_INDEX)
    .get(hasher.author(pubkey), Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, pubkey, 1) as
    | Row
    | undefined;
  const times = rows.map(({ created_at }) => created_at);
  const seen = rows.flatMap(({ received_at }) => received_at ?? []);
  const count = (statement: string) => db.prepare(statement).pluck().get(pubkey) as number;
  const row = db.prepare(sql.SELECT_LIST_ROW);
  return {
    pubkey,
    events: Math.min(rows.length, COUNTED_MAX),
    more: rows.length > COUNTED_MAX,
    oldestAt: times.length === 0 ? null : Math.min(...times),
    newestAt: times.length === 0 ? null : Math.max(...times, newest?.created_at ?? 0),
    firstSeenAt: seen.length === 0 ? null : Math.min(...seen),
    listed: (['pubkey', 'author'] as const).flatMap((list) => row.all(list, pubkey) as ListedRow[]),
    roles: rolesOf(context, pubkey),
    reports: count(sql.COUNT_REPORTS_OF),
    held: count(sql.COUNT_QUARANTINED_OF),
  };
}

function rolesOf(context: ModerationReads, pubkey: string): string[] {
  const own = context.db.prepare(sql.SELECT_ROLES_OF_KEY).pluck().all(pubkey) as string[];
  if (context.isAdmin(pubkey)) own.unshift('admin');
  if (context.isModerator(pubkey)) own.unshift('moderator');
  return own;
}
