// Metrics of the writer thread.

import { element } from '../lib/assert.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import type { CheckedEvent } from '../messages/ingester-writer.ts';
import { countAccepted, countEvent, countRefusal } from '../metrics/counters.ts';
import { REMOVALS } from '../metrics/label-values.ts';
import { byLabel, cellOf, histogramOf } from '../metrics/layout.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Removal } from '../store/write/removal.ts';

const BATCH = histogramOf('wok_writer_batch_events');

const WAIT = histogramOf('wok_writer_wait_seconds');

const TRANSACTION = histogramOf('wok_writer_transaction_seconds');

const COMMIT = histogramOf('wok_writer_commit_seconds');

const INDEX = histogramOf('wok_writer_index_seconds');

const OK = histogramOf('wok_ok_seconds');

const FAILURES = cellOf('wok_writer_failures_total');

const HEAD = cellOf('wok_log_head_seq');

const INDEXED = cellOf('wok_log_indexed_seq');

const REMOVED = byLabel(REMOVALS, (reason) => cellOf('wok_events_removed_total', { reason }));

/** Counters and histograms of the writer. */
export class WriterMeter {
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Records the start of a batch, which is one transaction. */
  batchBegins(events: readonly CheckedEvent[]): void {
    this.#meter.observe(BATCH, events.length);
    const { arrivedAt } = element(events[0]);
    if (arrivedAt > 0) this.#meter.observe(WAIT, (sharedMilliseconds() - arrivedAt) / 1000);
  }

  /** Records the end of a transaction; times by `performance.now()`. */
  transacted(begunAt: number, committingAt: number): void {
    const now = performance.now();
    this.#meter.observe(TRANSACTION, (now - begunAt) / 1000);
    this.#meter.observe(COMMIT, (now - committingAt) / 1000);
  }

  indexed(begunAt: number): void {
    this.#meter.observe(INDEX, (performance.now() - begunAt) / 1000);
  }

  failed(): void {
    this.#meter.add(FAILURES);
  }

  /**
   * Counts an answered event; `seq` is its number in the log, 0 for an ephemeral one, -1 for one
   * that goes no further, less for a quarantined one.
   */
  answered(event: CheckedEvent, seq: number, accepted: boolean, message: string): void {
    const meter = this.#meter;
    if (seq >= 0) {
      countEvent(meter, event.kind, seq > 0 ? 'stored' : 'passed');
      countAccepted(meter, event.kind);
      return;
    }
    // Quarantined (`moderation/quarantine-rows.ts`).
    if (seq < -1) {
      countEvent(meter, event.kind, 'quarantined');
      return;
    }
    const failed = message.startsWith('error:');
    countEvent(meter, event.kind, accepted ? 'duplicate' : failed ? 'failed' : 'refused');
    countRefusal(meter, 'EVENT', message);
  }

  /** Records a batch that is committed and about to be answered. */
  batchEnds(events: readonly CheckedEvent[], head: number, indexed: number): void {
    const meter = this.#meter;
    const now = sharedMilliseconds();
    for (const { arrivedAt } of events) {
      if (arrivedAt > 0) meter.observe(OK, Math.max(0, now - arrivedAt) / 1000);
    }
    this.log(head, indexed);
  }

  /** Sets the last seq of log and index. */
  log(head: number, indexed: number): void {
    this.#meter.set(HEAD, head);
    this.#meter.set(INDEXED, indexed);
  }

  /** Counts the removals of a finished transaction. */
  removed(events: Readonly<Record<Removal, number>>): void {
    for (const reason of REMOVALS) this.#meter.add(REMOVED[reason], events[reason]);
  }
}
