// Flood of queries that touch a second with very many events.

import type { Scenario } from './scenario.ts';

const EVENTS = { short: 3000, full: 30_000 };
const SECOND = 1_600_000_000;

const questions = [
  (n: number) => `["REQ","${n}",{"until":${SECOND},"limit":1}]`,
  (n: number) => `["REQ","${n}",{"since":${SECOND},"until":${SECOND},"limit":500}]`,
  (n: number) => `["COUNT","${n}",{"since":${SECOND},"until":${SECOND}}]`,
  (n: number) => `["REQ","${n}",{"kinds":[1],"until":${SECOND + 1},"limit":20}]`,
];

/**
 * Flood of queries for a crowded second. Events of one second are sorted by id for every answer
 * that touches it.
 */
export const crowdedSecond: Scenario = {
  name: 'crowded-second',
  about: '30,000 stored events of one second, and queries that match it: limit 1, 500, COUNT',
  from: ['one', 'many'],
  proof: 'messages',
  async prepare(attack) {
    const author = await attack.author();
    const count = attack.short ? EVENTS.short : EVENTS.full;
    await attack.store(
      author,
      Array.from({ length: count }, () => ({ created_at: SECOND })),
    );
  },
  async flood(attack) {
    let asked = 0;
    await attack.converse([4, 1], 10, () => questions[asked % questions.length]!(asked++ % 100));
  },
};
