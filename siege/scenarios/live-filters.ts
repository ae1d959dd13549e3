// Flood of live subscriptions with very many authors and kinds.

import { sleep } from '../../bench/load/driver.ts';
import { NumberedFrame } from '../attack/numbered-frame.ts';
import type { Scenario } from './scenario.ts';

/**
 * Size of a large filter, 1,800 authors and 200 kinds: 360,000 pairs of both in a REQ of 122 kB.
 */
const LARGE = { authors: 1800, kinds: 200 };
const SMALL = { authors: 20, kinds: 20 };
const LISTS = 8;

/**
 * Flood of live subscriptions to authors × kinds, which an implementation might index by their
 * combinations.
 */
export const liveFilters: Scenario = {
  name: 'live-filters',
  about: 'subscriptions of 1,800 authors × 200 kinds (122 kB each), and many small ones',
  from: ['one', 'many', 'loopback'],
  proof: 'subscriptions',
  async flood(attack) {
    const { random } = attack;
    const filter = ({ authors, kinds }: typeof LARGE, first: number) =>
      JSON.stringify({
        authors: Array.from({ length: authors }, () => random.hex(64)),
        kinds: Array.from({ length: kinds }, (_, n) => first + n),
        limit: 1,
      });
    const large = Array.from({ length: LISTS }, (_, n) => filter(LARGE, 1000 * n));
    const small = Array.from({ length: LISTS }, (_, n) => filter(SMALL, 1000 * n));
    const frames = [large, small].map((filters) =>
      filters.map((one) => new NumberedFrame('["REQ","', `",${one}]`)),
    );
    await attack.wires([20, 4], async (wire, number) => {
      const own = frames[number % 2]!;
      for (let n = 0; !attack.isOver; n++) {
        if (!(await wire.write(...own[n % LISTS]!.numbered(n)))) return;
        attack.count('subscriptions');
        // The pause gives the other connections a turn.
        if (n % 20 === 19) await sleep(1);
      }
    });
  },
};
