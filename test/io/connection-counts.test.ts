// Unit tests of ConnectionCounts: connections and unanswered messages by address and network.

import { expect, it } from 'vitest';
import { ConnectionCounts } from '../../src/io/connection-counts.ts';
import { Random, testSeed } from '../support/random.ts';

it('counts a connection of an address whose former one is settled late', () => {
  const counts = new ConnectionCounts();
  const former = counts.add('192.0.2.1', '192.0.2.0/24');
  counts.remove(former, '192.0.2.0/24');
  const load = counts.add('192.0.2.1', '192.0.2.0/24');
  counts.settle(former, 0);
  expect(counts.ofAddress('192.0.2.1')).toBe(1);
  counts.remove(load, '192.0.2.0/24');
  counts.settle(load, 0);
  expect([counts.ofAddress('192.0.2.1'), counts.ofNetwork('192.0.2.0/24')]).toEqual([0, 0]);
});

it('counts what is open, in whatever order connections come, go and are settled', () => {
  const random = new Random(testSeed('io/connection-counts'));
  const counts = new ConnectionCounts();
  const open: { name: string; load: ReturnType<ConnectionCounts['add']> }[] = [];
  const leaving: { load: ReturnType<ConnectionCounts['add']>; cost: number }[] = [];
  for (let step = 0; step < 5_000; step++) {
    const name = `192.0.2.${random.below(5)}`;
    const what = random.below(3);
    if (what === 0) {
      const load = counts.add(name, 'network');
      open.push({ name, load });
    } else if (what === 1 && open.length > 0) {
      const [{ load }] = open.splice(random.below(open.length), 1) as [(typeof open)[0]];
      const cost = random.below(2) * 600;
      load.inFlightCost += cost;
      counts.remove(load, 'network');
      leaving.push({ load, cost });
    } else if (leaving.length > 0) {
      const [{ load, cost }] = leaving.splice(random.below(leaving.length), 1) as [
        (typeof leaving)[0],
      ];
      counts.settle(load, cost);
    }
    const expected = open.filter((one) => one.name === name).length;
    expect(counts.ofAddress(name)).toBe(expected);
    expect(counts.ofNetwork('network')).toBe(open.length);
  }
});
