// Unit tests of IdleCollection, the garbage collection in idle threads.

import { describe, expect, it } from 'vitest';
import { IdleCollection } from '../../src/lib/idle-collection.ts';

const MIB = 1024 * 1024;

/** Thread with a heap size set by the test; a collection leaves 12 MiB. */
class Thread {
  collections = 0;
  releases = 0;
  /** True if what is released has to be collected. */
  asks = false;
  heap = 12 * MIB;
  readonly #idle = new IdleCollection(
    () => {
      this.collections++;
      this.heap = 12 * MIB;
    },
    () => {
      this.releases++;
      return this.asks;
    },
  );

  seconds(count: number, busyShare: number, heap = this.heap): void {
    this.heap = heap;
    for (let i = 0; i < count; i++) this.#idle.sample(busyShare, this.heap);
  }
}

describe('the collection of an idle thread', () => {
  it('comes once a flood is over for a while, and once', () => {
    const thread = new Thread();
    thread.seconds(5, 0.01);
    thread.seconds(60, 0.9, 80 * MIB);
    expect(thread.collections).toBe(0);
    thread.seconds(9, 0.01);
    expect(thread.collections).toBe(0);
    thread.seconds(100, 0.01);
    expect(thread.collections).toBe(1);
    thread.seconds(60, 0.9, 80 * MIB);
    thread.seconds(10, 0.01);
    expect(thread.collections).toBe(2);
  });

  it('gives up what can be got again once after each time that a thread was busy', () => {
    const thread = new Thread();
    thread.seconds(100, 0.01);
    expect(thread.releases).toBe(0);
    for (let time = 1; time <= 3; time++) {
      thread.seconds(1, 0.9);
      thread.seconds(9, 0.01);
      expect(thread.releases).toBe(time - 1);
      thread.seconds(50, 0.01);
      expect(thread.releases).toBe(time);
    }
    expect(thread.collections).toBe(0);
  });

  it('comes when what was given up has to be collected', () => {
    const thread = new Thread();
    thread.asks = true;
    thread.seconds(5, 0.01);
    thread.seconds(1, 0.9);
    thread.seconds(50, 0.01);
    expect([thread.releases, thread.collections]).toEqual([1, 1]);
  });

  it('does not come while a thread is busy now and then, nor for a little', () => {
    const thread = new Thread();
    thread.seconds(5, 0.01);
    for (let i = 0; i < 20; i++) {
      thread.seconds(1, 0.5);
      thread.seconds(9, 0.01, 80 * MIB);
    }
    thread.seconds(1, 0.5);
    thread.seconds(100, 0.01, 17 * MIB);
    expect(thread.collections).toBe(0);
  });

  it('does not come again for what a collection does not free', () => {
    const thread = new Thread();
    const idle = new IdleCollection(() => thread.collections++);
    for (let i = 0; i < 100; i++) idle.sample(0.01, i < 5 ? 12 * MIB : 60 * MIB);
    expect(thread.collections).toBe(1);
  });

  it('frees memory', () => {
    const idle = new IdleCollection();
    idle.sample(0, process.memoryUsage().heapUsed);
    let garbage: unknown[] | null = Array.from({ length: 400_000 }, (_, i) => ({
      i,
      text: `${i}`,
    }));
    // Not by `expect`, which would keep a reference to the garbage.
    const before = garbage.length > 0 ? process.memoryUsage().heapUsed : 0;
    garbage = null;
    for (let i = 0; i < 10; i++) idle.sample(0, before + 1000 * MIB);
    expect(process.memoryUsage().heapUsed).toBeLessThan(before - 8 * MIB);
  });
});
