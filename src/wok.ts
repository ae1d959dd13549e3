#!/usr/bin/env node
// Main of the `wok` program: checks Node.js and the limit of open files before it loads the
// commands.

import './no-inspector.ts';
import { tooFewToLoad } from './lib/descriptors.ts';
import { exitCodes } from './lib/exit-codes.ts';
import { nodeProblem } from './lib/node-version.ts';

const LINGER_MILLISECONDS = 2000;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes early (`wok config print | head`) is no failure.
    if (error.code !== 'EPIPE') process.exitCode = exitCodes.inputOutput;
  });
}

const problem = nodeProblem(process.versions.node);
const few = tooFewToLoad();
if (few !== null) {
  process.stderr.write(`wok: ${few}.\n`);
  process.exitCode = exitCodes.config;
} else if (problem === null) {
  const { runCommandLine } = await import('./cli/cli.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2));
} else {
  process.stderr.write(`wok: ${problem}.\n`);
  process.exitCode = exitCodes.unavailable;
}
// A handle that was left open must not keep a finished command alive.
setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();
