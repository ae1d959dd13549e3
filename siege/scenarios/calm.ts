import type { Scenario } from './scenario.ts';

/** No flood at all: what the machine gives to honest clients, to be compared with. */
export const calm: Scenario = {
  name: 'calm',
  about: 'nothing: what the machine gives to honest clients at the moment',
  from: ['one'],
  proof: 'waits',
  async flood(attack) {
    attack.count('waits');
    await attack.over;
  },
};
