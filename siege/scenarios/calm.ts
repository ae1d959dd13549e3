// Baseline run without a flood.

import type { Scenario } from './scenario.ts';

/**
 * Baseline without a flood: the latencies that the machine gives to honest clients, for comparison.
 */
export const calm: Scenario = {
  name: 'calm',
  about: 'no flood: the baseline of honest clients on this machine',
  from: ['one'],
  proof: 'waits',
  async flood(attack) {
    attack.count('waits');
    await attack.over;
  },
};
