// Snapshots of an event tree that sessions use, and the memory that they keep alive. Owned by the
// sync worker.

import { element } from '../lib/assert.ts';
import type { IdSet } from '../negentropy/id-set.ts';
import type { EventTree } from './event-tree.ts';

interface Held {
  readonly set: IdSet;
  /** Bytes that the tree had copied when the snapshot was made. */
  readonly copiedBefore: number;
  sessions: number;
}

/**
 * Snapshots by age. A snapshot shares its chunks with the tree, which copies a chunk before it
 * changes: so the oldest one keeps no more alive than the tree has copied since.
 */
export class Snapshots {
  readonly #held: Held[] = [];

  /** Takes a snapshot for a session. */
  take(tree: EventTree, now: number): IdSet {
    const set = tree.snapshot(now);
    const newest = this.#held.at(-1);
    if (newest?.set === set) newest.sessions++;
    else this.#held.push({ set, copiedBefore: tree.copiedBytes, sessions: 1 });
    return set;
  }

  release(set: IdSet): void {
    const at = this.#held.findIndex((held) => held.set === set);
    if (at >= 0 && --element(this.#held[at]).sessions === 0) this.#held.splice(at, 1);
  }

  /** Returns the oldest snapshot, and the bytes that are kept alive at most. */
  oldest(tree: EventTree): { readonly set: IdSet; readonly bytes: number } | null {
    const [oldest] = this.#held;
    if (oldest === undefined) return null;
    return { set: oldest.set, bytes: tree.copiedBytes - oldest.copiedBefore };
  }
}
