import { exitCodes } from '../lib/exit-codes.ts';
import { readPidFile } from '../service/pid-file.ts';
import { type Command, print } from './command.ts';
import { configFlags, configOfCall } from './config-flags.ts';

/** `wok reload`: have the running relay read its configuration again. */
export const reloadCommand: Command = {
  usage: 'reload',
  summary: 'Have the running relay read its configuration again',
  flags: configFlags,
  examples: ['wok reload', 'wok reload --config /etc/wok/relay.conf'],
  async run(call) {
    // A mistake is told here, where somebody looks, and not only in the log of the relay.
    const config = configOfCall(call);
    const { directory } = config.storage;
    const pid = readPidFile(directory);
    if (pid === null) {
      process.stderr.write(
        `wok: no relay runs on ${directory}; name its directory with --data, or its file with --config.\n`,
      );
      return exitCodes.unavailable;
    }
    process.kill(pid, 'SIGHUP');
    print(`The relay (process ${pid}) reads its configuration again; its log says what changed.`);
    return exitCodes.ok;
  },
};
