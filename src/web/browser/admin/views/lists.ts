// View of bans and allowances, one tab for each list.

import type { ListRow } from '../../../api/events.ts';
import type { ListName } from '../../../api/moderation.ts';
import { putOnList, takeBack } from '../actions.ts';
import { doer } from '../author.ts';
import type { Context, View } from '../context.ts';
import { kindText } from '../event-card.ts';
import { textField } from '../fields.ts';
import { amount } from '../format.ts';
import { button, type Child, make } from '../make.ts';
import { pager } from '../pager.ts';
import { eventLink, person, row, table, when } from '../parts.ts';

const PAGE = 100;
const TYPING_MILLISECONDS = 300;

interface List {
  list: ListName;
  stance: 'ban' | 'allow';
  name: string;
  /** Effect of the list. */
  text: string;
  adminsOnly?: true;
}

const LISTS: readonly List[] = [
  { list: 'pubkey', stance: 'ban', name: 'Banned keys', text: 'Their events are refused.' },
  {
    list: 'event',
    stance: 'ban',
    name: 'Banned events',
    text: 'They were removed and are refused.',
  },
  {
    list: 'author',
    stance: 'ban',
    name: 'Removed authors',
    text: 'Their earlier events were removed and are refused; new events are accepted.',
  },
  {
    list: 'kind',
    stance: 'ban',
    name: 'Banned kinds',
    text: 'Their events are refused.',
    adminsOnly: true,
  },
  {
    list: 'ip',
    stance: 'ban',
    name: 'Banned addresses',
    text: 'Their connections are refused.',
    adminsOnly: true,
  },
  {
    list: 'pubkey',
    stance: 'allow',
    name: 'Allowed keys',
    text: 'They may write where only some keys may; with membership these are the members.',
  },
  {
    list: 'kind',
    stance: 'allow',
    name: 'Allowed kinds',
    text: 'Accepted regardless of the configuration.',
    adminsOnly: true,
  },
];

/** Bans and allowances; a moderator sees only the lists that are not for admins. */
export const lists: View = {
  name: 'lists',
  title: 'Bans and lists',
  group: 'Moderate',
  method: 'mod.listed',
  open: (context) => {
    const open = LISTS.filter(({ adminsOnly }) => !adminsOnly || context.session.role === 'admin');
    const chosen = open.find((one) => nameOf(one) === context.subject) ?? open[0]!;
    const tabs = open.map((one) =>
      make(
        'a',
        { href: `#/lists/${nameOf(one)}`, 'aria-current': one === chosen ? 'page' : null },
        one.name,
      ),
    );
    context.title(chosen.name);
    return [
      make('nav', { class: 'tabs', 'aria-label': 'Lists' }, ...tabs),
      ...listParts(context, chosen),
    ];
  },
};

function nameOf({ list, stance }: List): string {
  return `${list}-${stance}`;
}

function listParts(context: Context, { list, stance, text, name }: List): Node[] {
  const { frame, rows } = table(name, ['What', 'Reason', 'By', 'Since', 'Until', 'Action']);
  const find = textField('Search', { type: 'search', placeholder: 'In keys, ids and reasons' });
  const entries = pager<string>({
    what: 'the list',
    empty: 'The list is empty.',
    container: rows,
    frame,
    left: context.left,
    ask: async (after) => {
      const searched = find.input.value.trim();
      const page = await context.call(
        'mod.listed',
        {
          list,
          stance,
          limit: PAGE,
          ...(searched === '' ? {} : { find: searched }),
          ...(after === null ? {} : { after }),
        },
        context.left,
      );
      return {
        items: page.rows.map((one) => listRow(context, one, () => void entries.reload())),
        next: page.next,
        note: make(
          'p',
          { class: 'muted small' },
          `${amount(page.total, 'entry', 'entries')} in all. ${text}`,
        ),
      };
    },
  });
  let typing = 0;
  find.input.addEventListener('input', () => {
    clearTimeout(typing);
    typing = window.setTimeout(() => void entries.reload(), TYPING_MILLISECONDS);
  });
  context.left.addEventListener('abort', () => clearTimeout(typing));
  const add =
    list !== 'author' &&
    button(stance === 'ban' ? 'Ban…' : 'Allow…', 'primary', () => {
      void putOnList(context, list, stance).then((done) => done && void entries.reload());
    });
  return [
    make('div', { class: 'toolbar end' }, find.place, add === false ? '' : add),
    make('div', { class: 'card' }, entries.place),
  ];
}

function listRow(context: Context, one: ListRow, reload: () => void): HTMLTableRowElement {
  return row(
    subjectOf(one),
    one.reason === '' ? make('span', { class: 'muted' }, '–') : one.reason,
    doer(one.by),
    when(one.at),
    when(one.expires_at, 'permanent'),
    button('End…', 'small', () => {
      void takeBack(
        context,
        { list: one.list, subject: one.subject, stance: one.stance },
        make('span', null, subjectOf(one)),
      ).then((done) => done && reload());
    }),
  );
}

/** Subject of a list entry as a link or text. */
function subjectOf({ list, subject }: Pick<ListRow, 'list' | 'subject'>): Child {
  if (list === 'pubkey' || list === 'author') return person(subject);
  if (list === 'event') return eventLink(subject);
  if (list === 'kind') return kindText(Number(subject));
  return make('code', null, subject);
}
