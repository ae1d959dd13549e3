// Display of an event: card, content and JSON.

import type { PageEvent } from '../../api/events.ts';
import { isPrivate } from './actions.ts';
import { copyButton } from './copy.ts';
import { show } from './dialog.ts';
import { button, type Child, fill, make } from './make.ts';
import { badge, eventLink, person, when } from './parts.ts';

const SHORT_LENGTH = 600;

const KIND_NAMES: Readonly<Record<number, string>> = {
  0: 'profile',
  1: 'note',
  3: 'follow list',
  4: 'private message',
  5: 'deletion request',
  6: 'repost',
  7: 'reaction',
  16: 'repost',
  1059: 'gift wrap',
  1111: 'comment',
  1984: 'report',
  9735: 'zap',
  10002: 'relay list',
  30023: 'article',
};

/** Kind with its name: `kind 1 (note)`. */
export function kindText(kind: number): string {
  const name = KIND_NAMES[kind];
  return name === undefined ? `kind ${kind}` : `kind ${kind} (${name})`;
}

/** Card of an event: kind, author, date, id, plain content and `extra`; `actions` stand below. */
export function eventCard(event: PageEvent, extra: Child, actions: readonly Child[]): HTMLElement {
  return make(
    'article',
    {
      class: 'event stack',
      'aria-label': `Event ${event.id.slice(0, 8)}, ${kindText(event.kind)}`,
    },
    make(
      'div',
      { class: 'row' },
      badge(kindText(event.kind)),
      person(event.pubkey),
      make('span', { class: 'muted small' }, when(event.created_at)),
      make('span', { class: 'muted small' }, eventLink(event.id)),
    ),
    contentOf(event),
    extra,
    make(
      'div',
      { class: 'row' },
      ...actions,
      button('JSON', 'quiet small', () => showJson(event)),
    ),
  );
}

/** Content of an event as plain text; a long one is cut until the button below is pressed. */
export function contentOf(event: PageEvent): HTMLElement {
  const { content } = event;
  if (content === '') return make('p', { class: 'muted small' }, 'The content is empty.');
  if (isPrivate(event)) {
    return make('p', { class: 'muted small' }, 'The content is encrypted; the JSON shows it.');
  }
  const text = make('p', { class: 'content', dir: 'auto' });
  if (content.length <= SHORT_LENGTH) {
    text.textContent = content;
    return text;
  }
  text.textContent = `${content.slice(0, SHORT_LENGTH)}…`;
  const place = make('div', { class: 'stack' }, text);
  const more = button(`Show all ${content.length} characters`, 'quiet small', () => {
    fill(text, content);
    more.remove();
  });
  place.append(more);
  return place;
}

/** Whole event as JSON, with a copy button. */
export function jsonOf(event: PageEvent): HTMLElement {
  const text = JSON.stringify(event, null, 2);
  return make(
    'div',
    { class: 'stack' },
    make('div', { class: 'row' }, copyButton(JSON.stringify(event), 'the event as JSON', 'Copy')),
    make(
      'pre',
      { tabindex: 0, role: 'region', 'aria-label': 'The event as JSON' },
      make('code', null, text),
    ),
  );
}

function showJson(event: PageEvent): void {
  show('The event as JSON', jsonOf(event));
}
