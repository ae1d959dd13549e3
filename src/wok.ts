#!/usr/bin/env node
import { runCommandLine } from './commands/cli.ts';
import { exitCodes } from './lib/exit-codes.ts';

const LINGER_MILLISECONDS = 2000;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`wok config print | head`) is no failure.
    if (error.code !== 'EPIPE') process.exitCode = exitCodes.inputOutput;
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2));
// A handle that somebody forgot must not keep a finished command alive.
setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();
