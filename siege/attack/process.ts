// Process of the attackers. It runs at a lower priority than the relay, as if it were on another
// machine.

import { setPriority } from 'node:os';
import { serve } from '../child.ts';
import { scenarios } from '../scenarios/list.ts';
import { Attack, type AttackJob } from './attack.ts';

/**
 * Nice value of the process. Real attackers have processors of their own: where they share the
 * relay's, they take only what it and its clients leave.
 */
const NICENESS = 10;

/** Job with the name of its scenario. */
export interface NamedJob extends AttackJob {
  readonly scenario: string;
}

/** Arguments of the call that runs a flood. */
export interface FloodCall {
  readonly job: NamedJob;
  /**
   * Duration from its first message, and time that the first message is waited for, in
   * milliseconds.
   */
  readonly milliseconds: number;
  readonly patience: number;
}

function scenarioOf({ scenario }: NamedJob) {
  return scenarios.find(({ name }) => name === scenario)!;
}

setPriority(NICENESS);
serve({
  prepare: (job: NamedJob) => {
    const { prepare, proof } = scenarioOf(job);
    return prepare?.(new Attack(job, proof));
  },
  flood: ({ job, milliseconds, patience }: FloodCall) => {
    const { flood, proof } = scenarioOf(job);
    return new Attack(job, proof).run(flood, milliseconds, patience);
  },
});
