import type { ListRow } from '../../../admin/page-api/events.ts';
import type { Author } from '../../../admin/page-api/people.ts';
import { amount, moment } from './format.ts';
import { type Child, make } from './make.ts';
import { badge, person, when } from './parts.ts';

/** Somebody in one line: the key, how much is here, since when, on which lists. */
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
    author.held > 0 && badge(`${amount(author.held, 'event')} held back`, 'warning'),
  );
}

/** How many events of theirs are here. */
export function eventsText({ events, more }: Author): string {
  return `${more ? 'more than ' : ''}${amount(events, 'event')} here`;
}

/** That something is banned or allowed, with the reason in its title. */
export function listedBadge({ list, stance, reason, expires_at: until }: ListRow): HTMLElement {
  const text = list === 'author' ? 'old events removed' : stance === 'ban' ? 'banned' : 'allowed';
  const end = until === null ? '' : ` until ${moment(until)}`;
  const shown = badge(`${text}${end}`, stance === 'ban' ? 'bad' : 'good');
  if (reason !== '') shown.title = reason;
  return shown;
}

/** Who did something: a person, the shell, or the relay itself. */
export function doer(by: string): Child {
  return /^[0-9a-f]{64}$/.test(by) ? person(by) : by;
}
