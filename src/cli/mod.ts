// `wok mod`: table of the moderation actions, which are in mod/.

import { exitCodes } from '../lib/exit-codes.ts';
import { type Command, print } from './command.ts';
import { controlFlags } from './control.ts';
import { commandHelp } from './help.ts';
import type { Action } from './mod/action.ts';
import { descriptionActions } from './mod/description.ts';
import { listActions } from './mod/lists.ts';
import { quarantineActions } from './mod/quarantine.ts';
import { reportActions } from './mod/reports.ts';
import { retentionActions } from './mod/retention.ts';

const actions: Readonly<Record<string, Action>> = {
  ...listActions,
  ...reportActions,
  ...quarantineActions,
  ...descriptionActions,
  ...retentionActions,
  help: {
    args: '',
    summary: 'Show this help',
    run: async () => print(commandHelp(modCommand)),
  },
};

/** Actions that write a reason into the lists or the audit log. */
const WITH_REASON = [
  'ban',
  'unban',
  'allow',
  'unallow',
  'remove',
  'release',
  'discard',
  'dismiss',
] as const;

/** Command `wok mod`: moderates the relay that runs on the data directory. */
export const modCommand: Command = {
  name: 'mod',
  actions,
  summary: 'Moderate a running relay: bans, reports, removal, audit log (wok mod help)',
  flags: [
    ...controlFlags,
    {
      name: '--reason <text>',
      text: 'Reason, shown in the lists and in the audit log',
      of: WITH_REASON,
    },
    {
      name: '--for <time>',
      text: 'Duration: 30m, 12h, 7d, 2w, 1y (default: permanent)',
      of: ['ban', 'allow'],
    },
    { name: '--remove', text: 'With pubkey: also remove its stored events', of: ['ban'] },
    { name: '--keep', text: 'Never queue reports of this event again', of: ['dismiss'] },
    {
      name: '--limit <number>',
      text: 'Rows to show (100)',
      of: ['audit', 'reports', 'report', 'quarantine'],
    },
  ],
  examples: [
    'wok mod ban pubkey npub1… --for 7d --reason "floods every thread"',
    'wok mod ban ip 192.0.2.0/24',
    'wok mod remove event 5c83da77…  --reason illegal',
    'wok mod list pubkey --json',
    'wok mod audit',
  ],
  async run(call) {
    await actions[call.action]!.run(call, call.args);
    return exitCodes.ok;
  },
};
