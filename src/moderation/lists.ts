// Bans and allowances: changes of the moderation lists, with the audit log. The writer stores them.

import type { Change } from '../messages/admin-writer.ts';
import { RpcError } from '../rpc/method.ts';
import type { ListEntry, ListName, Stance } from '../store/database/listed.ts';
import type { Act, ModerationContext } from './context.ts';
import { normalSubject } from './list-subjects.ts';
import { removeAuthor, removeEvent } from './removal.ts';

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
 * @throws RpcError for an invalid subject, for a ban of an admin, for a full list.
 */
export async function putOnList(context: ModerationContext, listing: Listing): Promise<string> {
  const { list, stance, by, reason, expiresAt } = listing;
  const subject = normalSubject(list, listing.subject);
  const at = context.clock.seconds();
  if (expiresAt !== 0 && expiresAt <= at) {
    throw new RpcError('usage', 'The end must be in the future.');
  }
  if (stance === 'ban' && (list === 'pubkey' || list === 'author') && context.isAdmin(subject)) {
    throw new RpcError(
      'refused',
      'This key is an admin of the relay; remove it from admin.pubkeys first.',
    );
  }
  const max = context.config.moderation.list_entries_max;
  if (context.lists.size >= max && context.lists.entry(list, subject) === undefined) {
    throw new RpcError('refused', `The lists are full: they have ${max} entries.`);
  }
  const until = list === 'author' ? at : 0;
  const entry: ListEntry = { list, subject, stance, expiresAt, until };
  const action = list === 'author' ? 'remove author' : `${stance} ${list}`;
  const dealtWith = stance === 'ban' && list !== 'kind' && list !== 'ip';
  await context.change([
    { t: 'list', entry, by, at, reason },
    ...(dealtWith ? [{ t: 'closeReports', target: subject } as const] : []),
    { t: 'audit', at, by, action, subject, reason },
  ]);
  context.publish({ t: 'put', entries: [entry] });
  return subject;
}

/**
 * Takes a subject off a list, if it is listed with this stance; returns false if it was not.
 *
 * @throws RpcError for an invalid subject.
 */
export async function takeOffList(
  context: ModerationContext,
  { list, subject: text, stance, by, reason }: Omit<Listing, 'expiresAt'>,
): Promise<boolean> {
  const subject = normalSubject(list, text);
  if (context.lists.entry(list, subject)?.stance !== stance) return false;
  const at = context.clock.seconds();
  const action = list === 'author' ? 'restore author' : `un${stance} ${list}`;
  await context.change([
    { t: 'unlist', list, subject, stance },
    { t: 'audit', at, by, action, subject, reason },
  ]);
  context.publish({ t: 'drop', list, subject });
  return true;
}

/** Bans an event and removes it; it is refused until it is unbanned. */
export async function banEvent(
  context: ModerationContext,
  listing: Omit<Listing, 'list' | 'stance'>,
): Promise<void> {
  const id = await putOnList(context, { ...listing, list: 'event', stance: 'ban' });
  await removeEvent(context, id, listing);
}

/** Removes all events of an author so far, and bans their return. Returns the number removed. */
export async function removeAllOf(
  context: ModerationContext,
  text: string,
  { by, reason }: Act,
): Promise<number> {
  const subject = normalSubject('author', text);
  await putOnList(context, { list: 'author', subject, stance: 'ban', expiresAt: 0, by, reason });
  return removeAuthor(context, subject, { by, reason });
}

/** Takes expired entries off the lists, at most `max` at a time. Returns the number taken off. */
export async function expireLists(context: ModerationContext, max: number): Promise<number> {
  const at = context.clock.seconds();
  const expired = context.lists
    .entries()
    .filter(({ expiresAt }) => expiresAt !== 0 && expiresAt <= at);
  const now = expired.slice(0, max);
  if (now.length === 0) return 0;
  await context.change(
    now.flatMap(({ list, subject, stance }): Change[] => [
      { t: 'unlist', list, subject, stance },
      { t: 'audit', at, by: 'relay', action: `un${stance} ${list}`, subject, reason: 'expired' },
    ]),
  );
  for (const { list, subject } of now) context.publish({ t: 'drop', list, subject });
  return now.length;
}
