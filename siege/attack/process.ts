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

function scenarioOf({ scenario }: NamedJob) {
  return scenarios.find(({ name }) => name === scenario)!;
}

setPriority(NICENESS);
serve({
  prepare: (job: NamedJob) => scenarioOf(job).prepare?.(new Attack(job)),
  flood: ({ job, milliseconds }: { job: NamedJob; milliseconds: number }) =>
    new Attack(job).run((attack) => scenarioOf(job).flood(attack), milliseconds),
});
