import type { RoleWithMembers } from '../../admin/page-api/people.ts';
import type { InfoChanges } from '../../messages.ts';
import { UsageError } from '../command.ts';
import { askRelay } from '../control.ts';
import { type Action, columns, need, tell } from './action.ts';

const describe: Action = {
  args: '<name|description|icon> <text>',
  summary: 'Change what the relay says about itself; an empty text brings the configured one back',
  async run(call, args) {
    const [what, text] = need('describe', args, '<name|description|icon> <text>');
    const changes = await askRelay<InfoChanges>(call, 'mod.describe', { what, text });
    tell(call, changes, () => `The ${what} is ${text === '' ? 'as configured' : 'changed'}.`);
  },
};

const roles: Action = {
  args: '',
  summary: 'Show all roles and who has them',
  async run(call, args) {
    if (args.length > 0) throw new UsageError('Write wok mod roles.');
    const rows = await askRelay<RoleWithMembers[]>(call, 'mod.roles');
    tell(call, rows, () =>
      rows.length === 0
        ? 'There are no roles.'
        : columns(rows.map(({ id, label, members }) => [id, label, members.join(' ')])),
    );
  },
};

const ROLE = '<create|edit|delete|assign|unassign> <id> [label, or public key] [description]';

const role: Action = {
  args: ROLE,
  summary: 'Make, change or end a role, give it to somebody or take it away',
  async run(call, args) {
    const [what, id, third = '', description = ''] = args;
    if (id === undefined) throw new UsageError(`Write wok mod role ${ROLE}.`);
    const params =
      what === 'assign' || what === 'unassign'
        ? { do: what, id, pubkey: third }
        : what === 'delete'
          ? { do: what, id }
          : { do: what, id, label: third, description };
    await askRelay(call, 'mod.role', params);
    tell(call, true, () => 'Done.');
  },
};

/** What `wok mod` does with the relay's description and its roles. */
export const descriptionActions: Readonly<Record<string, Action>> = { describe, roles, role };
