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
class Lane {
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

describe('the backlog of an ingester lane', () => {
  it('keeps the order of a connection', () => {
    const lane = new Lane();
    const { backlog } = lane;
    for (let i = 0; i < 300; i++) backlog.add(`192.0.2.${i % 3}`, frame(i % 7), i);
    expect(backlog.size).toBe(300);
    const handled = lane.workOff();
    expect(handled).toHaveLength(300);
    for (let connId = 0; connId < 7; connId++) {
      const times = handled
        .filter((one) => one.connId === connId)
        .map(({ arrivedAt }) => arrivedAt);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  it('handles what one address has sent before the flood of another', () => {
    const lane = new Lane();
    const { backlog } = lane;
    for (let i = 0; i < 400; i++) backlog.add('192.0.2.1', frame(1 + (i % 10)), i);
    for (let i = 0; i < 3; i++) backlog.add('192.0.2.2', frame(99), 400 + i);
    const order = lane.workOff().map(({ connId }) => connId);
    // At most one turn of the flood comes before each of the three frames.
    expect(order.lastIndexOf(99)).toBeLessThan(100);
  });

  it('handles a short message before the long ones that fifty addresses have sent before', () => {
    const lane = new Lane();
    const { backlog } = lane;
    const long = Buffer.alloc(100_000);
    for (let i = 0; i < 200; i++) {
      backlog.add(`198.18.${i % 50}.1`, { type: FRAME, connId: 1 + (i % 50), bytes: long }, i);
    }
    for (let i = 0; i < 20; i++) backlog.add('192.0.2.2', frame(99), 200 + i);
    const order = lane.workOff().map(({ connId }) => connId);
    expect(order.lastIndexOf(99)).toBe(19);
  });

  it('remembers what an address has used while it sends nothing, until others have used as much', () => {
    const lane = new Lane();
    const { backlog } = lane;
    const long = { type: FRAME, bytes: Buffer.alloc(10_000) } as const;
    backlog.add('198.18.0.1', { ...long, connId: 1 }, 0);
    lane.workOff();
    backlog.add('198.18.0.1', { ...long, connId: 1 }, 1);
    backlog.add('192.0.2.2', { ...long, connId: 2 }, 2);
    expect(lane.workOff().map(({ connId }) => connId)).toEqual([2, 1]);
  });

  it('gives a connection its turn beside nine others of its address that send more', () => {
    const lane = new Lane();
    const { backlog } = lane;
    for (let i = 0; i < 450; i++) backlog.add('192.0.2.1', frame(1 + (i % 9)), i);
    backlog.add('192.0.2.1', frame(99, DISCONNECTED), 450);
    const order = lane.workOff().map(({ connId }) => connId);
    expect(order.indexOf(99)).toBeLessThan(200);
  });
});
