// Union of several filters, the reader of a REQ.

import { element } from '../../lib/assert.ts';
import { type IndexName, indexOfAll } from './index-name.ts';
import {
  AGAIN,
  type Again,
  type Budget,
  byId,
  type Completeness,
  type FilterScan,
} from './scan.ts';
import type { Match } from './snapshot.ts';

/**
 * Union of the scans of several filters as one answer: newest first over all of them, ties by id,
 * each event once, each filter with its own limit (NIP-01).
 */
export class Union {
  readonly #scans: readonly FilterScan[];
  /** Next second of each scan; undefined: not read yet, null: at its end. */
  readonly #next: (Match[] | null | undefined)[];

  constructor(scans: readonly FilterScan[]) {
    this.#scans = scans;
    this.#next = scans.map(() => undefined);
  }

  /** Index that the filters read. */
  get index(): IndexName {
    return indexOfAll(this.#scans.map(({ index }) => index));
  }

  /** Bytes that it holds, estimated. */
  get held(): number {
    return this.#scans.reduce((sum, { held }) => sum + held, 0);
  }

  /** True if a match may be hidden from the readers. */
  get mayHide(): boolean {
    return this.#scans.some(({ mayHide }) => mayHide);
  }

  /**
   * Returns the next second of the union, sorted by id; AGAIN when the budget is used up; null at
   * the end.
   */
  next(budget: Budget): Match[] | Again | null {
    let newest = -1;
    for (let i = 0; i < this.#scans.length; i++) {
      if (this.#next[i] === undefined) {
        const second = element(this.#scans[i]).next(budget);
        if (second === AGAIN) return AGAIN;
        this.#next[i] = second;
      }
      const second = this.#next[i];
      if (second) newest = Math.max(newest, element(second[0]).createdAt);
    }
    if (newest === -1) return null;
    const found: Match[][] = [];
    for (let i = 0; i < this.#next.length; i++) {
      const second = this.#next[i];
      if (second && element(second[0]).createdAt === newest) {
        found.push(second);
        this.#next[i] = undefined;
      }
    }
    const second = found.length === 1 ? element(found[0]) : mergeSecond(found);
    if (this.#scans.length > 1) this.#forgive(second);
    return second;
  }

  /** Completeness of the answer; valid at the end. */
  get completeness(): Completeness {
    if (this.#scans.some((scan) => scan.completeness === 'more')) return 'more';
    return this.#scans.every((scan) => scan.completeness === 'finish') ? 'finish' : 'unknown';
  }

  /** Clears `more` of a filter if its missed match came by another one, now or later. */
  #forgive(second: readonly Match[]): void {
    for (const scan of this.#scans) {
      if (scan.completeness === 'more' && second.some(({ seq }) => seq === scan.missed)) {
        scan.completeness = 'unknown';
      }
    }
  }
}

function mergeSecond(seconds: readonly Match[][]): Match[] {
  const bySeq = new Map<number, Match>();
  for (const second of seconds) for (const stored of second) bySeq.set(stored.seq, stored);
  return [...bySeq.values()].sort(byId);
}
