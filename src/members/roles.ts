// Roles of members (NIP-43): definition and assignment. The writer stores them.

import type { Change, Role } from '../messages/admin-writer.ts';
import { normalSubject } from '../moderation/list-subjects.ts';
import { RpcError } from '../rpc/method.ts';
import * as sql from '../store/database/sql.ts';
import type { MembersContext } from './context.ts';

const ROLES_MAX = 1000;
const TEXT_LENGTH_MAX = 1000;

/** Change of a role, or of its assignment to a public key. */
type RoleChange =
  | ({ do: 'create' | 'edit' } & Role)
  | { do: 'delete'; id: string }
  | { do: 'assign' | 'unassign'; id: string; pubkey: string };

/** Returns all roles, in display order. */
export function roles({ db }: Pick<MembersContext, 'db'>): Role[] {
  return db.prepare(sql.SELECT_ROLES).all() as Role[];
}

/** Makes a change; deleting a role deletes its assignments, too. @throws RpcError */
export async function changeRoles(
  context: MembersContext,
  change: RoleChange,
  by: string,
): Promise<true> {
  const at = context.clock.seconds();
  const pubkey = 'pubkey' in change ? normalSubject('pubkey', change.pubkey) : '';
  check(change, roles(context));
  const action = pubkey === '' ? `${change.do} role` : `${change.do} role ${change.id}`;
  await context.change([
    rowOf(change, { pubkey, by, at }),
    { t: 'audit', at, by, action, subject: pubkey || change.id, reason: '' },
  ]);
  return true;
}

function rowOf(change: RoleChange, given: { pubkey: string; by: string; at: number }): Change {
  switch (change.do) {
    case 'create':
    case 'edit': {
      const { do: _, ...role } = change;
      return { t: 'role', role };
    }
    case 'delete':
      return { t: 'unrole', id: change.id };
    case 'assign':
      return { t: 'assign', role: change.id, ...given };
    case 'unassign':
      return { t: 'unassign', role: change.id, pubkey: given.pubkey };
  }
}

function check(change: RoleChange, all: readonly Role[]): void {
  const { id } = change;
  const isNew = change.do === 'create';
  if (isNew || change.do === 'edit') {
    const { label, description, color } = change;
    if (id === '' || [id, label, description].some(({ length }) => length > TEXT_LENGTH_MAX)) {
      const message = `A role must have an id, and texts of at most ${TEXT_LENGTH_MAX} characters.`;
      throw new RpcError('usage', message);
    }
    if (color !== null && (color < 0 || color > 360)) {
      throw new RpcError('usage', 'A color must be a hue from 0 to 360.');
    }
  }
  const exists = all.some((one) => one.id === id);
  if (isNew && exists) throw new RpcError('refused', `The role "${id}" exists already.`);
  if (!isNew && !exists && change.do !== 'unassign') {
    throw new RpcError('refused', `There is no role "${id}".`);
  }
  if (isNew && all.length >= ROLES_MAX) throw new RpcError('refused', 'There are too many roles.');
}
