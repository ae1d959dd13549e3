import { exitCodes } from '../lib/exit-codes.ts';
import { type Command, print, UsageError } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

const DAY_SECONDS = 86_400;

/** `wok invite`: a code by which people become members of the relay (NIP-43). */
export const inviteCommand: Command = {
  usage: 'invite',
  summary: 'Make an invite code, by which people become members (NIP-43)',
  flags: [
    ...controlFlags,
    { name: '--uses <number>', text: 'How many people may come by it (1)' },
    { name: '--days <number>', text: 'How long it is good; 0 for ever (membership.invite_days)' },
  ],
  examples: ['wok invite', 'wok invite --uses 50 --days 30'],
  async run(call) {
    const uses = numberOf(call.flags.last('uses'), 1, 1, 65_535, '--uses');
    const days = numberOf(call.flags.last('days'), 7, 0, 3_650, '--days');
    const expiresAt = days === 0 ? 0 : Math.floor(Date.now() / 1000) + days * DAY_SECONDS;
    const { code } = await askRelay<{ code: string }>(call, 'invite', { uses, expiresAt });
    print(call.flags.has('json') ? JSON.stringify({ code, uses, expiresAt }) : code);
    return exitCodes.ok;
  },
};

function numberOf(
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
  flag: string,
): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${flag} is a whole number from ${min} to ${max}.`);
}
