// Relay description (NIP-11 name, description, icon) as changed at runtime; stored in the database.

import type { InfoChanges } from '../messages/admin-io.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import { AdminError, type Room } from './context.ts';

/** Options of the relay description that can be changed at runtime. */
const infoNames = ['info.name', 'info.description', 'info.icon'] as const;
export type InfoName = (typeof infoNames)[number];

const LENGTH_MAX = 10_000;

/**
 * Changes the relay's description, at once and for good; an empty text restores the configured
 * value.
 *
 * @throws AdminError for an icon that is no address, and for a text that is too long.
 */
export async function changeInfo(
  room: Room,
  name: InfoName,
  value: string,
  by: string,
): Promise<void> {
  if (value.length > LENGTH_MAX) {
    throw new AdminError('usage', `The text may have at most ${LENGTH_MAX} characters.`);
  }
  if (name === 'info.icon' && value !== '' && !/^https?:\/\/\S+$/i.test(value)) {
    throw new AdminError('usage', 'The icon must be a URL that starts with https:// or http://.');
  }
  const at = room.clock.seconds();
  await room.change([
    { t: 'setting', name, value: value === '' ? null : value },
    { t: 'audit', at, by, action: `change ${name}`, subject: value, reason: '' },
  ]);
  room.describe();
}

/** Returns the changes stored in the database. */
export function infoChanges(db: Db): InfoChanges {
  const rows = db.prepare(sql.SELECT_SETTINGS).all() as { name: string; value: string }[];
  const changes: Record<string, string> = {};
  for (const { name, value } of rows) {
    if ((infoNames as readonly string[]).includes(name))
      changes[name.slice('info.'.length)] = value;
  }
  return changes;
}
