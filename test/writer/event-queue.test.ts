// Unit tests of EventQueue, the fair queue of events before their transaction in the writer.

import { describe, expect, it } from 'vitest';
import { RecordReader, RecordWriter } from '../../src/channel/records.ts';
import { writeCheckedEvent } from '../../src/messages/ingester-writer.ts';
import { validatedEvent } from '../../src/store/event.ts';
import { EventQueue } from '../../src/writer/event-queue.ts';
import { Random, testSeed } from '../support/random.ts';

const seed = testSeed('writer/event-queue');

interface Sent {
  connId: number;
  n: number;
  kind?: number;
  terms?: number;
}

/** Makes a batch of an ingester; `created_at` identifies the events. */
function batch(events: readonly Sent[]): RecordReader {
  const records = new RecordWriter();
  for (const { connId, n, kind = 1, terms = 6 } of events) {
    const key = '0'.repeat(64);
    const event = { id: key, pubkey: key, kind, created_at: n, tags: [], content: '', sig: '' };
    const json = Buffer.from('{}');
    const validated = validatedEvent(
      event,
      json,
      Array.from({ length: terms }, (_, i) => i),
    );
    writeCheckedEvent(records, connId, validated, json);
  }
  return new RecordReader(records.take());
}

function take(queue: EventQueue, max: number): { connId: number; n: number }[] {
  return queue.take(max).map(({ connId, createdAt }) => ({ connId, n: createdAt }));
}

describe('the queue of the writer', () => {
  it('gives what fits into one transaction as it came', () => {
    const queue = new EventQueue();
    const events = [1, 2, 1, 3, 2].map((connId, n) => ({ connId, n }));
    queue.add(batch(events.slice(0, 3)));
    queue.add(batch(events.slice(3)));
    expect(take(queue, 100)).toEqual(events);
    expect(queue.isEmpty).toBe(true);
    expect(take(queue, 100)).toEqual([]);
  });

  it('takes an event of a client that sends little with the next transaction', () => {
    const queue = new EventQueue();
    queue.add(batch(Array.from({ length: 1_000 }, (_, n) => ({ connId: 1 + (n % 50), n }))));
    expect(take(queue, 100).length).toBeGreaterThan(50);
    queue.add(batch([{ connId: 99, n: 5_000 }]));
    expect(take(queue, 100)).toContainEqual({ connId: 99, n: 5_000 });
  });

  it('takes few deletions of many events at once', () => {
    const queue = new EventQueue();
    const deletion = { kind: 5, terms: 1_700 };
    queue.add(batch(Array.from({ length: 50 }, (_, n) => ({ connId: 1, n, ...deletion }))));
    queue.add(batch([{ connId: 2, n: 50 }]));
    const first = take(queue, 1_000);
    expect(first.length).toBeLessThanOrEqual(3);
    expect(first).toContainEqual({ connId: 2, n: 50 });
    let left = 0;
    while (!queue.isEmpty) left += take(queue, 1_000).length;
    expect(left).toBeGreaterThan(40);
  });

  it('gives every event once, and those of a connection in order', () => {
    const random = new Random(seed);
    for (let round = 0; round < 20; round++) {
      const queue = new EventQueue();
      const given: { connId: number; n: number }[] = [];
      let sent = 0;
      for (let step = 0; step < 60; step++) {
        const events = Array.from({ length: random.below(40) }, () => ({
          connId: random.below(6),
          n: sent++,
          terms: random.below(60),
          kind: random.pick([1, 5]),
        }));
        if (events.length > 0) queue.add(batch(events));
        if (random.chance(0.7)) given.push(...take(queue, 1 + random.below(30)));
      }
      while (!queue.isEmpty) given.push(...take(queue, 25));
      expect(given.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
        Array.from({ length: sent }, (_, n) => n),
      );
      for (let connId = 0; connId < 6; connId++) {
        const order = given.filter((one) => one.connId === connId).map(({ n }) => n);
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }
    }
  });
});
