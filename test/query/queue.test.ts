// Unit test of the queue of a query worker: cancelled queries, whose number no turn may bound.

import { expect, it } from 'vitest';
import { QueryQueue, type QueryTurns, type Run } from '../../src/query/turns.ts';
import { Random, testSeed } from '../support/random.ts';

const seed = testSeed('query/queue');

/** Returns a query that has not begun. */
function query(turns: QueryTurns): Run {
  return {
    connId: 0,
    cancelled: false,
    counted: true,
    work: 0,
    rows: 0,
    expectedRows: 1,
    queryCost: null,
    turns,
    hasTurned: false,
    held: 0,
    step: () => 'done',
    weigh: () => 0,
    drop: () => {},
  };
}

it('cancelled queries leave the queue, though their connection gets no turn', () => {
  const queue = new QueryQueue();
  const turns = queue.connect('');
  for (let i = 0; i < 10_000; i++) {
    const run = query(turns);
    queue.add(run);
    queue.cancel(run);
    queue.cancel(run);
    expect(queue.size).toBeLessThan(2);
  }
  expect(queue.take()).toBeUndefined();
});

it('the other queries keep their order, and each is taken once', () => {
  const random = new Random(seed);
  const queue = new QueryQueue();
  const turns = ['a', 'b'].map((name) => queue.connect(name));
  const [waiting, taken] = [new Map<QueryTurns, Run[]>(), [] as Run[]];
  for (const each of turns) waiting.set(each, []);
  for (let step = 0; step < 20_000; step++) {
    const own = random.pick(turns);
    const list = waiting.get(own) as Run[];
    const choice = random.below(3);
    if (choice === 0) {
      const run = query(own);
      queue.add(run);
      list.push(run);
    } else if (choice === 1 && list.length > 0) {
      queue.cancel(list.splice(random.below(list.length), 1)[0] as Run);
    } else if (choice === 2) {
      const run = queue.take();
      if (run === undefined) {
        expect([...waiting.values()].flat()).toEqual([]);
        continue;
      }
      run.hasTurned = true;
      queue.charge(run, 1);
      if (run.cancelled) continue;
      expect(waiting.get(run.turns)?.shift()).toBe(run);
      taken.push(run);
    }
    const open = [...waiting.values()].flat().length;
    expect(queue.size).toBeGreaterThanOrEqual(open);
    expect(queue.size).toBeLessThanOrEqual(2 * open + turns.length);
  }
  expect(new Set(taken).size).toBe(taken.length);
});
