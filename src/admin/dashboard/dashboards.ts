// Cache of the dashboard figures. Owned by the admin worker.

import { MetricsDelta, type MetricsSample, readFigures } from '../../metrics/sample.ts';
import * as sql from '../../store/database/sql.ts';
import type { Dashboard } from '../../web/api/dashboard.ts';
import type { Room } from '../context.ts';
import { dashboardMetrics, measured } from './figures.ts';

/** Lifetime of an answer that is shared by all callers. */
const FRESH_MILLISECONDS = 1_000;
/** Number of metrics samples kept, one for each sampling interval. */
const LOOKS = 2;

/** Part of a dashboard that is the same for all callers within a second. */
type Figures = Omit<Dashboard, 'history'>;

/**
 * Dashboard of the relay: computed at most once a second, however many callers there are. Rates are
 * counted from the sample before the last, so they cover one to two sampling intervals. A sample
 * takes a millisecond or two.
 */
export class Dashboards {
  readonly #room: Room;
  #looks: MetricsSample[] = [];
  #made: { at: number; figures: Promise<Figures> } | null = null;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Takes a metrics sample as the base of rates; called once for each sampling interval. */
  look(): void {
    this.#looks = [...this.#looks.slice(1 - LOOKS), this.#now()];
  }

  /** Returns the figures, at most a second old. */
  figures(): Promise<Figures> {
    const now = Date.now();
    if (this.#made === null || now - this.#made.at >= FRESH_MILLISECONDS) {
      const made = { at: now, figures: this.#make() };
      // A failed computation is not cached.
      made.figures.catch(() => {
        if (this.#made === made) this.#made = null;
      });
      this.#made = made;
    }
    return this.#made.figures;
  }

  async #make(): Promise<Figures> {
    const { db, eventCount, sampleMetrics } = this.#room;
    sampleMetrics();
    const now = this.#now();
    const before = this.#looks.find(({ at }) => at < now.at) ?? { ...now, at: now.at - 1 };
    const health = (await this.#room.order('health')) as Dashboard['health'];
    const { storage, ...figures } = measured(new MetricsDelta(before, now));
    return {
      at: now.at,
      ...figures,
      storage: { ...storage, events: eventCount.read() },
      health,
      identityAdvice: this.#room.reachedBy.advice,
      proxyAdvice: this.#room.proxies.advice,
      waiting: {
        reported: db.prepare(sql.COUNT_REPORTED).pluck().get() as number,
        quarantined: db.prepare(sql.COUNT_QUARANTINED).pluck().get() as number,
      },
    };
  }

  #now(): MetricsSample {
    return { at: Date.now(), figures: readFigures(this.#room.metrics, dashboardMetrics) };
  }
}
