import type { Lists, ListUpdate } from '../policy/lists.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Connection } from './connections.ts';

/** To who is closed, and to who wants to authenticate with a banned key. */
export const KEY_BANNED: Refusal = 'blocked: this key is banned from this relay';
/** To who has other keys on the same connection. */
export const ONE_KEY_BANNED: Refusal =
  'blocked: a key of this connection is banned from this relay and does not count any more';

/** A connection that has lost keys, and those that it still has. */
export interface Banished {
  readonly connection: Connection;
  readonly left: readonly string[];
}

/** The connections that have authenticated with keys which this update of the lists bans. */
export function* banishedBy(
  update: ListUpdate,
  connections: Iterable<Connection>,
  lists: Lists,
  now: number,
): Generator<Banished> {
  if (update.t !== 'put') return;
  const banned = update.entries.filter(({ list, stance }) => list === 'pubkey' && stance === 'ban');
  if (banned.length === 0) return;
  for (const connection of connections) {
    const { authed } = connection;
    if (!banned.some(({ subject }) => authed.has(subject))) continue;
    const left = [...authed].filter((pubkey) => lists.stance('pubkey', pubkey, now) !== 'ban');
    if (left.length < authed.size) yield { connection, left };
  }
}
