// The command `wok` with arguments only, in the process of the test, for tests of what it does.

import { type Ran, wokHere } from './wok.ts';

export type { Ran };

/** Runs `wok` with these arguments to its end; configuration of the machine has no effect on it. */
export function wok(...args: string[]): Promise<Ran> {
  return wokHere(args);
}
