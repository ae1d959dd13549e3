// Bans and allowances: changes of the moderation lists, with the audit log. The writer stores them.

import type { Change } from '../messages/admin-writer.ts';
import type { ListEntry, ListName, Stance } from '../store/database/listed.ts';
import { AdminError, type Room } from './context.ts';
import { removeAuthor, removeEvent } from './removal.ts';
import { normalSubject } from './subjects.ts';

/** Actor and reason of an action, for the lists and the audit log. */
export interface Act {
  by: string;
  reason: string;
}

/** Entry to put on a list. */
interface Listing extends Act {
  list: ListName;
  subject: string;
  stance: Stance;
  /** Time of expiry, in seconds since 1970; 0: never. */
  expiresAt: number;
}

/**
 * Puts a subject on a list; in effect at once on all threads concerned. A ban replaces an allowance
 * of the same subject, and the reverse. Returns the normalized subject.
 *
 * @throws AdminError for an invalid subject, for a ban of an admin, for a full list.
 */
export async function putOnList(room: Room, listing: Listing): Promise<string> {
  const { list, stance, by, reason, expiresAt } = listing;
  const subject = normalSubject(list, listing.subject);
  const at = room.clock.seconds();
  if (expiresAt !== 0 && expiresAt <= at) {
    throw new AdminError('usage', 'The end must be in the future.');
  }
  if (stance === 'ban' && (list === 'pubkey' || list === 'author') && room.isAdmin(subject)) {
    throw new AdminError(
      'refused',
      'This key is an admin of the relay; remove it from admin.pubkeys first.',
    );
  }
  const max = room.config.moderation.list_entries_max;
  if (room.lists.size >= max && room.lists.entry(list, subject) === undefined) {
    throw new AdminError('refused', `The lists are full: they have ${max} entries.`);
  }
  const until = list === 'author' ? at : 0;
  const entry: ListEntry = { list, subject, stance, expiresAt, until };
  const dealtWith = stance === 'ban' && list !== 'kind' && list !== 'ip';
  await room.change([
    { t: 'list', entry, by, at, reason },
    ...(dealtWith ? [{ t: 'closeReports', target: subject } as const] : []),
    { t: 'audit', at, by, action: actionOf(stance, list), subject, reason },
  ]);
  room.publish({ t: 'put', entries: [entry] });
  return subject;
}

/**
 * Takes a subject off a list, if it is listed with this stance; returns false if it was not.
 *
 * @throws AdminError for an invalid subject.
 */
export async function takeOffList(
  room: Room,
  { list, subject: text, stance, by, reason }: Omit<Listing, 'expiresAt'>,
): Promise<boolean> {
  const subject = normalSubject(list, text);
  if (room.lists.entry(list, subject)?.stance !== stance) return false;
  const at = room.clock.seconds();
  await room.change([
    { t: 'unlist', list, subject, stance },
    {
      t: 'audit',
      at,
      by,
      action: list === 'author' ? 'restore author' : `un${stance} ${list}`,
      subject,
      reason,
    },
  ]);
  room.publish({ t: 'drop', list, subject });
  return true;
}

function actionOf(stance: Stance, list: ListName): string {
  return list === 'author' ? 'remove author' : `${stance} ${list}`;
}

/** Bans an event and removes it; it is refused until it is unbanned. */
export async function banEvent(
  room: Room,
  listing: Omit<Listing, 'list' | 'stance'>,
): Promise<void> {
  const id = await putOnList(room, { ...listing, list: 'event', stance: 'ban' });
  await removeEvent(room, id, listing);
}

/** Removes all events of an author so far, and bans their return. Returns the number removed. */
export async function removeAllOf(room: Room, text: string, { by, reason }: Act): Promise<number> {
  const subject = normalSubject('author', text);
  await putOnList(room, { list: 'author', subject, stance: 'ban', expiresAt: 0, by, reason });
  return removeAuthor(room, subject, { by, reason });
}

/** Takes expired entries off the lists, at most `max` at a time. Returns the number taken off. */
export async function expireLists(room: Room, max: number): Promise<number> {
  const at = room.clock.seconds();
  const expired = room.lists
    .entries()
    .filter(({ expiresAt }) => expiresAt !== 0 && expiresAt <= at);
  const now = expired.slice(0, max);
  if (now.length === 0) return 0;
  await room.change(
    now.flatMap(({ list, subject, stance }): Change[] => [
      { t: 'unlist', list, subject, stance },
      { t: 'audit', at, by: 'relay', action: `un${stance} ${list}`, subject, reason: 'expired' },
    ]),
  );
  for (const { list, subject } of now) room.publish({ t: 'drop', list, subject });
  return now.length;
}
