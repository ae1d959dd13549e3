// Enforcement of new key bans on open connections.

import type { AccessLists, ListUpdate } from '../access/lists.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { Connection } from './connections.ts';

/** Rejection for a connection with banned keys only, and for an AUTH with a banned key. */
export const KEY_BANNED: Refusal = 'blocked: this key is banned from this relay';
/** Notice to a connection that has other keys left. */
export const ONE_KEY_BANNED: Refusal =
  'blocked: an authenticated key of this connection was banned; the connection lost its authentication as this key';

/** Connection that lost banned keys, with the keys that remain. */
interface BanEnforcement {
  readonly connection: Connection;
  readonly left: readonly string[];
}

/** Yields the connections that have authenticated with keys that this list update bans. */
export function* bannedBy(
  update: ListUpdate,
  connections: Iterable<Connection>,
  lists: AccessLists,
  now: number,
): Generator<BanEnforcement> {
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
