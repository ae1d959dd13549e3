// `wok metrics`: prints the metrics of the running relay, or the table that documents them.

import { readFileSync, writeFileSync } from 'node:fs';
import { exitCodes } from '../lib/exit-codes.ts';
import { metricsTable, withMetricsTable } from '../metrics/document.ts';
import { type Command, CommandError, print } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

/** Command `wok metrics`: prints the metrics of the relay, whether they are served or not. */
export const metricsCommand: Command = {
  name: 'metrics',
  summary: 'Print the metrics of the running relay in the Prometheus text format',
  flags: [
    ...controlFlags.filter(({ name }) => name !== '--json'),
    {
      name: '--table',
      text: 'Print a Markdown table of all metrics and their meaning instead',
      excludes: ['config', 'data', 'set'],
    },
    {
      name: '--table-in <file>',
      text: 'Update the table at the end of this Markdown file',
      excludes: ['table', 'config', 'data', 'set'],
    },
  ],
  examples: ['wok metrics | grep wok_connections', 'wok metrics --table'],
  async run(call) {
    const file = call.flags.last('table-in');
    if (file !== undefined) {
      try {
        writeFileSync(file, withMetricsTable(readFileSync(file, 'utf8')));
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === undefined) throw error;
        throw new CommandError(`${file} cannot be updated: ${message}.`, exitCodes.refused);
      }
      return exitCodes.ok;
    }
    print(call.flags.has('table') ? metricsTable() : await askRelay<string>(call, 'exposition'));
    return exitCodes.ok;
  },
};
