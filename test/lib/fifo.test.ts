// Unit test of Fifo, compared with an array.

import { expect, it } from 'vitest';
import { Fifo } from '../../src/lib/fifo.ts';
import { Random, testSeed } from '../support/random.ts';

const seed = testSeed('lib/fifo');

it('a queue gives what an array gives, however long it is', () => {
  const random = new Random(seed);
  const [queue, array] = [new Fifo<number>(), [] as number[]];
  for (let step = 0; step < 20_000; step++) {
    // The queue grows and shrinks in alternation.
    if (random.chance(step % 4_000 < 2_000 ? 0.7 : 0.3)) {
      queue.push(step);
      array.push(step);
    } else expect(queue.shift()).toBe(array.shift());
    if (random.chance(0.001)) {
      const keeps = (item: number) => item % 3 !== 0;
      queue.keep(keeps);
      array.splice(0, array.length, ...array.filter(keeps));
    }
    expect(queue.size).toBe(array.length);
    expect(queue.first).toBe(array[0]);
  }
});
