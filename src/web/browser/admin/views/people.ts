// View of members, roles and invites (NIP-43), and of the relay's description.

import type { RoleWithMembers } from '../../../api/people.ts';
import type { Context, View } from '../context.ts';
import { copyButton } from '../copy.ts';
import { ask, show } from '../dialog.ts';
import { expiryField, textField } from '../fields.ts';
import { amount } from '../format.ts';
import { type Loaded, load } from '../load.ts';
import { button, make } from '../make.ts';
import { badge, card, person } from '../parts.ts';
import { descriptionCard } from './description.ts';

/** Cards for members and invites, for roles, and for the relay's description of itself. */
export const people: View = {
  name: 'people',
  title: 'Members and roles',
  group: 'Run',
  method: 'mod.roles',
  open: (context) => {
    const roles: Loaded = load(
      'roles',
      context.left,
      () => context.call('mod.roles', {}, context.left),
      (all) =>
        all.length === 0
          ? make('p', { class: 'empty' }, 'There are no roles.')
          : make('ul', { class: 'plain' }, ...all.map((one) => role(context, one, roles))),
    );
    return [
      card(
        'Members',
        make(
          'p',
          null,
          'Members are the allowed public keys: by an invite (with membership.enabled), or added by an admin.',
        ),
        make(
          'div',
          { class: 'row' },
          make('a', { class: 'button', href: '#/lists/pubkey-allow' }, 'All members'),
          button('Invite…', 'primary', () => void invite(context)),
        ),
      ),
      card(
        'Roles',
        make(
          'p',
          null,
          'Roles are named groups of members; the relay publishes them, signed with its own key (NIP-43).',
        ),
        make(
          'div',
          { class: 'row' },
          button(
            'New role…',
            '',
            () => void edit(context, null).then((done) => (done ? roles.reload() : undefined)),
          ),
        ),
        roles.place,
      ),
      descriptionCard(context),
    ];
  },
};

function role(context: Context, one: RoleWithMembers, roles: Loaded): HTMLElement {
  const again = (done: boolean) => {
    if (done) void roles.reload();
  };
  const members = one.members.map((pubkey) =>
    make(
      'li',
      { class: 'row' },
      person(pubkey),
      button('Remove…', 'small quiet', () => void unassign(context, one, pubkey).then(again)),
    ),
  );
  return make(
    'li',
    { class: 'stack' },
    make(
      'div',
      { class: 'row' },
      make('h3', null, one.label === '' ? one.id : one.label),
      badge(one.id),
      make('span', { class: 'muted small' }, amount(one.members.length, 'member')),
    ),
    one.description !== '' && make('p', { class: 'small' }, one.description),
    members.length > 0 && make('ul', { class: 'plain' }, ...members),
    make(
      'div',
      { class: 'row' },
      button('Assign…', 'small', () => void assign(context, one).then(again)),
      button('Change…', 'small', () => void edit(context, one).then(again)),
      button('End…', 'small danger', () => void end(context, one).then(again)),
    ),
  );
}

function edit(context: Context, one: RoleWithMembers | null): Promise<boolean> {
  const id = textField(
    'Id',
    { required: true, maxlength: 64 },
    'A short name that does not change, like king.',
  );
  const label = textField('Name', { value: one?.label ?? '', maxlength: 100 });
  const description = textField('Description', { value: one?.description ?? '', maxlength: 500 });
  const color = textField(
    'Hue',
    { type: 'number', min: 0, max: 360, value: one?.color ?? '' },
    'From 0 to 360; empty: no color.',
  );
  const order = textField(
    'Order',
    { type: 'number', value: one?.order ?? '' },
    'Position among the roles; empty: unordered.',
  );
  const number = (input: HTMLInputElement) => (input.value === '' ? null : Number(input.value));
  return ask({
    title: one === null ? 'New role' : `Change the role ${one.id}`,
    text: make('p', null, 'It takes effect immediately.'),
    action: one === null ? 'Create' : 'Save',
    fields: [
      ...(one === null ? [id.place] : []),
      label.place,
      description.place,
      color.place,
      order.place,
    ],
    act: async () => {
      await context.call('mod.role', {
        do: one === null ? 'create' : 'edit',
        id: one?.id ?? id.input.value.trim(),
        label: label.input.value.trim(),
        description: description.input.value.trim(),
        color: number(color.input),
        order: number(order.input),
      });
      context.say(one === null ? 'The role was created.' : 'The role was changed.');
    },
  });
}

function assign(context: Context, { id }: RoleWithMembers): Promise<boolean> {
  const who = textField('Public key', { required: true }, 'npub1… or 64 hex characters.');
  return ask({
    title: `Assign the role ${id}`,
    text: make(
      'p',
      null,
      'Events of keys with a role are exempt from retention unless a rule says otherwise.',
    ),
    action: 'Assign',
    fields: [who.place],
    act: async () => {
      await context.call('mod.role', { do: 'assign', id, pubkey: who.input.value.trim() });
      context.say('The role was assigned.');
    },
  });
}

function unassign(context: Context, { id }: RoleWithMembers, pubkey: string): Promise<boolean> {
  return ask({
    title: `Remove the role ${id} from this member?`,
    text: make('p', null, person(pubkey)),
    action: 'Remove',
    danger: true,
    act: async () => {
      await context.call('mod.role', { do: 'unassign', id, pubkey });
      context.say('The role was removed.');
    },
  });
}

function end(context: Context, { id, members }: RoleWithMembers): Promise<boolean> {
  return ask({
    title: `Delete the role ${id}?`,
    text: make('p', null, `${amount(members.length, 'member')} will lose it. They stay members.`),
    action: 'Delete the role',
    danger: true,
    act: async () => {
      await context.call('mod.role', { do: 'delete', id });
      context.say('The role was deleted.');
    },
  });
}

/** Asks for the number of uses and the expiry, makes an invite, and shows its code once. */
async function invite(context: Context): Promise<void> {
  const uses = textField('Number of uses', {
    type: 'number',
    min: 1,
    max: 10_000,
    value: 1,
    required: true,
  });
  const expiry = expiryField();
  let made = '';
  const done = await ask({
    title: 'Invite',
    text: make(
      'p',
      null,
      'A key that sends the code to this relay in a join request (NIP-43) becomes a member.',
    ),
    action: 'Create a code',
    fields: [uses.place, expiry.place],
    act: async () => {
      const { code } = await context.call('invite', {
        uses: Number(uses.input.value),
        expiresAt: expiry.value(),
      });
      made = code;
    },
  });
  if (!done) return;
  show(
    'The code',
    make('p', null, 'It is shown only once. Send it to the people you invite.'),
    make('div', { class: 'copy' }, make('code', null, made), copyButton(made, 'the code')),
  );
}
