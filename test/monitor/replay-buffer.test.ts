// Unit tests of RecentEvents, the replay buffer of monitor for late hand-overs.

import { expect, it } from 'vitest';
import type { AcceptedEvent } from '../../src/messages/writer-monitor.ts';
import { ReplayBuffer } from '../../src/monitor/replay-buffer.ts';

function event(seq: number, bodyBytes: number, terms = 0): AcceptedEvent {
  const body = Buffer.alloc(bodyBytes, 'x');
  return {
    seq,
    kind: 1,
    createdAt: seq,
    terms: new Float64Array(terms),
    body,
    arrivedAt: 0,
  } as AcceptedEvent;
}

function seqsAfter(recent: ReplayBuffer, seq: number, head: number): number[] | null {
  return recent.after(seq, head)?.map((one) => one.seq) ?? null;
}

it('keeps so many events, and tells when some that are asked for were dropped', () => {
  const recent = new ReplayBuffer(10, 1_000_000);
  for (let seq = 1; seq <= 100; seq++) recent.add(event(seq, 100));
  expect(seqsAfter(recent, 100, 100)).toEqual([]);
  expect(seqsAfter(recent, 95, 100)).toEqual([96, 97, 98, 99, 100]);
  expect(seqsAfter(recent, 90, 100)).toHaveLength(10);
  expect(seqsAfter(recent, 89, 100)).toBeNull();
});

it.each([
  ['bodies', 10_000, 0],
  ['terms', 10, 1_250],
])('keeps no more bytes of %s than there is room for', (_, bodyBytes, terms) => {
  const recent = new ReplayBuffer(1_000, 50_000);
  for (let seq = 1; seq <= 300; seq++) recent.add(event(seq, bodyBytes, terms));
  const kept = [...Array(300).keys()].find((seq) => seqsAfter(recent, seq, 300) !== null)!;
  expect(300 - kept).toBeGreaterThanOrEqual(4);
  expect(300 - kept).toBeLessThanOrEqual(5);
});

it('forgets an event that was removed, and keeps the others in their places', () => {
  const recent = new ReplayBuffer(10, 1_000_000);
  for (let seq = 1; seq <= 30; seq++) recent.add(event(seq, 100));
  for (const seq of [3, 21, 25, 25, 31]) recent.forget(seq);
  expect(seqsAfter(recent, 20, 30)).toEqual([22, 23, 24, 26, 27, 28, 29, 30]);
  for (let seq = 31; seq <= 33; seq++) recent.add(event(seq, 100));
  expect(seqsAfter(recent, 23, 33)).toEqual([24, 26, 27, 28, 29, 30, 31, 32, 33]);
});
