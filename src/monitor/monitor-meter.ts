// Metrics of the monitor thread.

import { sharedMilliseconds } from '../lib/clock.ts';
import { cellOf, histogramOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';

const DELIVERIES = cellOf('wok_deliveries_total');
const BEHIND = cellOf('wok_monitor_behind_total');
const BATCH = histogramOf('wok_monitor_batch_events');
const WAIT = histogramOf('wok_monitor_wait_seconds');
const FANOUT = histogramOf('wok_fanout_seconds');
const LIVE = histogramOf('wok_live_seconds');

/** Counters and histograms of the monitor. */
export class MonitorMeter {
  readonly #meter: Meter;
  /** Arrival times of the events of a batch at their sockets, in shared milliseconds. */
  readonly #arrivals: number[] = [];

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Called for each matched event; `arrivedAt` is its arrival time at its socket. */
  matched(arrivedAt: number): void {
    this.#arrivals.push(arrivedAt);
  }

  /** Called after a batch was matched, before it is sent; `begunAt` is in shared milliseconds. */
  batchEnds(begunAt: number): void {
    const meter = this.#meter;
    const arrivals = this.#arrivals;
    const [first] = arrivals;
    if (first === undefined) return;
    const now = sharedMilliseconds();
    meter.observe(BATCH, arrivals.length);
    meter.observe(FANOUT, Math.max(0, now - begunAt) / 1000);
    if (first > 0) meter.observe(WAIT, Math.max(0, begunAt - first) / 1000);
    for (const arrivedAt of arrivals) {
      if (arrivedAt > 0) meter.observe(LIVE, Math.max(0, now - arrivedAt) / 1000);
    }
    arrivals.length = 0;
  }

  delivered(subscriptions: number): void {
    this.#meter.add(DELIVERIES, subscriptions);
  }

  behind(): void {
    this.#meter.add(BEHIND);
  }
}
