// RPC methods of invite codes and roles (NIP-43).

import { z } from 'zod';
import { rpcMethod } from '../rpc/method.ts';
import * as sql from '../store/database/sql.ts';
import type { RoleWithMembers } from '../web/api/people.ts';
import type { MembersContext } from './context.ts';
import type { Membership } from './membership.ts';
import { changeRoles, roles } from './roles.ts';

const USES_MAX = 65_535;
const TIME_MAX = 0xffff_ffff;

/** Context of `invite`. */
export interface InviteContext extends MembersContext {
  /** Members (NIP-43), and everything else that the relay signs. */
  readonly membership: Membership;
}

/** RPC method `invite`: returns a code by which people become members. */
export const inviteMethod = rpcMethod({
  params: z.strictObject({
    uses: z.int().min(1).max(USES_MAX).default(1),
    /** Time of expiry, in seconds since 1970; 0: never; default: `membership.invite_days`. */
    expiresAt: z.int().min(0).max(TIME_MAX).optional(),
  }),
  async run({ uses, expiresAt: end }, context: InviteContext, { by }) {
    const expiresAt = end ?? context.membership.inviteEnd;
    const code = context.membership.invite(uses, expiresAt);
    const at = context.clock.seconds();
    const reason = `${uses} uses`;
    await context.change([{ t: 'audit', at, by, action: 'invite', subject: '', reason }]);
    return { code, uses, expiresAt };
  },
});

/** RPC method `mod.roles`: returns all roles with their members. */
export const rolesMethod = rpcMethod({
  params: z.strictObject({}),
  run(_, { db }: Pick<MembersContext, 'db'>): RoleWithMembers[] {
    const given = db.prepare(sql.SELECT_ROLES_OF).all() as { pubkey: string; role: string }[];
    return roles({ db }).map((role) => ({
      ...role,
      members: given.filter((one) => one.role === role.id).map(({ pubkey }) => pubkey),
    }));
  },
});

/** RPC method `mod.role`: makes, changes or deletes a role, assigns it or takes it from a key. */
export const roleMethod = rpcMethod({
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
  run: (params, context: MembersContext, { by }) => changeRoles(context, params, by),
});
