// Unit tests of the accounting of subscription memory.

import { expect, it } from 'vitest';
import { Credits } from '../../src/channel/credits.ts';
import { SubscriptionMemory } from '../../src/ingester/subscription-memory.ts';

const KIB = 1024;
const MAX = 1024 * KIB;

function newMemory(): SubscriptionMemory {
  const own = new Credits(Credits.share(1), 0);
  return new SubscriptionMemory(MAX, own, [own]);
}

it('an address may hold as much as is still free', () => {
  const memory = newMemory();
  expect(memory.mayHold('a', MAX)).toBe(true);
  expect(memory.mayHold('a', MAX + 1)).toBe(false);
  memory.hold('a', 400 * KIB);
  expect(memory.mayHold('a', 200 * KIB)).toBe(true);
  expect(memory.mayHold('a', 300 * KIB)).toBe(false);
  expect(memory.mayHold('b', 624 * KIB)).toBe(true);
});

it('an address that holds little is served while nothing is free, within a bound', () => {
  const memory = newMemory();
  memory.hold('a', MAX);
  expect(memory.mayHold('a', KIB)).toBe(false);
  expect(memory.mayHold('b', 64 * KIB)).toBe(true);
  expect(memory.mayHold('b', 65 * KIB)).toBe(false);
  memory.hold('b', 40 * KIB);
  expect(memory.mayHold('b', 30 * KIB)).toBe(false);
  for (const address of ['c', 'd', 'e']) memory.hold(address, 64 * KIB);
  expect(memory.mayHold('f', 24 * KIB)).toBe(true);
  expect(memory.mayHold('f', 25 * KIB)).toBe(false);
  memory.release('a', MAX);
  expect(memory.mayHold('f', 500 * KIB)).toBe(true);
});
