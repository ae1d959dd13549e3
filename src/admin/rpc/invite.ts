// RPC method that makes invite codes.

import { z } from 'zod';
import { verb } from '../context.ts';

const USES_MAX = 65_535;
const TIME_MAX = 0xffff_ffff;

/** RPC method `invite`: returns a code by which people become members (NIP-43). */
export const inviteVerb = verb({
  name: 'invite',
  params: z.strictObject({
    uses: z.int().min(1).max(USES_MAX).default(1),
    /** Time of expiry, in seconds since 1970; 0: never; default: `membership.invite_days`. */
    expiresAt: z.int().min(0).max(TIME_MAX).optional(),
  }),
  async run({ uses, expiresAt: end }, room, { by }) {
    const expiresAt = end ?? room.membership.inviteEnd;
    const code = room.membership.invite(uses, expiresAt);
    const at = room.clock.seconds();
    const reason = `${uses} uses`;
    await room.change([{ t: 'audit', at, by, action: 'invite', subject: '', reason }]);
    return { code, uses, expiresAt };
  },
});
