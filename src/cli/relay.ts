// `wok relay`: loads the configuration, then the relay and its native libraries, and runs it.

import type { Config } from '../config/options.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { isNativeLoadFailure, nativeLoadAdvice } from '../lib/uws.ts';
import { Predecessor } from '../service/succession.ts';
import type { Command } from './command.ts';
import { configFlags, configOfCall } from './config-flags.ts';

/** Command `wok relay`: runs the relay until it is told to stop. */
export const relayCommand: Command = {
  name: 'relay',
  summary: 'Run the relay',
  flags: [
    ...configFlags,
    {
      name: '--accept-loss',
      text: 'Start without committed events or a database file that are missing',
    },
  ],
  examples: ['wok relay', 'wok relay --port 7778 --data /var/lib/wok --set info.name="My relay"'],
  async run(call) {
    const predecessor = Predecessor.find(process.env);
    // Read first, so that a wrong configuration is reported even where native libraries are
    // missing.
    let config: Config;
    try {
      config = configOfCall(call);
    } catch (error) {
      await predecessor?.fails((error as Error).message);
      throw error;
    }
    let run: typeof import('../run.ts');
    try {
      run = await import('../run.ts');
    } catch (error) {
      if (!isNativeLoadFailure(error)) throw error;
      const advice = nativeLoadAdvice(error);
      await predecessor?.fails(advice);
      process.stderr.write(`wok: ${advice}\n`);
      return exitCodes.unavailable;
    }
    if (predecessor === null && call.flags.has('accept-loss')) {
      const { acceptLoss } = await import('../store/database/open.ts');
      const { storageFailure } = await import('./failure.ts');
      try {
        for (const said of acceptLoss(config.storage.directory))
          process.stderr.write(`wok: ${said}\n`);
      } catch (error) {
        return storageFailure(error, config.storage);
      }
    }
    return run.runRelay(config, () => configOfCall(call), predecessor);
  },
};
