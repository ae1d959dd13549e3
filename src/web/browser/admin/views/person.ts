// View of one public key.

import type { Author } from '../../../api/people.ts';
import { banAuthor, removeWritten, takeBack } from '../actions.ts';
import { doer, eventsText, listedBadge } from '../author.ts';
import { encoded } from '../bech32.ts';
import { type Context, may, type View } from '../context.ts';
import { copyButton } from '../copy.ts';
import { count } from '../format.ts';
import { load } from '../load.ts';
import { button, make } from '../make.ts';
import { badge, card, facts, person as key, row, table, when } from '../parts.ts';

/** Events, roles, reports and list entries of a public key, with the actions on it. */
export const person: View = {
  name: 'person',
  title: 'A public key',
  group: null,
  method: 'mod.about',
  open: (context) => {
    const about = load(
      'the records of the key',
      context.left,
      () => context.call('mod.about', { pubkey: context.subject }, context.left),
      (author) => parts(context, author, () => void about.reload()),
    );
    return [about.place];
  },
};

function parts(context: Context, author: Author, reload: () => void): Node[] {
  const { pubkey, listed } = author;
  const npub = encoded('npub', pubkey);
  const again = (done: boolean) => done && reload();
  const ban = listed.find(({ list, stance }) => list === 'pubkey' && stance === 'ban');
  return [
    card(
      'Records',
      facts([
        [
          'npub',
          make('span', { class: 'copy' }, make('code', null, npub), copyButton(npub, 'the npub')),
        ],
        [
          'Hex',
          make(
            'span',
            { class: 'copy' },
            make('code', null, pubkey),
            copyButton(pubkey, 'the hex'),
          ),
        ],
        ['Events', eventsText(author)],
        ['First seen', when(author.firstSeenAt, 'unknown')],
        ['Oldest date', when(author.oldestAt, 'nothing')],
        ['Newest date', when(author.newestAt, 'nothing')],
        [
          'Roles',
          author.roles.length === 0
            ? 'none'
            : make('span', { class: 'row' }, ...author.roles.map((role) => badge(role, 'good'))),
        ],
        ['Reports about the key', count(author.reports)],
        ['Events in quarantine', count(author.held)],
      ]),
      make(
        'div',
        { class: 'row' },
        make('a', { class: 'button', href: `#/events?authors=${npub}` }, 'Events of the key'),
        may(context, 'mod.audit') &&
          make('a', { class: 'button', href: `#/audit?subject=${pubkey}` }, 'Audit log'),
        ban === undefined
          ? button('Ban…', 'danger', () => void banAuthor(context, pubkey).then(again))
          : button('End the ban…', '', () => void takeBack(context, ban, key(pubkey)).then(again)),
        button(
          'Remove all events…',
          'danger',
          () => void removeWritten(context, pubkey).then(again),
        ),
      ),
    ),
    ...(listed.length === 0
      ? []
      : [
          card(
            'Lists',
            table(
              'Lists',
              ['Which', 'Reason', 'By', 'Since'],
              listed.map((one) => row(listedBadge(one), one.reason, doer(one.by), when(one.at))),
            ).frame,
          ),
        ]),
  ];
}
