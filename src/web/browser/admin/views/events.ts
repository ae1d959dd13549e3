// View that searches the stored events.

import type { FoundEvent, SearchParams } from '../../../api/events.ts';
import { banAuthor, banEvent } from '../actions.ts';
import type { Context, View } from '../context.ts';
import { eventCard } from '../event-card.ts';
import { momentIn, textField } from '../fields.ts';
import { amount, count, moment } from '../format.ts';
import { failure } from '../load.ts';
import { button, fill, make } from '../make.ts';
import { pager } from '../pager.ts';
import { when } from '../parts.ts';
import { searchOn } from '../search.ts';

const PAGE = 50;

/** Search form and result list over all stored events; the address keeps the search. */
export const events: View = {
  name: 'events',
  title: 'Events',
  group: 'Moderate',
  method: 'search',
  open: (context) => {
    const { query } = context;
    const given = (name: string) => query.get(name) ?? '';
    const words = textField(
      'Words in the text',
      { type: 'search', value: given('words') },
      'All words must occur; upper and lower case are the same.',
    );
    const authors = textField('Authors', { value: given('authors') }, 'npub1…, nprofile1… or hex.');
    const ids = textField('Event ids', { value: given('ids') }, 'note1…, nevent1… or hex.');
    const kinds = textField(
      'Kinds',
      { value: given('kinds'), inputmode: 'numeric' },
      'Like 1 or 0 3 10002.',
    );
    const tags = textField('Tags', { value: given('tags') }, 'Like t=nostr p=npub1… e=note1…');
    const since = textField('From', { type: 'datetime-local', value: given('since') });
    const until = textField('Up to', { type: 'datetime-local', value: given('until') });
    const results = make('div', {
      class: 'stack',
      'aria-live': 'polite',
      'aria-relevant': 'additions',
    });
    const fields = { words, authors, ids, kinds, tags, since, until };

    const search = () => {
      const values = new URLSearchParams();
      for (const [name, { input }] of Object.entries(fields)) {
        if (input.value.trim() !== '') values.set(name, input.value.trim());
      }
      const text = values.toString();
      // The address keeps the search, so that it can be reopened and shared.
      history.replaceState(null, '', `#/events${text === '' ? '' : `?${text}`}`);
      try {
        fill(results, found(context, paramsOf(values, since.input, until.input)));
      } catch (error) {
        fill(results, failure(error, null));
      }
    };
    const form = make(
      'form',
      { class: 'card stack', role: 'search', 'aria-label': 'Events', novalidate: true },
      words.place,
      make(
        'div',
        { class: 'grid narrow' },
        authors.place,
        ids.place,
        tags.place,
        kinds.place,
        since.place,
        until.place,
      ),
      make(
        'div',
        { class: 'row' },
        make('button', { type: 'submit', class: 'primary' }, 'Search'),
        button('Clear', 'quiet', () => {
          for (const { input } of Object.values(fields)) input.value = '';
          history.replaceState(null, '', '#/events');
          fill(results);
          words.input.focus();
        }),
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      search();
    });
    if (query.size > 0) search();
    return [form, results];
  },
};

/** Parameters of a search by the fields. @throws Error with a sentence. */
function paramsOf(
  values: URLSearchParams,
  since: HTMLInputElement,
  until: HTMLInputElement,
): SearchParams {
  const params: SearchParams = { limit: PAGE };
  const parts = (name: string) =>
    (values.get(name) ?? '').split(/[\s,]+/).filter((one) => one !== '');
  const [authors, ids] = [parts('authors'), parts('ids')];
  if (authors.length > 0) params.authors = authors;
  if (ids.length > 0) params.ids = ids;
  for (const one of parts('kinds')) {
    if (!/^\d{1,5}$/.test(one))
      throw new Error(`“${one}” is not a kind; write numbers, like 1 or 30023.`);
    params.kinds = [...(params.kinds ?? []), Number(one)];
  }
  for (const one of parts('tags')) {
    const [, letter, value] = /^#?([a-zA-Z])[=:](.+)$/.exec(one) ?? [];
    if (letter === undefined || value === undefined) {
      throw new Error(`“${one}” is not a tag; write a letter and a value, like t=nostr.`);
    }
    params.tags = { ...params.tags, [letter]: [...(params.tags?.[letter] ?? []), value] };
  }
  const words = values.get('words') ?? '';
  if (words !== '') params.words = words;
  const [from, to] = [momentIn(since), momentIn(until)];
  if (from !== null) params.since = from;
  if (to !== null) params.until = to;
  return params;
}

function found(context: Context, params: SearchParams): HTMLElement {
  const list = make('ol', { class: 'queue' });
  let looked = 0;
  const results = pager<string>({
    what: 'events',
    empty: 'No events found; all candidates were checked.',
    container: list,
    left: context.left,
    ask: async (cursor) => {
      const asked = cursor === null ? params : { ...params, cursor };
      const page = await searchOn(context, asked);
      looked += page.looked;
      const down = page.searchedTo === null ? '' : ` down to ${moment(page.searchedTo)}`;
      return {
        items: page.events.map((one) => entry(context, one)),
        next: page.next,
        note: [
          page.without.length > 0 &&
            make(
              'p',
              { class: 'muted small' },
              `Without the private kinds ${page.without.join(', ')}, which only admins see.`,
            ),
        ],
        more: `${amount(list.children.length + page.events.length, 'event')} so far; ${count(looked)} checked${down}.`,
      };
    },
  });
  return results.place;
}

function entry(context: Context, { event, receivedAt, seq }: FoundEvent): HTMLElement {
  const place = make('li');
  const gone = (done: boolean) => {
    if (done) fill(place, make('p', { class: 'notice' }, 'Removed.'));
  };
  place.append(
    make(
      'div',
      { class: 'card' },
      eventCard(event, null, [
        make('a', { class: 'button small', href: `#/event/${event.id}` }, 'Details, why'),
        button('Remove…', 'small danger', () => void banEvent(context, event.id).then(gone)),
        button('Ban author…', 'small danger', () => void banAuthor(context, event.pubkey)),
        make(
          'span',
          { class: 'muted small' },
          `seq ${count(seq)} of the log, accepted `,
          when(receivedAt, 'at a time that is not recorded'),
        ),
      ]),
    ),
  );
  return place;
}
