// Property tests of MergedSet: it is compared with one set of all items.

import { describe, expect, it } from 'vitest';
import { boundAt, ID_BYTES } from '../../src/negentropy/bound.ts';
import { IdSet } from '../../src/negentropy/id-set.ts';
import { MergedSet } from '../../src/negentropy/merged-set.ts';
import { IdSum } from '../../src/negentropy/sums.ts';
import { Random, testSeed } from '../support/random.ts';

const random = new Random(testSeed('negentropy/merged-set'));

function fingerprint(set: Pick<IdSet, 'addTo'>, from: number, to: number): Buffer {
  const sum = new IdSum();
  set.addTo(sum, from, to);
  return sum.fingerprint();
}

function idsOf(set: Pick<IdSet, 'copyIds'>, from: number, to: number): string {
  const ids = Buffer.alloc((to - from + 1) * ID_BYTES);
  set.copyIds(from, to, ids, ID_BYTES);
  return ids.toString('hex');
}

describe(`a merged set (seed ${random.seed})`, () => {
  it.each([
    [2000, 0],
    [0, 50],
    [3000, 300],
    [300, 300],
    [0, 0],
  ])('of %i and %i items is the set of all of them', (large, small) => {
    const [one, other, all] = [new IdSet(), new IdSet(), new IdSet()];
    for (let n = 0; n < large + small; n++) {
      const time = 1_700_000_000 + random.below(500);
      const id = Buffer.from(random.hex(64), 'hex');
      (n < large ? one : other).add(time, id);
      all.add(time, id);
    }
    const merged = new MergedSet(one, other);
    const { size } = all;
    expect(merged.size).toBe(size);
    for (let at = 0; at < size; at++) expect(merged.at(at)).toEqual(all.at(at));
    for (let n = 0; n < 200; n++) {
      const from = random.below(size + 1);
      const to = from + random.below(size - from + 1);
      expect(fingerprint(merged, from, to)).toEqual(fingerprint(all, from, to));
      expect(idsOf(merged, from, to)).toBe(idsOf(all, from, to));
      const since = 1_700_000_000 + random.below(520) - 10;
      const until = random.chance(0.2) ? null : since + random.below(100) - 10;
      expect(merged.below(boundAt(since))).toBe(all.below(boundAt(since)));
      expect(merged.between(since, until)).toEqual(all.between(since, until));
    }
  });
});
