// State and history of the relay, shared by all views of the page /admin.

import type { Dashboard } from '../../api/dashboard.ts';
import type { Call } from './api.ts';
import { Poller } from './poller.ts';

/** Polling interval while the overview is shown, and else, for the counts in the navigation. */
const WATCHED_MILLISECONDS = 3_000;
const OTHERWISE_MILLISECONDS = 15_000;

/**
 * Poller of the RPC method `dashboard` for all views. Samples are requested once and kept as long
 * as the relay keeps them.
 */
export class Feed {
  readonly poller: Poller;
  /** Times of the samples, in milliseconds since 1970. */
  at: number[] = [];
  readonly series = new Map<string, (number | null)[]>();
  latest: Dashboard | null = null;
  readonly #call: Call;
  readonly #listeners = new Set<(dashboard: Dashboard) => void>();
  #watchers = 0;

  constructor(call: Call, left: AbortSignal) {
    this.#call = call;
    this.poller = new Poller(
      (leaving) => this.#ask(leaving),
      () => (this.#watchers > 0 ? WATCHED_MILLISECONDS : OTHERWISE_MILLISECONDS),
      left,
    );
  }

  /**
   * Calls a listener with every answer, and with the last one at once. `closely`: polls every three
   * seconds while it listens.
   */
  watch(listener: (dashboard: Dashboard) => void, left: AbortSignal, closely = false): void {
    this.#listeners.add(listener);
    if (closely) this.#watchers++;
    left.addEventListener('abort', () => {
      this.#listeners.delete(listener);
      if (closely) this.#watchers--;
    });
    if (this.latest !== null) listener(this.latest);
    if (closely) this.poller.now();
  }

  async #ask(left: AbortSignal): Promise<void> {
    const since = this.at.at(-1);
    const dashboard = await this.#call('dashboard', since === undefined ? {} : { since }, left);
    this.#remember(dashboard);
    this.latest = dashboard;
    for (const listener of this.#listeners) listener(dashboard);
  }

  #remember({ at: now, history }: Dashboard): void {
    const before = this.at.length;
    this.at.push(...history.at);
    for (const [name, values] of Object.entries(history.series)) {
      const column = this.series.get(name) ?? new Array<null>(before).fill(null);
      column.push(...values);
      this.series.set(name, column);
    }
    const oldest = now - history.keptSeconds * 1000;
    const forgotten = this.at.findIndex((at) => at >= oldest);
    if (forgotten <= 0) return;
    this.at.splice(0, forgotten);
    for (const column of this.series.values()) column.splice(0, forgotten);
  }
}
