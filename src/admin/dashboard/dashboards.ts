import { Between, type Look, readFigures } from '../../metrics/look.ts';
import * as sql from '../../storage/sql.ts';
import type { Dashboard } from '../page-api/dashboard.ts';
import type { Room } from '../room.ts';
import { dashboardMetrics, measured } from './figures.ts';

/** How long an answer is good enough for the next who asks. */
const FRESH_MILLISECONDS = 1_000;
/** Looks that are kept; between two lies the time between two samples of the metrics. */
const LOOKS = 2;

/** What of a dashboard is the same for everybody who asks within a second. */
type Figures = Omit<Dashboard, 'history'>;

/**
 * How the relay is, for whoever watches: one answer a second, however many ask. Rates are counted from
 * the look before the last, so they go over one to two spans between samples. A look takes a millisecond or two.
 */
export class Dashboards {
  readonly #room: Room;
  #looks: Look[] = [];
  #made: { at: number; figures: Promise<Figures> } | null = null;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Looks at the metrics, from where rates are counted; as often as they are sampled. */
  look(): void {
    this.#looks = [...this.#looks.slice(1 - LOOKS), this.#now()];
  }

  /** The figures, at most a second old. */
  figures(): Promise<Figures> {
    const now = Date.now();
    if (this.#made === null || now - this.#made.at >= FRESH_MILLISECONDS) {
      const made = { at: now, figures: this.#make() };
      // What fails is not remembered.
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
    const { storage, ...figures } = measured(new Between(before, now));
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

  #now(): Look {
    return { at: Date.now(), figures: readFigures(this.#room.metrics, dashboardMetrics) };
  }
}
