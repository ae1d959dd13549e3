// The command `wok` with arguments only, for tests of the command line.

import { type Ran, runWok } from './wok.ts';

export type { Ran };

/** Runs `wok` with these arguments to its end; configuration of the machine has no effect on it. */
export function wok(...args: string[]): Promise<Ran> {
  return runWok(args);
}
