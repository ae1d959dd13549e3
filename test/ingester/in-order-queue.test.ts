// Unit tests of the in-order queue of messages that wait for a policy result: order within a
// connection, independence of connections, bounds.

import { describe, expect, it } from 'vitest';
import { InOrderQueue, type Slot } from '../../src/ingester/in-order-queue.ts';
import { Random, testSeed } from '../support/random.ts';

const MANY = 1_000_000;

describe('the waiting room', () => {
  it('does what a connection sent in its order, whenever the verdicts come', () => {
    const room = new InOrderQueue(MANY, MANY);
    const done: string[] = [];
    const places = ['a', 'b', 'c'].map((name) => ({ name, place: room.take(1, 10) }));
    const settle = ({ name, place }: { name: string; place: Slot }) =>
      place.settle(() => done.push(name));
    settle(places[2]!);
    settle(places[1]!);
    expect(done).toEqual([]);
    expect(room.has(1)).toBe(true);
    settle(places[0]!);
    expect(done).toEqual(['a', 'b', 'c']);
    expect(room.has(1)).toBe(false);
    expect(room.size).toBe(0);
  });

  it('lets no connection wait for another', () => {
    const room = new InOrderQueue(MANY, MANY);
    const done: number[] = [];
    room.take(1, 10);
    room.take(2, 10).settle(() => done.push(2));
    expect(done).toEqual([2]);
    expect(room.has(1)).toBe(true);
    expect(room.has(2)).toBe(false);
  });

  it('is full by number and by bytes, and has room again afterwards', () => {
    const room = new InOrderQueue(2, 100);
    const first = room.take(1, 60);
    expect(room.admits(40)).toBe(true);
    expect(room.admits(41)).toBe(false);
    const second = room.take(1, 10);
    expect(room.admits(0)).toBe(false);
    second.settle(() => {});
    expect(room.admits(0)).toBe(false);
    first.settle(() => {});
    expect(room.admits(100)).toBe(true);
    expect(room.admits(101)).toBe(false);
  });

  it('gives up what a connection has waiting, and frees its room', () => {
    const room = new InOrderQueue(MANY, 100);
    const place = room.take(1, 100);
    room.drop(1);
    room.drop(2);
    expect(room.admits(100)).toBe(true);
    place.settle(() => expect.unreachable('it was given up'));
    expect(room.admits(100)).toBe(true);
    expect(room.admits(101)).toBe(false);
  });

  it('keeps order and count whatever happens', () => {
    const random = new Random(testSeed('waiting room'));
    const room = new InOrderQueue(MANY, MANY);
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
      open.push({ connId, n, place: room.take(connId, 7) });
      while (open.length > 0 && random.chance(0.5)) settleOne();
    }
    while (open.length > 0) settleOne();
    expect(done).toBe(2000);
    expect(room.size).toBe(0);
    expect(room.admits(MANY)).toBe(true);
  });
});
