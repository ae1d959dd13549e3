import { exitCodes } from '../lib/exit-codes.ts';
import { nearest } from '../lib/nearest.ts';
import { type Command, print, UsageError } from './command.ts';
import { controlFlags } from './control.ts';
import { type Action, columns } from './mod/action.ts';
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
};

/** `wok mod`: moderate the relay that runs on the data directory. */
export const modCommand: Command = {
  usage: 'mod <action> [...what]',
  summary: 'Moderate a running relay: bans, reports, removal, the audit log (wok mod help)',
  flags: [
    ...controlFlags,
    { name: '--reason <text>', text: 'Why; it stands in the lists and in the audit log' },
    { name: '--for <time>', text: 'How long: 30m, 12h, 7d, 2w, 1y; without it for good' },
    { name: '--remove', text: 'With ban pubkey: also remove what it has written' },
    { name: '--keep', text: 'With dismiss: never queue reports of this event again' },
    { name: '--limit <number>', text: 'How many rows to show' },
  ],
  examples: [
    'wok mod ban pubkey npub1… --for 7d --reason "floods every thread"',
    'wok mod ban ip 192.0.2.0/24',
    'wok mod remove event 5c83da77…  --reason illegal',
    'wok mod list pubkey --json',
    'wok mod audit',
  ],
  async run(call) {
    const [name, ...rest] = call.args;
    const what = rest.flat();
    if (name === 'help') {
      print(helpText());
      return exitCodes.ok;
    }
    const action = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const meant = nearest(name ?? '', Object.keys(actions));
      const advice = meant === undefined ? 'wok mod help lists them.' : `Did you mean ${meant}?`;
      throw new UsageError(`There is no wok mod ${name ?? ''}. ${advice}`);
    }
    await action.run(call, what);
    return exitCodes.ok;
  },
};

function helpText(): string {
  const rows = Object.entries(actions).map(([name, { args, summary }]) => [
    `wok mod ${name} ${args}`.trimEnd(),
    summary,
  ]);
  return columns(rows);
}
