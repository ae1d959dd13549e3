// Send windows of query workers: bytes in flight to one client and to all, and confirmations.

import { describe, expect, it } from 'vitest';
import { SendWindows } from '../../src/query/send-windows.ts';

const KIB = 1024;
const bounds = { clientBytes: 1024 * KIB, totalBytes: 2048 * KIB };

/** Sends events of 4 KiB to a client until a query is blocked; returns the bytes. */
function fill(windows: SendWindows, connId: number, most: number, resume = () => {}): number {
  let bytes = 0;
  while (bytes < most && windows.canSend(connId, windows, resume)) {
    windows.confirm(connId);
    windows.sent(connId, 4 * KIB);
    bytes += 4 * KIB;
  }
  return bytes;
}

describe('SendWindows', () => {
  it('blocks a client at its own bound, and resumes it when io confirms', () => {
    const windows = new SendWindows(bounds);
    let resumed = 0;
    expect(fill(windows, 1, 1e9, () => resumed++)).toBe(1024 * KIB);
    expect(windows.canSend(1, windows, () => resumed++)).toBe(false);
    expect(resumed).toBe(0);
    windows.confirmed(1);
    expect(resumed).toBe(1);
    expect(windows.canSend(1, windows, () => {})).toBe(true);
  });

  it('gives a client what is still free of the common bound, and 64 KiB in any case', () => {
    const windows = new SendWindows(bounds);
    let all = 0;
    for (let connId = 1; connId <= 400; connId++) {
      const bytes = fill(windows, connId, 1e9);
      expect(bytes).toBeGreaterThanOrEqual(64 * KIB);
      all += bytes;
    }
    expect(all).toBeLessThanOrEqual(2048 * KIB + 400 * 68 * KIB);
    // What a client has taken, or left with its connection, is free for the others.
    for (let connId = 1; connId <= 399; connId++) windows.forget(connId);
    const alone = fill(windows, 401, 1e9);
    expect(alone).toBeGreaterThan(900 * KIB);
  });

  it('counts no bytes of clients that were never asked for a confirmation', () => {
    const windows = new SendWindows(bounds);
    for (let connId = 1; connId <= 10_000; connId++) fill(windows, connId, 16 * KIB);
    expect(fill(windows, 10_001, 1e9)).toBe(1024 * KIB);
  });

  it('asks again for what was sent after it asked', () => {
    const windows = new SendWindows(bounds);
    fill(windows, 1, 512 * KIB);
    expect(windows.confirm(1)).toBe(false);
    windows.confirmed(1);
    // 480 of 512 KiB were sent after the first confirmation was asked for.
    expect(windows.confirm(1)).toBe(true);
    windows.confirmed(1);
    expect(windows.confirm(1)).toBe(false);
    expect(windows.canSend(1, windows, () => {})).toBe(true);
  });

  it('never blocks a query that has no confirmation to wait for', () => {
    const windows = new SendWindows({ clientBytes: 4 * KIB, totalBytes: 8 * KIB });
    windows.sent(1, 64 * KIB);
    expect(windows.canSend(1, windows, () => {})).toBe(true);
    expect(windows.confirm(1)).toBe(true);
    expect(windows.canSend(1, windows, () => {})).toBe(false);
  });

  it('resumes a blocked query when it is cancelled, and when its connection has closed', () => {
    const windows = new SendWindows(bounds);
    const resumed: string[] = [];
    fill(windows, 1, 1e9);
    const [first, second] = [{}, {}];
    expect(windows.canSend(1, first, () => resumed.push('first'))).toBe(false);
    expect(windows.canSend(1, second, () => resumed.push('second'))).toBe(false);
    windows.wake(1, first);
    windows.wake(1, first);
    expect(resumed).toEqual(['first']);
    windows.forget(1);
    expect(resumed).toEqual(['first', 'second']);
  });
});
