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
  { list: 'pubkey', stance: 'ban', name: 'Banned people', text: 'Their events are refused.' },
  { list: 'event', stance: 'ban', name: 'Banned events', text: 'They are removed and stay away.' },
  {
    list: 'author',
    stance: 'ban',
    name: 'Removed authors',
    text: 'What they had written was removed and does not come back; they may write on.',
  },
  {
    list: 'kind',
    stance: 'ban',
    name: 'Banned kinds',
    text: 'Not taken any more.',
    adminsOnly: true,
  },
  {
    list: 'ip',
    stance: 'ban',
    name: 'Banned addresses',
    text: 'Nobody gets in from there.',
    adminsOnly: true,
  },
  {
    list: 'pubkey',
    stance: 'allow',
    name: 'Allowed people',
    text: 'They may write where only some may; with membership these are the members.',
  },
  {
    list: 'kind',
    stance: 'allow',
    name: 'Allowed kinds',
    text: 'Taken whatever the configuration says.',
    adminsOnly: true,
  },
];

/** Bans and allowances; a moderator sees only the lists that are not for admins. */
export const lists: View = {
  name: 'lists',
  title: 'Bans and lists',
  group: 'Moderate',
  verb: 'mod.listed',
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
  const { frame, rows } = table(name, ['What', 'Reason', 'By', 'Since', 'Until', 'Do']);
  const find = textField('Search', { type: 'search', placeholder: 'In keys, ids and reasons' });
  const entries = pager<string>({
    what: 'the list',
    empty: 'Nothing stands here.',
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
    when(one.expires_at, 'for good'),
    button('Take back…', 'small', () => {
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
