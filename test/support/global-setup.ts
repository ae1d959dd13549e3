/** What happens once before and once after a run of the tests, in the process that owns the workers. */
import { tmpdir } from 'node:os';
import { makeRunDirectory, removeTree } from './temporary.ts';

/**
 * Makes the folder of the run the temporary directory of the workers, of what they start and of what that
 * starts: relays, commands, browsers. Returns what removes it, whether tests failed or workers died.
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
