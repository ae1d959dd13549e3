// Unit tests of Backlog, the fair queue of frames of an ingester worker.

import { describe, expect, it } from 'vitest';
import { Backlog } from '../../src/ingester/backlog.ts';
import type { Frame } from '../../src/messages/io-ingester.ts';
import { DISCONNECTED, FRAME } from '../../src/messages/io-ingester.ts';

const BYTES = Buffer.from('[]');

function frame(connId: number, type: Frame['type'] = FRAME): Frame {
  return { type, connId, bytes: BYTES };
}

/** Worker that takes 0.2 ms a frame, by a clock that only frames advance. */
class WorkerState {
  #now = 0;
  readonly backlog = new Backlog(() => this.#now);

  /** Works until the backlog is empty; returns the frames by connection in order of handling. */
  workOff(): { connId: number; arrivedAt: number }[] {
    const handled: { connId: number; arrivedAt: number }[] = [];
    while (this.backlog.size > 0) {
      this.backlog.work(this.#now + 5, ({ connId }, arrivedAt) => {
        handled.push({ connId, arrivedAt });
        this.#now += 0.2;
      });
    }
    return handled;
  }
}

describe('the backlog of an ingester worker', () => {
  it('keeps the order of a connection', () => {
    const worker = new WorkerState();
    const { backlog } = worker;
    for (let i = 0; i < 300; i++) backlog.add(`192.0.2.${i % 3}`, frame(i % 7), i);
    expect(backlog.size).toBe(300);
    const handled = worker.workOff();
    expect(handled).toHaveLength(300);
    for (let connId = 0; connId < 7; connId++) {
      const times = handled
        .filter((one) => one.connId === connId)
        .map(({ arrivedAt }) => arrivedAt);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  it('handles what one address has sent before the flood of another', () => {
    const worker = new WorkerState();
    const { backlog } = worker;
    for (let i = 0; i < 400; i++) backlog.add('192.0.2.1', frame(1 + (i % 10)), i);
    for (let i = 0; i < 3; i++) backlog.add('192.0.2.2', frame(99), 400 + i);
    const order = worker.workOff().map(({ connId }) => connId);
    // At most one turn of the flood comes before each of the three frames.
    expect(order.lastIndexOf(99)).toBeLessThan(100);
  });

  it('handles a short message before the long ones that fifty addresses have sent before', () => {
    const worker = new WorkerState();
    const { backlog } = worker;
    const long = Buffer.alloc(100_000);
    for (let i = 0; i < 200; i++) {
      backlog.add(`198.18.${i % 50}.1`, { type: FRAME, connId: 1 + (i % 50), bytes: long }, i);
    }
    for (let i = 0; i < 20; i++) backlog.add('192.0.2.2', frame(99), 200 + i);
    const order = worker.workOff().map(({ connId }) => connId);
    expect(order.lastIndexOf(99)).toBe(19);
  });

  it('remembers what an address has used while it sends nothing, until others have used as much', () => {
    const worker = new WorkerState();
    const { backlog } = worker;
    const long = { type: FRAME, bytes: Buffer.alloc(10_000) } as const;
    backlog.add('198.18.0.1', { ...long, connId: 1 }, 0);
    worker.workOff();
    backlog.add('198.18.0.1', { ...long, connId: 1 }, 1);
    backlog.add('192.0.2.2', { ...long, connId: 2 }, 2);
    expect(worker.workOff().map(({ connId }) => connId)).toEqual([2, 1]);
  });

  it('gives a connection its turn beside nine others of its address that send more', () => {
    const worker = new WorkerState();
    const { backlog } = worker;
    for (let i = 0; i < 450; i++) backlog.add('192.0.2.1', frame(1 + (i % 9)), i);
    backlog.add('192.0.2.1', frame(99, DISCONNECTED), 450);
    const order = worker.workOff().map(({ connId }) => connId);
    expect(order.indexOf(99)).toBeLessThan(200);
  });
});
