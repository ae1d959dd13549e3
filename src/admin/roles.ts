// Roles of members (NIP-43): definition and assignment. The writer stores them.

import type { Role } from '../messages/admin-writer.ts';
import * as sql from '../store/database/sql.ts';
import { AdminError, type Room } from './context.ts';
import { normalSubject } from './subjects.ts';

const ROLES_MAX = 1000;
const TEXT_LENGTH_MAX = 1000;

/** Returns all roles, in display order. */
export function roles({ db }: Room): Role[] {
  return db.prepare(sql.SELECT_ROLES).all() as Role[];
}

/** Makes a role (`isNew`) or changes one. @throws AdminError */
export async function putRole(room: Room, role: Role, by: string, isNew: boolean): Promise<true> {
  const { id, label, description, color } = role;
  if (id === '' || [id, label, description].some(({ length }) => length > TEXT_LENGTH_MAX)) {
    throw new AdminError(
      'usage',
      `A role must have an id, and texts of at most ${TEXT_LENGTH_MAX} characters.`,
    );
  }
  if (color !== null && (color < 0 || color > 360)) {
    throw new AdminError('usage', 'A color must be a hue from 0 to 360.');
  }
  const all = roles(room);
  const exists = all.some((one) => one.id === id);
  if (exists === isNew) {
    throw new AdminError(
      'refused',
      isNew ? `The role "${id}" exists already.` : `There is no role "${id}".`,
    );
  }
  if (isNew && all.length >= ROLES_MAX)
    throw new AdminError('refused', 'There are too many roles.');
  const action = isNew ? 'create role' : 'edit role';
  await room.change([{ t: 'role', role }, audit(room, by, action, id)]);
  return true;
}

/** Deletes a role and all its assignments. @throws AdminError if there is no such role. */
export async function removeRole(room: Room, id: string, by: string): Promise<true> {
  needRole(room, id);
  await room.change([{ t: 'unrole', id }, audit(room, by, 'delete role', id)]);
  return true;
}

/** Gives a role to a public key. @throws AdminError */
export async function assignRole(room: Room, key: string, role: string, by: string): Promise<true> {
  const pubkey = normalSubject('pubkey', key);
  needRole(room, role);
  const at = room.clock.seconds();
  await room.change([
    { t: 'assign', pubkey, role, by, at },
    audit(room, by, `assign role ${role}`, pubkey),
  ]);
  return true;
}

/** Takes a role from a public key. @throws AdminError */
export async function unassignRole(
  room: Room,
  key: string,
  role: string,
  by: string,
): Promise<true> {
  const pubkey = normalSubject('pubkey', key);
  await room.change([
    { t: 'unassign', pubkey, role },
    audit(room, by, `unassign role ${role}`, pubkey),
  ]);
  return true;
}

function needRole(room: Room, id: string): void {
  if (!roles(room).some((one) => one.id === id)) {
    throw new AdminError('refused', `There is no role "${id}".`);
  }
}

function audit(room: Room, by: string, action: string, subject: string) {
  return { t: 'audit', at: room.clock.seconds(), by, action, subject, reason: '' } as const;
}
