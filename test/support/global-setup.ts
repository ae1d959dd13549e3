// Global setup and teardown of a test run, in the process that owns the vitest workers.

import { tmpdir } from 'node:os';
import { makeRunDirectory, removeTree } from './temporary.ts';

/**
 * Makes the folder of the run the temporary directory (TMPDIR) of the workers and of their child
 * processes: relays, commands, browsers. Returns the function that removes it, which runs even if
 * tests failed or workers died.
 */
export function setup(): () => void {
  const before = process.env.TMPDIR;
  const directory = makeRunDirectory(tmpdir());
  process.env.TMPDIR = directory;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    removeTree(directory);
  };
}
