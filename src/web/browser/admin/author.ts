// Summary of an author for the views: stored events, roles and list entries.

import type { ListRow } from '../../api/events.ts';
import type { Author } from '../../api/people.ts';
import { amount, moment } from './format.ts';
import { type Child, make } from './make.ts';
import { badge, person, when } from './parts.ts';

/** Line with an author's key, number of events, first event, roles and list entries. */
export function authorLine(author: Author, label: string): HTMLElement {
  return make(
    'div',
    { class: 'row' },
    make('span', { class: 'muted small' }, label),
    person(author.pubkey),
    make('span', { class: 'muted small' }, eventsText(author)),
    author.firstSeenAt !== null &&
      make('span', { class: 'muted small' }, 'first seen ', when(author.firstSeenAt)),
    ...author.roles.map((role) => badge(role, 'good')),
    ...author.listed.map(listedBadge),
    author.held > 0 && badge(`${amount(author.held, 'event')} quarantined`, 'warning'),
  );
}

/** Number of the author's stored events, as text. */
export function eventsText({ events, more }: Author): string {
  return `${more ? 'more than ' : ''}${amount(events, 'event')} stored`;
}

/** Badge of a list entry, banned or allowed, with the reason in its title. */
export function listedBadge({ list, stance, reason, expires_at: until }: ListRow): HTMLElement {
  const text = list === 'author' ? 'old events removed' : stance === 'ban' ? 'banned' : 'allowed';
  const end = until === null ? '' : ` until ${moment(until)}`;
  const shown = badge(`${text}${end}`, stance === 'ban' ? 'bad' : 'good');
  if (reason !== '') shown.title = reason;
  return shown;
}

/** Originator of an action: a link for a public key, plain text for the shell or the relay. */
export function doer(by: string): Child {
  return /^[0-9a-f]{64}$/.test(by) ? person(by) : by;
}
