// Property tests of IdSet: it is compared with a sorted array, and its sums with BigInt.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { boundAt, boundBetween, END } from '../../src/negentropy/bound.ts';
import { IdSet } from '../../src/negentropy/id-set.ts';
import { IdSum } from '../../src/negentropy/sums.ts';
import { varintBytes } from '../../src/negentropy/varint.ts';
import { Random, testSeed } from '../support/random.ts';

interface Plain {
  readonly time: number;
  readonly id: Buffer;
}

/** Number of times: few, so that many items share one. */
const TIMES = 40;

function randomItem(random: Random): Plain {
  const id = Buffer.from(Array.from({ length: 32 }, () => random.below(256)));
  // Ids that begin alike.
  if (random.chance(0.3)) id.fill(7, 0, random.below(29));
  return { time: 1_700_000_000 + random.below(TIMES), id };
}

function inOrder(a: Plain, b: Plain): number {
  return a.time - b.time || Buffer.compare(a.id, b.id);
}

/** Fingerprint by the text of NIP-77. */
function fingerprintOf(items: readonly Plain[]): Buffer {
  let sum = 0n;
  for (const { id } of items) sum += BigInt(`0x${Buffer.from(id).reverse().toString('hex')}`);
  sum %= 1n << 256n;
  const words = Buffer.from(sum.toString(16).padStart(64, '0'), 'hex').reverse();
  const text = Buffer.concat([words, varintBytes(items.length)]);
  return createHash('sha256').update(text).digest().subarray(0, 16);
}

function fingerprint(set: IdSet, from: number, to: number): Buffer {
  const sum = new IdSum();
  set.addTo(sum, from, to);
  return sum.fingerprint();
}

function itemsOf(set: IdSet): Plain[] {
  return Array.from({ length: set.size }, (_, at) => {
    const { time, id } = set.at(at);
    return { time, id: Buffer.from(id) };
  });
}

const random = new Random(testSeed('negentropy/id-set'));

describe(`a set of ids (seed ${random.seed})`, () => {
  it('is what a sorted array would be, after additions and removals in any order', () => {
    const set = new IdSet();
    let plain: Plain[] = [];
    for (let n = 0; n < 6000; n++) {
      const item = randomItem(random);
      expect(set.add(item.time, item.id)).toBe(true);
      plain.push(item);
    }
    plain.sort(inOrder);
    expect(set.add(plain[10]!.time, plain[10]!.id)).toBe(false);
    expect(itemsOf(set)).toEqual(plain);
    plain = plain.filter((item) => {
      if (random.chance(0.6)) return true;
      expect(set.remove(item.time, item.id)).toBe(true);
      expect(set.remove(item.time, item.id)).toBe(false);
      return false;
    });
    expect(set.size).toBe(plain.length);
    expect(itemsOf(set)).toEqual(plain);
    for (let n = 0; n < 100; n++) {
      const from = random.below(plain.length);
      const to = from + random.below(plain.length - from + 1);
      expect(fingerprint(set, from, to)).toEqual(fingerprintOf(plain.slice(from, to)));
    }
    for (const { time, id } of plain) expect(set.remove(time, id)).toBe(true);
    expect([set.size, set.below(END)]).toEqual([0, 0]);
    expect(fingerprint(set, 0, 0)).toEqual(fingerprintOf([]));
  });

  it('finds the items of seconds, and the place of every bound between two items', () => {
    const set = new IdSet();
    const plain = Array.from({ length: 3000 }, () => randomItem(random)).sort(inOrder);
    for (const { time, id } of plain) set.add(time, id);
    expect([set.below(boundAt(0)), set.below(END)]).toEqual([0, 3000]);
    for (let at = 1; at < plain.length; at++) {
      expect(set.below(boundBetween(plain[at - 1]!, plain[at]!))).toBe(at);
    }
    for (let n = 0; n < TIMES; n++) {
      const [since, until] = [1_700_000_000 + random.below(TIMES), 1_700_000_000 + n];
      const [from, to] = set.between(since, until);
      const expected = plain.filter(({ time }) => time >= since && time <= until);
      expect(to - from).toBe(expected.length);
      if (expected.length > 0) expect(Buffer.from(set.at(from).id)).toEqual(expected[0]!.id);
    }
    expect(set.between(null, null)).toEqual([0, 3000]);
  });

  it('has snapshots that later changes do not reach', () => {
    const set = new IdSet();
    const plain = Array.from({ length: 4000 }, () => randomItem(random)).sort(inOrder);
    for (const { time, id } of plain) set.add(time, id);
    const snapshot = set.snapshot();
    const print = fingerprint(snapshot, 0, 4000);
    for (const { time, id } of plain) if (random.chance(0.5)) set.remove(time, id);
    for (let n = 0; n < 2000; n++) {
      const { time, id } = randomItem(random);
      set.add(time, id);
    }
    expect(itemsOf(snapshot)).toEqual(plain);
    expect(fingerprint(snapshot, 0, 4000)).toEqual(print);
    const changed = itemsOf(set);
    expect(changed).toEqual([...changed].sort(inOrder));
    expect(fingerprint(set, 0, set.size)).toEqual(fingerprintOf(changed));
  });

  it('carries over sums of many ids', () => {
    const set = new IdSet();
    const ids = Array.from({ length: 300 }, (_, n) => {
      const id = Buffer.alloc(32, 0xff);
      id.writeUInt16BE(n, 0);
      return id;
    });
    for (const id of ids) set.add(5, id);
    const plain = ids.map((id) => ({ time: 5, id }));
    expect(fingerprint(set, 0, 300)).toEqual(fingerprintOf(plain));
    for (const id of ids.slice(0, 299)) set.remove(5, id);
    expect(fingerprint(set, 0, 1)).toEqual(fingerprintOf(plain.slice(299)));
  });
});
