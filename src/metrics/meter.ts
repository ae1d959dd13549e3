// Metrics memory and the meter that a worker thread counts with. Each worker owns its cells, but
// for the two of the supervisor; any thread may read them.

import { element } from '../lib/assert.ts';
import { PEER_SLOTS, PLUGIN_SLOTS } from './label-values.ts';
import { type HistogramCells, placeOf, WORKER_CELLS } from './layout.ts';
import type { MetricsMemory } from './memory.ts';
import { readRings } from './refused-reads.ts';
import { SlotNames } from './slot-names.ts';
import { metricNames, metricOf } from './table.ts';
import { REFUSED_READS, SLOW_QUERIES, TextRing, TOP_CONNECTIONS } from './text-ring.ts';
import type { CountingStation } from './types.ts';

/** Allocates memory for so many worker threads of each station. */
export function shareMetrics(
  counts: Readonly<Partial<Record<CountingStation, number>>>,
): MetricsMemory {
  const workers = Object.entries(counts).flatMap(([station, count]) =>
    Array.from({ length: count }, (_, worker) => ({ station: station as CountingStation, worker })),
  );
  return {
    workers,
    cells: new SharedArrayBuffer(workers.length * WORKER_CELLS * 8),
    slow: TextRing.share(counts.query ?? 0, SLOW_QUERIES),
    topConnections: TextRing.share(1, TOP_CONNECTIONS),
    watch: new SharedArrayBuffer(8),
    reads: TextRing.share(readRings(counts), REFUSED_READS),
    plugins: SlotNames.share(PLUGIN_SLOTS),
    peers: SlotNames.share(PEER_SLOTS),
  };
}

/** Returns the cells of one worker thread. */
export function workerCells({ cells }: MetricsMemory, index: number): Float64Array {
  return new Float64Array(cells, index * WORKER_CELLS * 8, WORKER_CELLS);
}

/**
 * Meter of one worker thread. A plain write is enough, as each cell counts for one thread: the
 * worker, or the supervisor (`worker-meters.ts`). Readers see each cell whole, some cells a moment
 * earlier than others.
 */
export class Meter {
  readonly cells: Float64Array;

  /**
   * Resets the gauges of the worker. @throws Error for a worker that is not in the memory's table.
   */
  constructor(memory: MetricsMemory, station: CountingStation, worker: number) {
    const index = memory.workers.findIndex(
      (one) => one.station === station && one.worker === worker,
    );
    if (index < 0) throw new Error(`no memory for the metrics of ${station} worker ${worker}`);
    this.cells = workerCells(memory, index);
    for (const name of metricNames) {
      if (metricOf(name).type !== 'gauge') continue;
      const { start, series } = placeOf(name);
      this.cells.fill(0, start, start + series.length);
    }
  }

  /** Returns a meter without a reader, for roles that run alone. */
  static alone(station: CountingStation = 'io'): Meter {
    return new Meter(shareMetrics({ [station]: 1 }), station, 0);
  }

  /** Adds to a cell of `layout.ts`. */
  add(cell: number, amount = 1): void {
    this.cells[cell] = element(this.cells[cell]) + amount;
  }

  set(cell: number, value: number): void {
    this.cells[cell] = value;
  }

  /** Adds `times` observations of a value to a histogram, in the unit of its buckets. */
  observe({ start, buckets }: HistogramCells, value: number, times = 1): void {
    const { length } = buckets;
    let at = 0;
    while (at < length && value > element(buckets[at])) at++;
    this.add(start + at, times);
    this.add(start + length + 1, value * times);
  }
}
