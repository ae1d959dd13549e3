// View of the events in quarantine.

import type { Held } from '../../../api/moderation.ts';
import { banAuthor } from '../actions.ts';
import type { Context, View } from '../context.ts';
import { ask } from '../dialog.ts';
import { contentOf, jsonOf, kindText } from '../event-card.ts';
import { reasonField } from '../fields.ts';
import { amount } from '../format.ts';
import { button, make } from '../make.ts';
import { pager, queueOf } from '../pager.ts';
import { badge, eventLink, person, when } from '../parts.ts';

const PAGE = 20;

/** Events that the spam stage holds back, oldest first, to be released or discarded. */
export const quarantine: View = {
  name: 'quarantine',
  title: 'Quarantine',
  group: 'Moderate',
  method: 'mod.held',
  open: (context) => {
    const list = make('ol', { class: 'queue' });
    const held = pager<string>({
      what: 'the quarantine',
      empty: 'The quarantine is empty. The options in [spam] decide which events are held.',
      container: list,
      left: context.left,
      ask: async (after) => {
        const params = { limit: PAGE, ...(after === null ? {} : { after }) };
        const { items, next } = await context.call('mod.held', params, context.left);
        return { items: items.map((item) => entry(context, item, () => void held.reload())), next };
      },
    });
    return queueOf(
      held,
      'Events held by the spam stage, oldest first. Their senders were told. Released events are stored like new ones.',
    );
  },
};

function entry(context: Context, held: Held, reload: () => void): HTMLElement {
  const { id, pubkey, at, why, event } = held;
  const after = (done: boolean) => done && reload();
  return make(
    'li',
    null,
    make(
      'article',
      { class: 'card stack', tabindex: 0, 'aria-label': `Quarantined: event ${id.slice(0, 8)}` },
      make(
        'div',
        { class: 'row' },
        event !== null && badge(kindText(event.kind)),
        person(pubkey),
        make('span', { class: 'muted small' }, 'came ', when(at)),
        make('span', { class: 'muted small' }, eventLink(id)),
      ),
      event === null
        ? make('p', { class: 'muted' }, 'The content is private.')
        : make('div', { class: 'quote' }, contentOf(event)),
      make('p', { class: 'small' }, make('b', null, 'Why: '), why),
      event !== null &&
        make('details', null, make('summary', null, 'The whole event'), jsonOf(event)),
      make(
        'div',
        { class: 'row' },
        button('Release…', '', () => void decide(context, 'release', id, false).then(after)),
        button(
          'Release all of the author…',
          '',
          () => void decide(context, 'release', pubkey, true).then(after),
        ),
        button('Discard…', 'danger', () => void decide(context, 'discard', id, false).then(after)),
        button(
          'Discard all…',
          'danger',
          () => void decide(context, 'discard', pubkey, true).then(after),
        ),
        button('Ban author…', 'danger', () => void banAuthor(context, pubkey).then(after)),
      ),
    ),
  );
}

function decide(
  context: Context,
  what: 'release' | 'discard',
  subject: string,
  all: boolean,
): Promise<boolean> {
  const reason = reasonField();
  const whose = all ? 'all quarantined events of this author' : 'this event';
  return ask({
    title: what === 'release' ? `Release ${whose}?` : `Discard ${whose}?`,
    text: [
      make('p', null, all ? person(subject) : eventLink(subject)),
      make(
        'p',
        null,
        what === 'release'
          ? 'It is stored and sent to subscriptions like a new event.'
          : 'It is dropped. If it is sent again, it is scored again.',
      ),
    ],
    action: what === 'release' ? 'Release' : 'Discard',
    danger: what === 'discard',
    fields: [reason.place],
    act: async () => {
      const params = { subject, reason: reason.input.value.trim() };
      const { events } =
        what === 'release'
          ? await context.call('mod.release', params)
          : await context.call('mod.discard', params);
      context.say(`${amount(events, 'event')} ${what === 'release' ? 'released' : 'discarded'}.`);
    },
  });
}
