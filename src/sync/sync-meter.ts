// Metrics of the sync worker.

import { sharedMilliseconds } from '../lib/clock.ts';
import { countRefusal } from '../metrics/counters.ts';
import { cellOf, histogramOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';

const SESSIONS = cellOf('wok_sync_sessions');
const OPENED = cellOf('wok_sync_sessions_opened_total');
const MEMORY = cellOf('wok_sync_session_bytes');
const ANSWER = histogramOf('wok_sync_answer_seconds');
const TREE = cellOf('wok_sync_tree_events');
const ITEMS = cellOf('wok_sync_events_read_total');

/** Counters, gauges and the histogram of the sync worker. */
export class SyncMeter {
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  opened(): void {
    this.#meter.add(OPENED);
  }

  /** Counts the events of a set that was read. */
  read(items: number): void {
    this.#meter.add(ITEMS, items);
  }

  /** Counts an answer; `arrivedAt` is the time of its message at the socket. */
  answered(arrivedAt: number): void {
    this.#meter.observe(ANSWER, Math.max(0, sharedMilliseconds() - arrivedAt) / 1000);
  }

  refused(of: 'NEG-OPEN' | 'NEG-MSG', why: string): void {
    countRefusal(this.#meter, of, why);
  }

  /** Sets the number of events in the event tree. */
  tree(events: number): void {
    this.#meter.set(TREE, events);
  }

  /** Sets the gauges, once a slice. */
  sliceEnds(sessions: number, bytes: number): void {
    this.#meter.set(SESSIONS, sessions);
    this.#meter.set(MEMORY, bytes);
  }
}
