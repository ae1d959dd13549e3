// Unit tests of the caches of a query worker: event bodies and heads of posting lists.

import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/protocol/canonical.ts';
import { BodyMaker } from '../../src/store/body/body.ts';
import { BodyCache } from '../../src/store/read/body-cache.ts';
import { PostingsCache } from '../../src/store/read/postings-cache.ts';
import { Random, testSeed } from '../support/random.ts';

function json(seq: number, length: number): string {
  return canonicalJson({
    id: String(seq).padStart(64, '0'),
    pubkey: 'ab'.repeat(32),
    created_at: seq,
    kind: 1,
    tags: [['e', 'cd'.repeat(32)]],
    content: 'é'.repeat(length),
    sig: 'ef'.repeat(64),
  });
}

const packer = new BodyMaker(true);

function packed(text: string): Buffer {
  return Buffer.from(packer.make(Buffer.from(text)));
}

describe('the bodies that a worker keeps', () => {
  it('are what was put in, or gone, and never more than there is room for', () => {
    const random = new Random(testSeed('store/body-cache'));
    const bytesMax = 100_000;
    const bodies = new BodyCache(bytesMax);
    const put = new Map<number, string>();
    let hits = 0;
    for (let seq = 1; seq < 5_000; seq++) {
      const text = json(seq, random.below(random.chance(0.05) ? 20_000 : 600));
      put.set(seq, text);
      const body = bodies.put(seq, random.chance(0.5) ? text : packed(text));
      expect(body.bytes.toString()).toBe(text);
      expect([body.id, body.pubkey]).toEqual([text.slice(7, 71), 'ab'.repeat(32)]);
      if (random.chance(0.1)) bodies.delete(seq - random.below(20));
      for (let i = 0; i < 5; i++) {
        const earlier = 1 + Math.max(0, seq - 1 - random.below(200));
        const kept = bodies.get(earlier);
        if (kept !== undefined) {
          hits++;
          expect(kept.bytes.toString()).toBe(put.get(earlier));
        }
      }
      expect(bodies.size).toBeLessThanOrEqual(bytesMax / 256);
    }
    expect(hits).toBeGreaterThan(1_000);
  });

  it('are gone when their event is', () => {
    const bodies = new BodyCache(10_000);
    bodies.put(1, json(1, 10));
    bodies.delete(1);
    expect(bodies.get(1)).toBeUndefined();
  });

  it('are all gone when their memory is released, and are kept again later', () => {
    const bodies = new BodyCache(100_000);
    expect(bodies.release()).toBe(false);
    const before = bodies.put(1, json(1, 10));
    expect(bodies.release()).toBe(true);
    expect([bodies.get(1), bodies.size]).toEqual([undefined, 0]);
    bodies.put(2, packed(json(2, 600)));
    // Memory that is still in use is not overwritten.
    expect(before.bytes.toString()).toBe(json(1, 10));
    expect(bodies.get(2)?.bytes.toString()).toBe(json(2, 600));
    expect(bodies.release()).toBe(true);
  });

  it('are handed through where there is no memory for them', () => {
    const bodies = new BodyCache(0);
    expect(bodies.put(1, json(1, 10)).bytes.toString()).toBe(json(1, 10));
    expect(bodies.put(1, packed(json(1, 10))).bytes.toString()).toBe(json(1, 10));
    expect(bodies.size).toBe(0);
  });
});

describe('the beginnings of lists', () => {
  const head = (length: number) => ({
    entries: Array.from({ length }, (_, seq) => ({ createdAt: 1, seq, kind: 1 })),
    complete: true,
  });

  it('are forgotten when the index has grown', () => {
    const lists = new PostingsCache(100);
    lists.begin(5);
    lists.put(1, head(3));
    lists.begin(5);
    expect(lists.get(1)?.entries).toHaveLength(3);
    lists.begin(6);
    expect(lists.get(1)).toBeUndefined();
  });

  it('are bounded, and those asked for stay', () => {
    const lists = new PostingsCache(100);
    for (let term = 0; term < 1_000; term++) {
      lists.put(term, head(8));
      expect(lists.get(0)).toBeDefined();
    }
    let kept = 0;
    for (let term = 0; term < 1_000; term++) if (lists.get(term)) kept++;
    expect(kept).toBeLessThanOrEqual(30);
    expect(kept).toBeGreaterThan(5);
  });
});
