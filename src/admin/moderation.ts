import type { Change } from '../messages.ts';
import type { ListEntry, ListName, Stance } from '../policy/lists.ts';
import { removeAuthor, removeEvent } from './removal.ts';
import { AdminError, type Room } from './room.ts';
import { normalSubject } from './subjects.ts';

/** On whose behalf something is done, and why, for the lists and the audit log. */
export interface Act {
  by: string;
  reason: string;
}

/** How somebody or something gets onto a list. */
export interface Listing extends Act {
  list: ListName;
  subject: string;
  stance: Stance;
  /** Seconds since 1970; 0: never. */
  expiresAt: number;
}

/**
 * Puts a subject on a list; at once in every station. Banning takes an allowance back and the other way
 * round. Returns the subject in its one form.
 *
 * @throws AdminError for what is no such subject, for an admin who would be banned, for a full list.
 */
export async function putOnList(room: Room, listing: Listing): Promise<string> {
  const { list, stance, by, reason, expiresAt } = listing;
  const subject = normalSubject(list, listing.subject);
  const at = room.clock.seconds();
  if (expiresAt !== 0 && expiresAt <= at) {
    throw new AdminError('usage', 'The end has to lie in the future.');
  }
  if (stance === 'ban' && (list === 'pubkey' || list === 'author') && room.isAdmin(subject)) {
    throw new AdminError(
      'refused',
      'This is an admin of the relay; take the key out of admin.pubkeys first.',
    );
  }
  const max = room.config.moderation.list_entries_max;
  if (room.lists.size >= max && room.lists.entry(list, subject) === undefined) {
    throw new AdminError('refused', `The lists have ${max} entries (moderation.list_entries_max).`);
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
 * Takes a subject off a list again, if it is on it with this stance; false when it was not.
 *
 * @throws AdminError for what is no such subject.
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

/** Bans an event and removes it; it cannot come back until it is unbanned. */
export async function banEvent(
  room: Room,
  listing: Omit<Listing, 'list' | 'stance'>,
): Promise<void> {
  const id = await putOnList(room, { ...listing, list: 'event', stance: 'ban' });
  await removeEvent(room, id, listing);
}

/**
 * Removes everything that an author has written so far, and sees to it that it does not come back.
 * Returns how many events went.
 */
export async function removeAllOf(room: Room, text: string, { by, reason }: Act): Promise<number> {
  const subject = normalSubject('author', text);
  await putOnList(room, { list: 'author', subject, stance: 'ban', expiresAt: 0, by, reason });
  return removeAuthor(room, subject, { by, reason });
}

/** Takes expired entries off the lists; at most `max` at a time. Returns how many went. */
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
