import { type Ran, runWok } from './wok.ts';

export type { Ran };

/** Runs `wok` with these arguments and without any configuration of the machine, to its end. */
export function wok(...args: string[]): Promise<Ran> {
  return runWok(args);
}
