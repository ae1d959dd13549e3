// Number of stored events, counted in the background of the admin worker.

import type { MetricsMemory } from '../../metrics/memory.ts';
import { readSeries } from '../../metrics/render.ts';
import type { Db } from '../../store/database/open.ts';
import { StoredCount } from '../../store/read/stored-count.ts';

/** Number of slices counted before the first answer; the rest is counted between other work. */
const SLICES_AT_ONCE = 5;
/** Interval of a full recount: changes during a count may make it wrong by a few. */
const ANEW_MILLISECONDS = 3_600_000;

/**
 * Counter of the stored events. They are counted once, by the list of all events in the index, at
 * the first call of `read`; from then on the changes counted by the writer are added.
 */
export class EventCount {
  readonly #metrics: MetricsMemory;
  readonly #newCount: () => StoredCount;
  /** Result of the count, less the writer's changes up to then. */
  #base: number | null = null;
  #countedAt = 0;
  #counting: NodeJS.Immediate | null = null;

  /** Takes `slice`, the number of index entries counted at once. */
  constructor(db: Db, metrics: MetricsMemory, slice?: number) {
    this.#metrics = metrics;
    this.#newCount = () => new StoredCount(db, slice);
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
    const count = this.#newCount();
    for (let i = 0; i < SLICES_AT_ONCE; i++) if (this.#step(count)) return;
    const goOn = () => {
      this.#counting = this.#step(count) ? null : setImmediate(goOn);
    };
    this.#counting = setImmediate(goOn);
  }

  /** Counts one more slice; returns true after the last. */
  #step(count: StoredCount): boolean {
    const changes = this.#changes();
    const stored = count.step();
    if (stored === null) return false;
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
