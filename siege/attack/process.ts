/** The process of the attackers: it has a place behind the relay, as if it were on another machine. */
import { setPriority } from 'node:os';
import { serve } from '../child.ts';
import { scenarios } from '../scenarios/list.ts';
import { Attack, type AttackJob } from './attack.ts';

/**
 * Attackers have processors of their own: where they share the relay's, they take what it and its
 * clients leave.
 */
const NICENESS = 10;

/** A job with the name of its scenario. */
export interface NamedJob extends AttackJob {
  readonly scenario: string;
}

/** What a flood is asked for. */
export interface FloodCall {
  readonly job: NamedJob;
  /** How long it lasts from its first message, and how long that is waited for. */
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
