// `wok invite`: asks the running relay for an invite code.

import { exitCodes } from '../lib/exit-codes.ts';
import { type Call, type Command, print } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

const DAY_SECONDS = 86_400;

/** Command `wok invite`: makes a code by which people become members of the relay (NIP-43). */
export const inviteCommand: Command = {
  name: 'invite',
  summary: 'Create an invite code for new members (NIP-43)',
  flags: [
    ...controlFlags,
    { name: '--uses <number>', text: 'How many members may join with it (default: 1)' },
    {
      name: '--days <number>',
      text: 'Days until it expires, 0: never (default: 7)',
    },
  ],
  examples: ['wok invite', 'wok invite --uses 50 --days 30'],
  async run(call) {
    const uses = call.flags.integer('uses', 1, 65_535) ?? 1;
    const made = await askRelay<{ code: string }>(call, 'invite', { uses, ...endOf(call) });
    print(call.flags.has('json') ? JSON.stringify(made) : made.code);
    return exitCodes.ok;
  },
};

/**
 * Returns the end of the code, in seconds since 1970 (0: none), if the caller gives one; else the
 * relay applies its configuration.
 */
function endOf(call: Call): { expiresAt?: number } {
  const days = call.flags.integer('days', 0, 3_650);
  if (days === undefined) return {};
  return { expiresAt: days === 0 ? 0 : Math.floor(Date.now() / 1000) + days * DAY_SECONDS };
}
