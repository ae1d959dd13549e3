import { exitCodes } from '../lib/exit-codes.ts';
import { metricsTable } from '../metrics/document.ts';
import { type Command, print } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

/** `wok metrics`: the metrics of the running relay, whether they are served or not. */
export const metricsCommand: Command = {
  usage: 'metrics',
  summary: 'Print the metrics of the running relay in the Prometheus text format',
  flags: [
    ...controlFlags.filter(({ name }) => name !== '--json'),
    { name: '--table', text: 'Print what every metric means instead, as Markdown' },
  ],
  examples: ['wok metrics | grep wok_connections', 'wok metrics --table'],
  async run(call) {
    print(call.flags.has('table') ? metricsTable() : await askRelay<string>(call, 'exposition'));
    return exitCodes.ok;
  },
};
