// Number of stored events, counted in the background of the admin worker.

import type { MetricsMemory } from '../../metrics/memory.ts';
import { readSeries } from '../../metrics/render.ts';
import type { Db } from '../../store/database/open.ts';
import * as sql from '../../store/database/sql.ts';
import { TERM_ALL } from '../../store/index/terms.ts';

/** Number of index entries counted in one slice; takes about two milliseconds. */
const SLICE = 20_000;
/** Number of slices counted before the first answer; the rest is counted between other work. */
const SLICES_AT_ONCE = 5;
/** Interval of a full recount: changes during a count may make it wrong by a few. */
const ANEW_MILLISECONDS = 3_600_000;

interface Place {
  created_at: number;
  seq: number;
}

interface Progress extends Place {
  counted: number;
}

/**
 * Counter of the stored events. They are counted once, by the list of all events in the index, at
 * the first call of `read`; from then on the changes counted by the writer are added.
 */
export class EventCount {
  readonly #metrics: MetricsMemory;
  readonly #slice: number;
  readonly #statements;
  /** Runs all reads in one transaction, on one snapshot. */
  readonly #oneMoment: (work: () => number) => number;
  /** Result of the count, less the writer's changes up to then. */
  #base: number | null = null;
  #countedAt = 0;
  #counting: NodeJS.Immediate | null = null;

  /** Takes `slice`, the number of index entries counted at once. */
  constructor(db: Db, metrics: MetricsMemory, slice = SLICE) {
    this.#slice = slice;
    this.#metrics = metrics;
    this.#statements = {
      heads: db.prepare(sql.SELECT_HEADS),
      slice: db.prepare(sql.SELECT_POSTING_BEHIND),
      rest: db.prepare(sql.COUNT_POSTINGS_BEHIND).pluck(),
      tail: db.prepare(sql.COUNT_LOG_BEHIND).pluck(),
      swept: db.prepare(sql.COUNT_SWEEPS).pluck(),
    };
    this.#oneMoment = db.transaction((work: () => number) => work());
  }

  /** Returns the number of stored events; null during the first count. */
  read(): number | null {
    const isOld = performance.now() - this.#countedAt > ANEW_MILLISECONDS;
    if (this.#counting === null && (this.#base === null || isOld)) this.#begin();
    return this.#base === null ? null : Math.max(0, this.#base + this.#changes());
  }

  stop(): void {
    if (this.#counting) clearImmediate(this.#counting);
  }

  #begin(): void {
    const at: Progress = { counted: 0, created_at: Number.MIN_SAFE_INTEGER, seq: 0 };
    for (let i = 0; i < SLICES_AT_ONCE; i++) if (this.#step(at)) return;
    const goOn = () => {
      this.#counting = this.#step(at) ? null : setImmediate(goOn);
    };
    this.#counting = setImmediate(goOn);
  }

  /** Counts one more slice; returns true after the last. */
  #step(at: Progress): boolean {
    const { heads, slice, rest, tail, swept } = this.#statements;
    const { indexed } = heads.get() as { indexed: number };
    const place = [TERM_ALL, at.created_at, at.seq, indexed];
    const last = slice.get(...place, this.#slice - 1) as Place | undefined;
    if (last !== undefined) {
      Object.assign(at, { ...last, counted: at.counted + this.#slice });
      return false;
    }
    const changes = this.#changes();
    const stored = this.#oneMoment(() => {
      const counts = [rest.get(...place), tail.get(indexed), swept.get()] as number[];
      return at.counted + counts[0]! + counts[1]! - counts[2]!;
    });
    this.#base = stored - changes;
    this.#countedAt = performance.now();
    return true;
  }

  /** Returns events stored less events removed, by the counters of the writer. */
  #changes(): number {
    const sum = (name: 'wok_events_total' | 'wok_events_removed_total') =>
      readSeries(this.#metrics, name)
        .filter(({ labels: { outcome } }) => outcome === undefined || outcome === 'stored')
        .reduce((total, { values }) => total + values[0]!, 0);
    return sum('wok_events_total') - sum('wok_events_removed_total');
  }
}
