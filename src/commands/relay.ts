import type { Config } from '../config/options.ts';
import { exitCodes } from '../lib/exit-codes.ts';
import { Predecessor } from '../service/succession.ts';
import type { Command } from './command.ts';
import { configFlags, configOfCall } from './config-flags.ts';

/** `wok relay`: run the relay until it is told to stop. */
export const relayCommand: Command = {
  name: 'relay',
  summary: 'Run the relay',
  flags: configFlags,
  examples: ['wok relay', 'wok relay --port 7778 --data /var/lib/wok --set info.name="My relay"'],
  async run(call) {
    const predecessor = Predecessor.find(process.env);
    // First, so that a wrong configuration is reported even where native libraries are missing.
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
    return run.runRelay(config, () => configOfCall(call), predecessor);
  },
};

/** Whether an import failed because a compiled library is missing or does not fit this machine. */
export function isNativeLoadFailure(error: unknown): error is Error {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (code === 'ERR_DLOPEN_FAILED') return true;
    // What uWebSockets.js and `bindings` (better-sqlite3) say instead of the code.
    if (
      /^This version of uWS\.js supports only|^Could not locate the bindings file/.test(at.message)
    ) {
      return true;
    }
  }
  return false;
}

function nativeLoadAdvice(error: Error): string {
  const machine = `Node.js ${process.version} on ${process.platform}-${process.arch}`;
  return (
    `a native library does not load with ${machine}: ${error.message.trim()}\n` +
    'wok: install the dependencies again with this Node.js (npm install). uWebSockets.js needs glibc: 2.27 ' +
    'with Node.js 20, 2.38 with Node.js 22 and 24; it has no build for musl (Alpine).'
  );
}
