// Unit tests of the scheduler of a query worker: the order of queries of addresses and connections.

import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import { BaseRun } from '../../src/query/run.ts';
import { Scheduler } from '../../src/query/scheduler.ts';
import type { QueryTurns, Step } from '../../src/query/turns.ts';
import type { Budget } from '../../src/store/read/scan.ts';
import type { Snapshot } from '../../src/store/read/snapshot.ts';

const MIB = 1024 * 1024;

/** Clock that only the steps of runs advance. */
class WorkClock implements Clock {
  now = 0;
  seconds = () => Math.floor(this.now / 1000);
  milliseconds = () => this.now;
}

/** Run that takes this many milliseconds, 1 ms a step, and holds `bytes` until it ends. */
class Work extends BaseRun {
  readonly name: string;
  readonly #clock: WorkClock;
  readonly #bytes: number;
  left: number;

  constructor(name: string, turns: QueryTurns, clock: WorkClock, milliseconds: number, bytes = 0) {
    super(1, { queryCost: null, turns });
    this.name = name;
    this.#clock = clock;
    this.#bytes = bytes;
    this.left = milliseconds;
  }

  override step(budget: Budget): Step {
    budget.rows = 0;
    this.#clock.now++;
    return --this.left > 0 ? 'again' : 'done';
  }

  override weigh(): number {
    return this.#bytes;
  }
}

/** Query worker without a database, and a log of its runs. */
class WorkerState {
  readonly clock = new WorkClock();
  readonly log: { name: string; what: string; at: number }[] = [];
  readonly scheduler: Scheduler;
  waitedMax = new Map<string, number>();
  #done: () => void = () => {};

  constructor() {
    const snapshot = { enter() {}, leave() {} } as unknown as Snapshot;
    const note = (what: string) => (run: unknown) => {
      this.log.push({ name: (run as Work).name, what, at: this.clock.now });
    };
    this.scheduler = new Scheduler(snapshot, this.clock, 10, {
      beforeSlice() {},
      begins: note('begins'),
      afterSlice: () => {
        if (this.scheduler.waiting === 0) this.#done();
      },
      over: note('over'),
      unreadable() {},
      tooLarge: note('too large'),
    });
  }

  work(name: string, turns: QueryTurns, milliseconds: number, bytes = 0): Work {
    const run = new Work(name, turns, this.clock, milliseconds, bytes);
    this.scheduler.add(run);
    return run;
  }

  /** Resolves when no run waits any more. */
  rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  at(name: string, what = 'over'): number {
    return this.log.find((entry) => entry.name === name && entry.what === what)!.at;
  }
}

describe('the turns of queries', () => {
  it('a thousand long ones of one address delay a short one of another by one turn', async () => {
    const worker = new WorkerState();
    const { queue: turns } = worker.scheduler;
    for (let connection = 0; connection < 10; connection++) {
      const busy = turns.connect('192.0.2.1');
      for (let i = 0; i < 100; i++) worker.work(`busy ${connection} ${i}`, busy, 45);
    }
    worker.work('short', turns.connect('192.0.2.2'), 1);
    await worker.rest();
    expect(worker.at('short')).toBeLessThanOrEqual(10 + 2);
    expect(worker.clock.now).toBe(1_000 * 45 + 1);
  });

  it('fifty addresses have the same of the worker, however many connections each has', async () => {
    const worker = new WorkerState();
    const { queue: turns } = worker.scheduler;
    for (let address = 0; address < 50; address++) {
      const connections = 1 + (address % 5);
      for (let i = 0; i < 20 * connections; i++) {
        worker.work(`${address}`, turns.connect(`192.0.2.${address}`), 100 / connections);
      }
    }
    await worker.rest();
    const ends = Array.from({ length: 50 }, (_, address) =>
      Math.max(...worker.log.filter(({ name }) => name === `${address}`).map(({ at }) => at)),
    );
    // All have requested the same amount of work, so all end at about the same time.
    expect(Math.min(...ends)).toBeGreaterThan(worker.clock.now * 0.9);
  });

  it('a short query of a connection goes before its long ones', async () => {
    const worker = new WorkerState();
    const connection = worker.scheduler.queue.connect('192.0.2.1');
    for (let i = 0; i < 3; i++) worker.work(`long ${i}`, connection, 500);
    worker.work('short', connection, 1);
    await worker.rest();
    expect(worker.at('short')).toBeLessThanOrEqual(20);
  });

  it('no more than four queries of a connection are begun', async () => {
    const worker = new WorkerState();
    const connection = worker.scheduler.queue.connect('192.0.2.1');
    for (let i = 0; i < 40; i++) worker.work(`${i}`, connection, 30);
    await worker.rest();
    let running = 0;
    for (const { what } of worker.log) {
      running += what === 'begins' ? 1 : -1;
      expect(running).toBeLessThanOrEqual(4);
    }
    expect(worker.log).toHaveLength(80);
  });

  it('the largest query of the address that holds most is ended when all hold too much', async () => {
    const worker = new WorkerState();
    const { queue: turns } = worker.scheduler;
    worker.work('modest', turns.connect('192.0.2.1'), 100, 10 * MIB);
    const greedy = turns.connect('192.0.2.2');
    const [small, large] = [
      worker.work('greedy, small', greedy, 100, 22 * MIB),
      worker.work('greedy, large', greedy, 100, 33 * MIB),
    ];
    await worker.rest();
    expect(worker.log.filter(({ what }) => what === 'too large').map(({ name }) => name)).toEqual([
      'greedy, large',
    ]);
    expect(large.left).toBeGreaterThan(0);
    expect(small.left).toBe(0);
    expect(worker.at('modest')).toBeGreaterThan(0);
    // All memory was released: the same size is not too large for a later run.
    worker.work('later', greedy, 20, 60 * MIB);
    await worker.rest();
    expect(worker.at('later')).toBeGreaterThan(0);
    expect(worker.log.filter(({ what }) => what === 'too large')).toHaveLength(1);
  });
});
