// RPC methods that change the relay description and the roles.

import { z } from 'zod';
import type { InfoChanges } from '../../messages/admin-io.ts';
import * as sql from '../../store/database/sql.ts';
import type { RoleWithMembers } from '../../web/api/people.ts';
import { verb } from '../context.ts';
import { changeInfo, infoChanges } from '../info.ts';
import { assignRole, putRole, removeRole, roles, unassignRole } from '../roles.ts';

/** RPC method `mod.describe`: changes name, description or icon; '' restores the configured one. */
export const describeVerb = verb({
  name: 'mod.describe',
  params: z.strictObject({ what: z.enum(['name', 'description', 'icon']), text: z.string() }),
  async run({ what, text }, room, { by }): Promise<InfoChanges> {
    await changeInfo(room, `info.${what}`, text, by);
    return infoChanges(room.db);
  },
});

/** RPC method `mod.roles`: returns all roles with their members. */
export const rolesVerb = verb({
  name: 'mod.roles',
  params: z.strictObject({}),
  run(_, room): RoleWithMembers[] {
    const given = room.db.prepare(sql.SELECT_ROLES_OF).all() as { pubkey: string; role: string }[];
    return roles(room).map((role) => ({
      ...role,
      members: given.filter((one) => one.role === role.id).map(({ pubkey }) => pubkey),
    }));
  },
});

/** RPC method `mod.role`: makes, changes or deletes a role, assigns it or takes it from a key. */
export const roleVerb = verb({
  name: 'mod.role',
  params: z.discriminatedUnion('do', [
    z.strictObject({
      do: z.enum(['create', 'edit']),
      id: z.string(),
      label: z.string().default(''),
      description: z.string().default(''),
      color: z.int().nullable().default(null),
      order: z.int().nullable().default(null),
    }),
    z.strictObject({ do: z.literal('delete'), id: z.string() }),
    z.strictObject({ do: z.enum(['assign', 'unassign']), id: z.string(), pubkey: z.string() }),
  ]),
  async run(params, room, { by }) {
    switch (params.do) {
      case 'create':
      case 'edit': {
        const { do: made, ...role } = params;
        return putRole(room, role, by, made === 'create');
      }
      case 'delete':
        return removeRole(room, params.id, by);
      case 'assign':
        return assignRole(room, params.pubkey, params.id, by);
      case 'unassign':
        return unassignRole(room, params.pubkey, params.id, by);
    }
  },
});
