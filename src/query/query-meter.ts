// Metrics of a query worker, and its records of slow and refused queries.

import { unpackFilters } from '../channel/packed-filters.ts';
import { sharedMilliseconds } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import { countRefusal } from '../metrics/counters.ts';
import { INDEXES } from '../metrics/label-values.ts';
import { byLabel, cellOf, histogramOf } from '../metrics/layout.ts';
import { Meter } from '../metrics/meter.ts';
import type { RefusedReadRing } from '../metrics/refused-reads.ts';
import type { SlowQuery } from '../metrics/ring-rows.ts';
import { filterShapes } from '../metrics/slow-queries.ts';
import type { TextRing } from '../metrics/text-ring.ts';
import { CountRun, ReqRun } from './run.ts';
import type { Run } from './turns.ts';

const WAIT = histogramOf('wok_query_wait_seconds');
const EOSE = byLabel(INDEXES, (index) => histogramOf('wok_eose_seconds', { index }));
const COUNT = byLabel(INDEXES, (index) => histogramOf('wok_count_seconds', { index }));
const WORK = byLabel(INDEXES, (index) => cellOf('wok_query_work_seconds_total', { index }));
const ROWS = byLabel(INDEXES, (index) => cellOf('wok_query_rows_total', { index }));
const EVENTS = cellOf('wok_query_events_total');
const SLOW = cellOf('wok_slow_queries_total');
const WAITING = cellOf('wok_queries_waiting');
const RUNNING = cellOf('wok_queries_running');
const WINDOW = cellOf('wok_query_tail_events');
const LIMIT = cellOf('wok_rate_limit_hits_total', { limit: 'queries' });
const MEMORY = cellOf('wok_rate_limit_hits_total', { limit: 'query_memory' });

/** Interval at which a lasting failure is logged again. */
const REPEAT_MILLISECONDS = 60_000;

interface QueryMeterParts {
  meter: Meter;
  worker: number;
  /** Ring of slow queries, and the log that names them. */
  slow: TextRing | null;
  log: Log | null;
  /** Ring of reads that were refused or cut short. */
  notes: RefusedReadRing | null;
  /** Work from which on a query is slow, in milliseconds; 0: none is. */
  slowMilliseconds: number;
}

/** Counters and histograms of a query worker, and the slow queries that it records. */
export class QueryMeter {
  /** Work from which on a query is slow, in milliseconds; 0: none is. */
  slowMilliseconds: number;
  readonly #meter: Meter;
  readonly #worker: number;
  readonly #slow: TextRing | null;
  readonly #log: Log | null;
  readonly #notes: RefusedReadRing | null;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(parts: QueryMeterParts) {
    this.#meter = parts.meter;
    this.#worker = parts.worker;
    this.#slow = parts.slow;
    this.#log = parts.log;
    this.#notes = parts.notes;
    this.slowMilliseconds = parts.slowMilliseconds;
  }

  /** Returns a meter for a query worker that runs alone. */
  static alone(): QueryMeter {
    const meter = Meter.alone('query');
    return new QueryMeter({
      meter,
      worker: 0,
      slow: null,
      log: null,
      notes: null,
      slowMilliseconds: 0,
    });
  }

  /** Called when a query gets its first slice. */
  begins(run: Run): void {
    if (!(run instanceof ReqRun || run instanceof CountRun)) return;
    this.#meter.observe(WAIT, Math.max(0, sharedMilliseconds() - run.arrivedAt) / 1000);
  }

  /** Called at the end of a query. A cancelled one counts as work, but no client waited for it. */
  over(run: Run): void {
    if (!(run instanceof ReqRun || run instanceof CountRun)) return;
    const meter = this.#meter;
    const { index, work, rows, events } = run;
    const total = Math.max(0, sharedMilliseconds() - run.arrivedAt);
    const isReq = run instanceof ReqRun;
    if (!run.cancelled) meter.observe((isReq ? EOSE : COUNT)[index], total / 1000);
    meter.add(WORK[index], work / 1000);
    meter.add(ROWS[index], rows);
    if (isReq) meter.add(EVENTS, events);
    if (run instanceof CountRun && run.refusal !== '') {
      this.#refused('COUNT', run.connId, run.refusal, run.packed);
    } else if (run instanceof ReqRun && run.short) {
      this.#notes?.note('REQ', run.connId, 'short', '', () => shapesOf(run.packed));
    }
    if (work < this.slowMilliseconds || this.slowMilliseconds === 0) return;
    meter.add(SLOW);
    this.#remember(run, isReq ? 'REQ' : 'COUNT', total);
  }

  #remember(run: ReqRun | CountRun, type: SlowQuery['type'], total: number): void {
    const query: SlowQuery = {
      at: Math.round(Date.now() / 1000),
      worker: this.#worker,
      type,
      connection: run.connId,
      index: run.index,
      work: Math.round(run.work * 10) / 10,
      total: Math.round(total * 10) / 10,
      rows: run.rows,
      events: run.events,
      filters: shapesOf(run.packed),
    };
    this.#slow?.push(JSON.stringify(query));
    const { at: _, worker: _worker, ...facts } = query;
    this.#log?.info('slow query', facts);
  }

  /** Called for a query that was refused before or after its begin; `packed` are its filters. */
  overloaded(of: 'REQ' | 'COUNT', connId: number, message: string, packed: Uint8Array): void {
    this.#meter.add(LIMIT);
    countRefusal(this.#meter, of, message);
    this.#refused(of, connId, message, packed);
  }

  #refused(of: 'REQ' | 'COUNT', connId: number, message: string, packed: Uint8Array): void {
    this.#notes?.note(of, connId, 'refused', message, () => shapesOf(packed));
  }

  /** Called when the database could not be read for a query. */
  unreadable(error: Error): void {
    const now = sharedMilliseconds();
    countRefusal(this.#meter, 'REQ', 'error:');
    if (now - this.#saidAt < REPEAT_MILLISECONDS) return;
    this.#saidAt = now;
    const text = 'the database could not be read; stop the relay and run wok doctor';
    this.#log?.error(text, { error: error.message });
  }

  /** Called when a query was ended because the queries of the worker held too much memory. */
  tooLarge(): void {
    this.#meter.add(MEMORY);
    countRefusal(this.#meter, 'REQ', 'error:');
  }

  /** Sets the gauges of the worker's load at the end of a slice. */
  sliceEnds(waiting: number, running: number, windowEvents: number): void {
    const meter = this.#meter;
    meter.set(WAITING, waiting);
    meter.set(RUNNING, running);
    meter.set(WINDOW, windowEvents);
  }
}

function shapesOf(packed: Uint8Array): string {
  return filterShapes(unpackFilters(packed));
}
