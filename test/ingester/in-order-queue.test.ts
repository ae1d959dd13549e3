// Unit tests of the in-order queue of messages that wait for a policy result: order within a
// connection, independence of connections, bounds.

import { describe, expect, it } from 'vitest';
import { InOrderQueue, type Slot } from '../../src/ingester/in-order-queue.ts';
import { Random, testSeed } from '../support/random.ts';

const MANY = 1_000_000;

describe('the in-order queue', () => {
  it('handles messages of a connection in order, in whatever order they are settled', () => {
    const queue = new InOrderQueue(MANY, MANY);
    const done: string[] = [];
    const places = ['a', 'b', 'c'].map((name) => ({ name, place: queue.take(1, 10) }));
    const settle = ({ name, place }: { name: string; place: Slot }) =>
      place.settle(() => done.push(name));
    settle(places[2]!);
    settle(places[1]!);
    expect(done).toEqual([]);
    expect(queue.has(1)).toBe(true);
    settle(places[0]!);
    expect(done).toEqual(['a', 'b', 'c']);
    expect(queue.has(1)).toBe(false);
    expect(queue.size).toBe(0);
  });

  it('lets no connection wait for another', () => {
    const queue = new InOrderQueue(MANY, MANY);
    const done: number[] = [];
    queue.take(1, 10);
    queue.take(2, 10).settle(() => done.push(2));
    expect(done).toEqual([2]);
    expect(queue.has(1)).toBe(true);
    expect(queue.has(2)).toBe(false);
  });

  it('is full by number and by bytes, and has space again afterwards', () => {
    const queue = new InOrderQueue(2, 100);
    const first = queue.take(1, 60);
    expect(queue.admits(40)).toBe(true);
    expect(queue.admits(41)).toBe(false);
    const second = queue.take(1, 10);
    expect(queue.admits(0)).toBe(false);
    second.settle(() => {});
    expect(queue.admits(0)).toBe(false);
    first.settle(() => {});
    expect(queue.admits(100)).toBe(true);
    expect(queue.admits(101)).toBe(false);
  });

  it('drops what a connection has waiting, and frees its space', () => {
    const queue = new InOrderQueue(MANY, 100);
    const place = queue.take(1, 100);
    queue.drop(1);
    queue.drop(2);
    expect(queue.admits(100)).toBe(true);
    place.settle(() => expect.unreachable('it was given up'));
    expect(queue.admits(100)).toBe(true);
    expect(queue.admits(101)).toBe(false);
  });

  it('keeps order and count whatever happens', () => {
    const random = new Random(testSeed('in-order queue'));
    const queue = new InOrderQueue(MANY, MANY);
    const open: { connId: number; n: number; place: Slot }[] = [];
    const last = new Map<number, number>();
    let done = 0;
    const settleOne = () => {
      const [{ connId, n, place }] = open.splice(random.below(open.length), 1) as [
        { connId: number; n: number; place: Slot },
      ];
      place.settle(() => {
        expect(n).toBeGreaterThan(last.get(connId) ?? -1);
        last.set(connId, n);
        done++;
      });
    };
    for (let n = 0; n < 2000; n++) {
      const connId = random.below(5);
      open.push({ connId, n, place: queue.take(connId, 7) });
      while (open.length > 0 && random.chance(0.5)) settleOne();
    }
    while (open.length > 0) settleOne();
    expect(done).toBe(2000);
    expect(queue.size).toBe(0);
    expect(queue.admits(MANY)).toBe(true);
  });
});
