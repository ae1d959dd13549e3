// Flood of filters with very many combinations of conditions.

import type { Scenario } from './scenario.ts';

const STORED = { short: 1000, full: 10_000 };
const SUBSCRIPTIONS = 100;
/**
 * Size of the largest REQ, 100 filters of 20 authors × 200 kinds: each plan has 4,000 pairs, the
 * message 240 kB.
 */
const FILTERS = { count: 100, authors: 20, kinds: 200 };
const TAG_VALUES = 2000;

/** Flood of queries for as many posting lists as a message can name. */
export const expensiveFilters: Scenario = {
  name: 'expensive-filters',
  about: '100 filters of 20 authors × 200 kinds in a REQ, and filters of 2,000 tag values',
  from: ['one', 'many', 'loopback'],
  proof: 'messages',
  async prepare(attack) {
    const author = await attack.author();
    const count = attack.short ? STORED.short : STORED.full;
    await attack.store(
      author,
      Array.from({ length: count }, (_, n) => ({
        kind: 1 + (n % 7),
        created_at: 1_700_000_000 + n,
        tags: [['t', `tag ${n % TAG_VALUES}`]],
      })).filter(({ kind }) => kind !== 5 && kind !== 3),
    );
  },
  async flood(attack) {
    const { random } = attack;
    const author = await attack.author();
    const kinds = Array.from({ length: FILTERS.kinds }, (_, n) => n);
    const pairs = Array.from({ length: FILTERS.count }, () => ({
      authors: [
        author.pubkey,
        ...Array.from({ length: FILTERS.authors - 1 }, () => random.hex(64)),
      ],
      kinds,
    }));
    const tags = { '#t': Array.from({ length: TAG_VALUES }, (_, n) => `tag ${n}`) };
    const people = { '#p': Array.from({ length: TAG_VALUES }, () => random.hex(64)), kinds };
    const questions = [pairs, [tags], [people], [{ ...tags, kinds }]].map((filters) =>
      filters.map((filter) => JSON.stringify(filter)).join(','),
    );
    let asked = 0;
    await attack.converse([10, 2], 4, () => {
      const verb = asked % 5 === 4 ? 'COUNT' : 'REQ';
      const filters = questions[asked % questions.length]!;
      return `["${verb}","${asked++ % SUBSCRIPTIONS}",${filters}]`;
    });
  },
};
