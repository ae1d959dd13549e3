import type { Status } from '../admin/verbs/status.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { type Command, print } from './command.ts';
import { askRelay, controlFlags } from './control.ts';

/** `wok status`: what runs on this data directory. */
export const statusCommand: Command = {
  name: 'status',
  summary: 'Tell about the relay that runs on the data directory',
  flags: controlFlags,
  examples: ['wok status --data /var/lib/wok'],
  async run(call) {
    const status = await askRelay<Status>(call, 'status');
    if (call.flags.has('json')) {
      print(JSON.stringify(status));
      return exitCodes.ok;
    }
    const { version, pid, startedAt, database, databaseBytes, seq, indexedSeq } = status;
    print(
      [
        `wok ${version}, process ${pid}, since ${new Date(startedAt * 1000).toISOString()}`,
        `database  ${database}, ${(databaseBytes / 1024 / 1024).toFixed(1)} MiB`,
        `log       ${seq} events were accepted, ${indexedSeq} of them are in the index`,
      ].join('\n'),
    );
    return exitCodes.ok;
  },
};
