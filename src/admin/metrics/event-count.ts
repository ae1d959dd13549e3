import type { MetricsMemory } from '../../metrics/meter.ts';
import { readSeries } from '../../metrics/render.ts';
import type { Db } from '../../storage/open.ts';
import * as sql from '../../storage/sql.ts';
import { TERM_ALL } from '../../storage/terms.ts';

/** About two milliseconds. */
const SLICE = 20_000;
/** So many are counted before the first answer; larger databases are counted while others are served. */
const SLICES_AT_ONCE = 5;
/** Then it is counted anew, because what changed while it was counted may be off by a few. */
const ANEW_MILLISECONDS = 3_600_000;

interface Place {
  created_at: number;
  seq: number;
}

interface Progress extends Place {
  counted: number;
}

/**
 * How many events are stored. It is counted once, by the list of all events in the index, when somebody
 * first wants to know; from then on, what the writer counts is added.
 */
export class EventCount {
  readonly #metrics: MetricsMemory;
  readonly #slice: number;
  readonly #statements;
  /** Has everything that is read be of the same moment. */
  readonly #oneMoment: (work: () => number) => number;
  /** What was counted, less what the writer had counted then. */
  #base: number | null = null;
  #countedAt = 0;
  #counting: NodeJS.Immediate | null = null;

  /** `slice`: entries of the index that are counted at once. */
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

  /** Null while they are being counted. */
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

  /** Counts a slice more; true when it was the last. */
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

  /** Events stored less events removed, as the writer has counted them. */
  #changes(): number {
    const sum = (name: 'wok_events_total' | 'wok_events_removed_total') =>
      readSeries(this.#metrics, name)
        .filter(({ labels: { outcome } }) => outcome === undefined || outcome === 'stored')
        .reduce((total, { values }) => total + values[0]!, 0);
    return sum('wok_events_total') - sum('wok_events_removed_total');
  }
}
