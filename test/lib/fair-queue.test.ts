// Unit tests of FairQueue, the weighted fair queue that gives members their turns.

import { describe, expect, it } from 'vitest';
import { FairQueue, Share } from '../../src/lib/fair-queue.ts';
import { Random, testSeed } from '../support/random.ts';

const seed = testSeed('lib/fair-queue');

class Named extends Share {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

describe('a fair queue', () => {
  it('gives members that use the same their turns in the order in which they came', () => {
    const queue = new FairQueue<Named>();
    for (const name of ['a', 'b', 'c']) queue.add(new Named(name));
    expect([queue.take()?.name, queue.take()?.name, queue.take()?.name]).toEqual(['a', 'b', 'c']);
    expect(queue.take()).toBeUndefined();
  });

  it('takes one that comes next, however many are busy', () => {
    const random = new Random(seed);
    const queue = new FairQueue<Named>();
    for (let i = 0; i < 50; i++) queue.add(new Named(`busy ${i}`));
    for (let turn = 0; turn < 1_000; turn++) {
      const member = queue.take()!;
      member.used += 10 + random.below(1_000_000) / 1_000_000;
      queue.add(member);
      if (turn < 50) continue;
      const quiet = new Named('quiet');
      queue.add(quiet);
      expect(queue.take()).toBe(quiet);
    }
  });

  it('owes nothing for the time in which a member was not there', () => {
    const queue = new FairQueue<Named>();
    const [idle, busy] = [new Named('idle'), new Named('busy')];
    queue.add(busy);
    for (let turn = 0; turn < 100; turn++) {
      queue.take();
      busy.used += 10;
      queue.add(busy);
    }
    queue.add(idle);
    const turns = Array.from({ length: 10 }, () => {
      const member = queue.take()!;
      member.used += 10;
      queue.add(member);
      return member.name;
    });
    expect(turns.filter((name) => name === 'idle').length).toBeLessThanOrEqual(6);
    expect(turns.filter((name) => name === 'busy').length).toBeGreaterThanOrEqual(4);
  });

  it('takes a member with a short turn before those that come at the same time with long ones', () => {
    const queue = new FairQueue<Named>();
    for (let i = 0; i < 50; i++) queue.add(new Named(`busy ${i}`), 1_000);
    const quiet = new Named('quiet');
    queue.add(quiet, 1);
    expect(queue.take()).toBe(quiet);
  });

  it('takes a member earlier when less is expected of its next turn than before', () => {
    const queue = new FairQueue<Named>();
    const [first, second] = [new Named('first'), new Named('second')];
    queue.add(first, 500);
    queue.add(second, 1_000);
    queue.add(second, 2_000);
    queue.add(second, 1);
    expect([queue.take()?.name, queue.take()?.name]).toEqual(['second', 'first']);
    expect(queue.size).toBe(0);
  });
});

describe('a fair queue: shares over many turns', () => {
  it('gives members with short turns no more than those with long ones', () => {
    const random = new Random(seed);
    const queue = new FairQueue<Named>();
    const turn = (name: string) => (name === 'long' ? 1_000 : 1 + random.below(20));
    const members = ['long', 'short', 'shorter'].map((name) => new Named(name));
    for (const member of members) queue.add(member, turn(member.name));
    for (let i = 0; i < 20_000; i++) {
      const member = queue.take()!;
      member.used = member.finish;
      queue.add(member, turn(member.name));
    }
    const used = members.map((member) => member.used);
    expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(1_000);
  });

  it('takes what a sorted list takes', () => {
    const random = new Random(seed);
    const queue = new FairQueue<Named>();
    const members = Array.from({ length: 40 }, (_, i) => new Named(`${i}`));
    const waiting = new Set<Named>();
    for (let step = 0; step < 5_000; step++) {
      const member = random.pick(members);
      if (random.chance(0.6)) {
        queue.add(member, random.below(20));
        waiting.add(member);
      } else {
        const first = [...waiting].sort((a, b) => a.finish - b.finish || a.order - b.order)[0];
        expect(queue.take()).toBe(first);
        if (first === undefined) continue;
        waiting.delete(first);
        first.used += random.below(20);
      }
      expect(queue.size).toBe(waiting.size);
    }
  });
});
