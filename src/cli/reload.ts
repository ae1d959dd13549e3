// `wok reload`: tells the running relay to read its configuration again, and prints the changes.

import { exitCodes } from '../lib/exit-codes.ts';
import { type Command, print } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

/** Changes of a reload, as the relay returns them. */
interface Reloaded {
  live: { key: string; from: string; to: string }[];
  waiting: { key: string; from: string; to: string }[];
}

/** Command `wok reload`: reloads the configuration of the running relay. */
export const reloadCommand: Command = {
  name: 'reload',
  summary: 'Reload the configuration of the running relay',
  flags: controlFlags,
  examples: ['wok reload', 'wok reload --config /etc/wok/relay.conf'],
  async run(call) {
    // Reads the configuration here as well, so a mistake is reported before the relay is asked.
    const reloaded = await askRelay<Reloaded>(call, 'reload');
    if (call.flags.has('json')) {
      print(JSON.stringify(reloaded));
      return exitCodes.ok;
    }
    const { live, waiting } = reloaded;
    for (const { key, from, to } of live) print(`${key} = ${to}  (was ${from})`);
    for (const { key, to } of waiting) print(`${key} becomes ${to} with a restart`);
    if (live.length + waiting.length === 0) print('No changes.');
    return exitCodes.ok;
  },
};
