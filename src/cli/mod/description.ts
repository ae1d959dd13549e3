// Actions `wok mod describe`, `roles` and `role`: the relay's description and its roles.

import type { InfoChanges } from '../../messages/admin-io.ts';
import type { RoleWithMembers } from '../../web/api/people.ts';
import { UsageError } from '../command.ts';
import { askRelay } from '../control.ts';
import { type Action, columns, tell } from './action.ts';

const describe: Action = {
  args: '<name|description|icon> <text>',
  summary: 'Change the relay information (NIP-11); an empty text restores the configured one',
  async run(call, [what, text]) {
    const changes = await askRelay<InfoChanges>(call, 'mod.describe', { what, text });
    tell(call, changes, () => `The ${what} is ${text === '' ? 'as configured' : 'changed'}.`);
  },
};

const roles: Action = {
  args: '',
  summary: 'Show all roles and their members',
  async run(call) {
    const rows = await askRelay<RoleWithMembers[]>(call, 'mod.roles');
    tell(call, rows, () =>
      rows.length === 0
        ? 'There are no roles.'
        : columns(rows.map(({ id, label, members }) => [id, label, members.join(' ')])),
    );
  },
};

const role: Action = {
  args: '<create|edit|delete|assign|unassign> <id> [label-or-pubkey] [description]',
  summary: 'Create, change or delete a role, assign it or take it away',
  async run(call, args) {
    const params = roleParams(args);
    await askRelay(call, 'mod.role', params);
    tell(call, true, () => 'Done.');
  },
};

/**
 * Converts the arguments of `wok mod role` to the parameters of the request.
 *
 * @throws UsageError if the arguments do not fit what is to be done with the role.
 */
function roleParams([what, id, third, description]: readonly string[]) {
  switch (what) {
    case 'assign':
    case 'unassign':
      if (third === undefined || third === '' || description !== undefined) {
        throw new UsageError(`Write wok mod role ${what} <id> <pubkey>.`);
      }
      return { do: what, id, pubkey: third };
    case 'delete':
      if (third !== undefined) throw new UsageError('Write wok mod role delete <id>.');
      return { do: what, id };
    default:
      return { do: what, id, label: third ?? '', description: description ?? '' };
  }
}

/** Actions of `wok mod` on the relay's description and its roles, by name. */
export const descriptionActions: Readonly<Record<string, Action>> = { describe, roles, role };
