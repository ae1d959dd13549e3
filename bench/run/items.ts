// Sequence of events of a publishing part.

import type { Dataset } from '../dataset/dataset.ts';
import { Random } from '../dataset/random.ts';
import {
  EXPECT_ACCEPTED,
  EXPECT_DUPLICATE,
  EXPECT_EITHER,
  EXPECT_REFUSED,
  type SharedItems,
} from '../load/job.ts';
import type { PublishPart } from '../scenarios/scenario.ts';

/** Least distance of a copy in a mixed sequence, so that the first copy has been answered. */
const AGAIN_DISTANCE = 4096;

/** Returns the sequence of a publishing part over a dataset, in shared memory. */
export function itemsOf(dataset: Dataset, as: PublishPart['as'], seed: number): SharedItems {
  const count = dataset.count;
  const lines = new Uint32Array(new SharedArrayBuffer(count * 4));
  const expected = new Uint8Array(new SharedArrayBuffer(count));
  if (as === 'mixed') {
    mix(lines, expected, new Random(seed));
  } else {
    for (let item = 0; item < count; item++) lines[item] = item;
    expected.fill(
      {
        fresh: EXPECT_ACCEPTED,
        again: EXPECT_DUPLICATE,
        invalid: EXPECT_REFUSED,
        versions: EXPECT_EITHER,
      }[as],
    );
  }
  return {
    dataset: dataset.shared,
    lines: lines.buffer as SharedArrayBuffer,
    expected: expected.buffer as SharedArrayBuffer,
    sentAt: new SharedArrayBuffer(count * 8),
    accepted: new SharedArrayBuffer(count),
  };
}

function mix(lines: Uint32Array, expected: Uint8Array, random: Random): void {
  let next = 0;
  for (let item = 0; item < lines.length; item++) {
    const share = random.next();
    if (share < 0.2 && item > AGAIN_DISTANCE) {
      const earlier = random.below(item - AGAIN_DISTANCE);
      // A copy of a refused event is refused; a copy of an accepted one is a duplicate.
      lines[item] = lines[earlier]!;
      expected[item] = expected[earlier] === EXPECT_REFUSED ? EXPECT_REFUSED : EXPECT_DUPLICATE;
    } else {
      lines[item] = next++;
      expected[item] = share >= 0.9 ? EXPECT_REFUSED : EXPECT_ACCEPTED;
    }
  }
}
