// View of the queue of reports (NIP-56), with keys for its actions.

import type { Queued, ReportRow } from '../../../api/moderation.ts';
import { banAuthor, banEvent, dismiss } from '../actions.ts';
import { authorLine } from '../author.ts';
import type { Context, View } from '../context.ts';
import { contentOf, jsonOf, kindText } from '../event-card.ts';
import { amount } from '../format.ts';
import { load } from '../load.ts';
import { button, make } from '../make.ts';
import { pager, queueOf } from '../pager.ts';
import { badge, eventLink, person, when } from '../parts.ts';

const PAGE = 20;

/** Queue of reported events and persons that wait for a decision. */
export const reports: View = {
  name: 'reports',
  title: 'Reports',
  group: 'Moderate',
  method: 'mod.queue',
  open: (context) => {
    const list = make('ol', { class: 'queue' });
    const queue = pager<number>({
      what: 'reports',
      empty: 'The report queue is empty.',
      container: list,
      left: context.left,
      ask: async (offset) => {
        // Items that were decided meanwhile have moved the others up.
        const from = offset === null ? 0 : Math.min(offset, list.children.length);
        const { items, next } = await context.call(
          'mod.queue',
          { offset: from, limit: PAGE },
          context.left,
        );
        return { items: items.map((item) => entry(context, item, list)), next };
      },
    });
    list.addEventListener('keydown', (event) => press(event, list));
    return queueOf(
      queue,
      'Reports by trusted reporters come first, then subjects with many reports. ',
      make(
        'span',
        { class: 'keys' },
        'Keyboard shortcuts while a report has the focus: ',
        ...hints(),
      ),
    );
  },
};

const KEYS: readonly (readonly [key: string, what: string])[] = [
  ['j', 'next'],
  ['k', 'previous'],
  ['d', 'dismiss'],
  ['e', 'remove the event'],
  ['b', 'ban the author'],
  ['o', 'show the reporters'],
];

function hints(): Node[] {
  return KEYS.flatMap(([key, what]) => [
    make('kbd', null, key),
    document.createTextNode(` ${what}${key === 'o' ? '.' : ', '}`),
  ]);
}

/**
 * Handles single keys while a report or an element in it has the focus. Keys with Ctrl, Meta or Alt
 * are ignored.
 */
function press(event: KeyboardEvent, list: HTMLElement): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = (event.target as HTMLElement).closest('li');
  if (at === null || at.parentElement !== list) return;
  const step =
    event.key === 'j'
      ? at.nextElementSibling
      : event.key === 'k'
        ? at.previousElementSibling
        : null;
  const target =
    step?.querySelector<HTMLElement>('article') ??
    at.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`);
  if (target === null) return;
  event.preventDefault();
  if (step === null) target.click();
  else target.focus();
}

function entry(context: Context, item: Queued, list: HTMLElement): HTMLElement {
  const place = make('li');
  const done = (isDone: boolean) => {
    if (isDone) leave(place, list);
  };
  const { event, author, isEvent, target } = item;
  const actions = [
    keyed(
      'd',
      button('Dismiss…', '', () => void dismiss(context, target, isEvent).then(done)),
    ),
    isEvent &&
      keyed(
        'e',
        button('Remove event…', 'danger', () => void banEvent(context, target).then(done)),
      ),
    author.pubkey !== '' &&
      keyed(
        'b',
        button('Ban author…', 'danger', () => void banAuthor(context, author.pubkey).then(done)),
      ),
  ];
  place.append(
    make(
      'article',
      { class: 'card stack', tabindex: 0, 'aria-label': titleOf(item) },
      make(
        'div',
        { class: 'row' },
        ...item.types.map((type) => badge(type === '' ? 'no type' : type, 'bad')),
        badge(amount(item.reports, 'report')),
        item.trusted > 0 && badge(`${item.trusted} trusted`, 'warning'),
        make(
          'span',
          { class: 'muted small' },
          'first ',
          when(item.firstAt),
          ', last ',
          when(item.lastAt),
        ),
      ),
      isEvent && eventPart(item),
      authorLine(author, isEvent ? 'Written by' : 'Reported key'),
      details(context, item),
      event !== null &&
        make('details', null, make('summary', null, 'The whole event'), jsonOf(event)),
      make('div', { class: 'row' }, ...actions),
    ),
  );
  return place;
}

function titleOf({ isEvent, event, reports: number }: Queued): string {
  const what = isEvent
    ? event === null
      ? 'an event'
      : `an event of ${kindText(event.kind)}`
    : 'a key';
  return `${amount(number, 'report')} about ${what}`;
}

function keyed(key: string, pressed: HTMLButtonElement): HTMLButtonElement {
  pressed.dataset.key = key;
  pressed.setAttribute('aria-keyshortcuts', key);
  return pressed;
}

function eventPart({ event, target }: Queued): HTMLElement {
  if (event === null) {
    return make(
      'p',
      { class: 'muted' },
      'Event ',
      eventLink(target),
      ': it is private, or not stored any more.',
    );
  }
  return make(
    'div',
    { class: 'stack quote' },
    make(
      'div',
      { class: 'row muted small' },
      badge(kindText(event.kind)),
      when(event.created_at),
      eventLink(event.id),
    ),
    contentOf(event),
  );
}

/** Details with the reporters and their texts, loaded on the first opening. */
function details(context: Context, { target, reports: number }: Queued): HTMLElement {
  const place = make('details', null);
  place.append(make('summary', { 'data-key': 'o' }, `Reporters and reasons (${number})`));
  place.addEventListener(
    'toggle',
    () => {
      const { place: loaded } = load(
        'the reports',
        context.left,
        () => context.call('mod.report', { target, limit: 100 }, context.left),
        (rows) => make('ul', { class: 'plain' }, ...rows.map(reportLine)),
      );
      place.append(loaded);
    },
    { once: true },
  );
  return place;
}

function reportLine({ reporter, type, at, trusted, content }: ReportRow): HTMLElement {
  return make(
    'li',
    null,
    make(
      'div',
      { class: 'row' },
      badge(type === '' ? 'no type' : type),
      person(reporter),
      trusted === 1 && badge('trusted', 'good'),
      make('span', { class: 'muted small' }, when(at)),
    ),
    content !== '' && make('p', { class: 'content', dir: 'auto' }, content),
  );
}

/** Removes an item and focuses the next or the previous; reloads the queue if none is left. */
function leave(place: HTMLElement, list: HTMLElement): void {
  const next = place.nextElementSibling ?? place.previousElementSibling;
  place.remove();
  const target = next?.querySelector<HTMLElement>('article');
  if (target) target.focus();
  else {
    list.closest('main')?.querySelector<HTMLElement>('h1')?.focus();
    list.closest('main')?.querySelector<HTMLElement>('button.again')?.click();
  }
}
