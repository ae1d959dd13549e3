// View of one event by its id: storage, list entries, deletions and rejections.

import type { Decided, Why } from '../../../api/events.ts';
import { banAuthor, banEvent, takeBack } from '../actions.ts';
import { doer, listedBadge } from '../author.ts';
import type { Context, View } from '../context.ts';
import { contentOf, jsonOf, kindText } from '../event-card.ts';
import { textField } from '../fields.ts';
import { count } from '../format.ts';
import { load } from '../load.ts';
import { button, fill, make } from '../make.ts';
import { badge, card, eventLink, facts, person, row, table, when } from '../parts.ts';
import { searchOn } from '../search.ts';

/** Search by event id, with the fate of the event and its content. */
export const event: View = {
  name: 'event',
  title: 'Event by id',
  group: 'Moderate',
  method: 'why',
  open: (context) => {
    const id = textField(
      'Event id',
      { value: context.subject, required: true },
      'note1…, nevent1… or 64 hex characters. It need not be stored: refused and removed events have records, too.',
    );
    const form = make(
      'form',
      { class: 'card stack', novalidate: true },
      id.place,
      make(
        'div',
        { class: 'row' },
        make('button', { type: 'submit', class: 'primary' }, 'Look up'),
      ),
    );
    form.addEventListener('submit', (submitted) => {
      submitted.preventDefault();
      location.hash = `#/event/${encodeURIComponent(id.input.value.trim())}`;
    });
    if (context.subject === '') return [form];
    return [form, ...answers(context, context.subject)];
  },
};

function answers(context: Context, id: string): Node[] {
  const stored = make('div');
  const why = load(
    'the records of the event',
    context.left,
    () => context.call('why', { id }, context.left),
    (found) => {
      fill(stored, found.stored === null ? '' : whole(context, found.id));
      return whyParts(context, found, () => void why.reload());
    },
  );
  return [why.place, stored];
}

/** Card with the content of a stored event, or a note that it is not shown. */
function whole(context: Context, id: string): HTMLElement {
  return load(
    'the event',
    context.left,
    () => searchOn(context, { ids: [id], limit: 1 }),
    ({ events: [found] }) => {
      if (found === undefined) {
        return make(
          'p',
          { class: 'muted' },
          'The content is not shown: it is private, or was just removed.',
        );
      }
      return card(
        'The event',
        make('div', { class: 'quote' }, contentOf(found.event)),
        jsonOf(found.event),
      );
    },
  ).place;
}

function whyParts(context: Context, found: Why, reload: () => void): Node[] {
  const { stored, rejections, listed, deletedBy } = found;
  const pubkey = stored?.pubkey ?? rejections.find((one) => one.pubkey !== '')?.pubkey ?? '';
  const again = (done: boolean) => done && reload();
  const ban = listed.find(({ list, stance }) => list === 'event' && stance === 'ban');
  const known = stored !== null || rejections.length + listed.length + deletedBy.length > 0;
  return [
    card(
      stored === null ? 'Not stored' : 'Stored',
      facts([
        ['Id', eventLink(found.id)],
        ...(pubkey === '' ? [] : [['Author', person(pubkey)] as const]),
        ...(stored === null
          ? []
          : ([
              ['Kind', kindText(stored.kind)],
              ['Dated', when(stored.created_at)],
              ['Accepted', when(stored.received_at, 'not recorded')],
              ['Log position (seq)', count(stored.seq)],
              ['Expires', when(stored.expires_at, 'never')],
            ] as const)),
        ...(deletedBy.length === 0
          ? []
          : [['Deletion requested by', deletedBy.map(person)] as const]),
        ...(listed.length === 0
          ? []
          : [['Lists', make('span', { class: 'row' }, ...listed.map(listedBadge))] as const]),
      ]),
      !known &&
        make(
          'p',
          null,
          'No record of this event: it was never received, or its record has expired.',
        ),
      make(
        'div',
        { class: 'row' },
        ban === undefined
          ? button('Remove event…', 'danger', () => void banEvent(context, found.id).then(again))
          : button(
              'End the ban…',
              '',
              () => void takeBack(context, ban, eventLink(found.id)).then(again),
            ),
        pubkey !== '' &&
          button('Ban author…', 'danger', () => void banAuthor(context, pubkey).then(again)),
      ),
    ),
    ...(rejections.length === 0 ? [] : [decided(rejections, found.omitted)]),
  ];
}

const LOOKS = {
  refused: 'bad',
  removed: 'bad',
  shadowed: 'warning',
  quarantined: 'warning',
} as const;

function decided(rejections: readonly Decided[], omitted: number): HTMLElement {
  const { frame } = table(
    'Decisions',
    ['When', 'What', 'Rule', 'By', 'Text'],
    rejections.map(({ at, action, rule, by, text }) =>
      row(
        when(at),
        badge(action, LOOKS[action]),
        make('code', null, rule),
        by === '' ? '' : doer(by),
        text,
      ),
    ),
  );
  return card(
    'Decisions',
    frame,
    omitted > 0 &&
      make(
        'p',
        { class: 'muted small' },
        `${count(omitted)} decisions (about any event) were not recorded since the start, because there were too many.`,
      ),
  );
}
