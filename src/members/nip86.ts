// NIP-86 methods of roles: createrole, editrole, deleterole, assignrole, unassignrole.

import type { Role } from '../messages/admin-writer.ts';
import { integerParam, type Nip86Method, textParam } from '../rpc/nip86.ts';
import type { MembersContext } from './context.ts';
import { changeRoles } from './roles.ts';

type Method = Nip86Method<MembersContext>;

export const createRole: Method = (params, context, { by }) =>
  changeRoles(context, { do: 'create', ...roleIn(params) }, by);

export const editRole: Method = (params, context, { by }) =>
  changeRoles(context, { do: 'edit', ...roleIn(params) }, by);

export const deleteRole: Method = (params, context, { by }) =>
  changeRoles(context, { do: 'delete', id: textParam(params, 0, 'a role') }, by);

export const assignRole: Method = (params, context, { by }) =>
  changeRoles(context, { do: 'assign', ...assignmentIn(params) }, by);

export const unassignRole: Method = (params, context, { by }) =>
  changeRoles(context, { do: 'unassign', ...assignmentIn(params) }, by);

function assignmentIn(params: readonly unknown[]): { pubkey: string; id: string } {
  return { pubkey: textParam(params, 0, 'a public key'), id: textParam(params, 1, 'a role') };
}

function roleIn(params: readonly unknown[]): Role {
  const [id, label, description] = ['an id', 'a label', 'a description'].map((what, at) =>
    params[at] == null && at > 0 ? '' : textParam(params, at, what),
  ) as [string, string, string];
  return { id, label, description, color: integerParam(params, 3), order: integerParam(params, 4) };
}
