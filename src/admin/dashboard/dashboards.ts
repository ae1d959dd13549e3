// Cache of the dashboard figures. Owned by the admin worker.

import type { Order } from '../../messages/control.ts';
import type { MetricsMemory } from '../../metrics/memory.ts';
import { MetricsDelta, type MetricsSample, readFigures } from '../../metrics/sample.ts';
import type { Db } from '../../store/database/open.ts';
import * as sql from '../../store/database/sql.ts';
import type { Dashboard } from '../../web/api/dashboard.ts';
import type { EventCount } from '../metrics/event-count.ts';
import type { Proxies } from '../proxies.ts';
import type { ReachedBy } from '../reached-by.ts';
import { dashboardMetrics, measured } from './figures.ts';

/** Lifetime of an answer that is shared by all callers. */
const FRESH_MILLISECONDS = 1_000;
/** Number of metrics samples kept, one for each sampling interval. */
const LOOKS = 2;

/** Context of the dashboard. */
export interface DashboardContext {
  readonly db: Db;
  /** Metrics of all threads. */
  readonly metrics: MetricsMemory;
  /** Updates the metrics that are sampled rather than counted. */
  readonly sampleMetrics: () => void;
  /** Number of stored events. */
  readonly eventCount: EventCount;
  /** Hosts by which clients reach the relay while `identity.urls` is empty. */
  readonly reachedBy: ReachedBy;
  /** Reverse proxies that do not pass on the addresses of their clients. */
  readonly proxies: Proxies;
  /** Sends an order to the whole process. @throws RpcError `refused` with a sentence. */
  order(order: Order): Promise<unknown>;
}

/** Part of a dashboard that is the same for all callers within a second. */
type Figures = Omit<Dashboard, 'history'>;

/**
 * Dashboard of the relay: computed at most once a second, however many callers there are. Rates are
 * counted from the sample before the last, so they cover one to two sampling intervals. A sample
 * takes a millisecond or two.
 */
export class DashboardCache {
  readonly #context: DashboardContext;
  #looks: MetricsSample[] = [];
  #made: { at: number; figures: Promise<Figures> } | null = null;

  constructor(context: DashboardContext) {
    this.#context = context;
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
    const { db, eventCount, sampleMetrics } = this.#context;
    sampleMetrics();
    const now = this.#now();
    const before = this.#looks.find(({ at }) => at < now.at) ?? { ...now, at: now.at - 1 };
    const health = (await this.#context.order('health')) as Dashboard['health'];
    const { storage, ...figures } = measured(new MetricsDelta(before, now));
    return {
      at: now.at,
      ...figures,
      storage: { ...storage, events: eventCount.read() },
      health,
      identityAdvice: this.#context.reachedBy.advice,
      proxyAdvice: this.#context.proxies.advice,
      waiting: {
        reported: db.prepare(sql.COUNT_REPORTED).pluck().get() as number,
        quarantined: db.prepare(sql.COUNT_QUARANTINED).pluck().get() as number,
      },
    };
  }

  #now(): MetricsSample {
    return { at: Date.now(), figures: readFigures(this.#context.metrics, dashboardMetrics) };
  }
}
